"""Home: what trains now, what waits, what came out lately, and the machine below it all."""

import streamlit as st

from pages.parts import words
from pages.parts.actions import being_deleted, demo_button, started_run
from pages.parts.cards import empty_state, page_head, run_card
from pages.parts.live import live
from pages.parts.machine_strip import machine_strip
from pages.parts.run_list import FEW_COLUMNS, run_list
from pages.parts.search_list import search_list
from pages.parts.session import DATASETS_PAGE, NEW_RUN_PAGE, RUNS_PAGE, open_run, store
from storage import Run, RunState

BUSY = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.INTERRUPTED)
RECENT = 8


def overview() -> None:
    if (started := started_run()) is not None:  # here, because a click in this part draws this part alone
        open_run(started)
    gone = being_deleted()
    running = [run for run in store().runs.list(states=BUSY, limit=12, alone=True) if run.id not in gone]
    searching = [one for one in store().searches.list(limit=50) if not one.state.is_over and one.id not in gone]
    queue = [run for run in store().runs.queue() if run.id not in gone]
    over = [state for state in RunState if state.is_over]
    recent = [run for run in store().runs.list(states=over, limit=RECENT, alone=True) if run.id not in gone]
    if not (running or searching or queue or recent):
        empty_state(
            "ac_unit",
            "Nothing trained yet",
            "Watch a small network learn 1,797 handwritten digits on this machine. It needs no network and no GPU.",
            _first_steps,
        )
    if running:
        st.markdown("**Running**")
        cards = st.grid(3, min_column_width=300)
        for run in running:
            with cards.cell():
                run_card(run)
    if searching:
        st.markdown("**Searches**")
        search_list(searching, key="home_searches", rows=5)
    if queue:
        _queue(queue)
    if recent:
        st.markdown("**Recent results**")
        run_list(recent, key="home_recent", columns=FEW_COLUMNS)
        st.page_link(RUNS_PAGE, label="All runs", icon=":material/arrow_forward:")
    st.markdown("**This machine**")
    machine_strip()


def _first_steps() -> None:
    demo_button()
    st.page_link(DATASETS_PAGE, label="Or bring your own images", icon=":material/photo_library:", width="content")


def _queue(queue: list[Run]) -> None:
    st.markdown(f"**Waiting** · {words.count(len(queue), 'run')}")
    run_list(queue, key="home_queue", columns=("open", "state", "dataset", "backbone", "created"), rows=5)


with page_head("Home"):
    if store().runs.count() and st.button("New run", icon=":material/add:", type="primary", key="home_new"):
        st.switch_page(NEW_RUN_PAGE)
live(overview, every_s=3.0)
