"""Home: what trains now, what waits, what came out lately, and the machine below it all."""

import streamlit as st

from pages.parts import formatting
from pages.parts.live import live
from pages.parts.runs.actions import being_deleted, demo_button, started_run
from pages.parts.runs.table import FEW_COLUMNS, run_list
from pages.parts.searches.table import search_list
from pages.parts.session import (
    DATASETS_PAGE,
    NEW_RUN_PAGE,
    NEW_SEARCH_PAGE,
    RUNS_PAGE,
    SEARCHES_PAGE,
    open_run,
    store,
)
from pages.parts.widgets.cards import empty_state, page_head, run_card
from pages.parts.widgets.machine_strip import machine_strip
from storage import Run, RunState, Search

BUSY = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.INTERRUPTED)
RECENT = 8
RECENT_SEARCHES = 4


def overview() -> None:
    if (started := started_run()) is not None:  # here, because a click in this part draws this part alone
        open_run(started)
    gone = being_deleted()
    running = [run for run in store().runs.list(states=BUSY, limit=12, alone=True) if run.id not in gone]
    searches = _searches(gone)
    queue = [run for run in store().runs.queue() if run.id not in gone]
    over = [state for state in RunState if state.is_over]
    recent = [run for run in store().runs.list(states=over, limit=RECENT, alone=True) if run.id not in gone]
    if not (running or searches or queue or recent):
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
    if searches:
        st.markdown("**Searches**")
        search_list(searches, key="home_searches", rows=6)
        st.page_link(SEARCHES_PAGE, label="All searches", icon=":material/arrow_forward:")
    if queue:
        _queue(queue)
    if recent:
        st.markdown("**Recent results**")
        run_list(recent, key="home_recent", columns=FEW_COLUMNS)
        st.page_link(RUNS_PAGE, label="All runs", icon=":material/arrow_forward:")
    st.markdown("**This machine**")
    machine_strip()


def _searches(gone: set[str]) -> list[Search]:
    """Those that are not over, then the newest of those that are."""
    found = [one for one in store().searches.list(limit=50) if one.id not in gone]
    return [one for one in found if not one.state.is_over] + [one for one in found if one.state.is_over][
        :RECENT_SEARCHES
    ]


def _first_steps() -> None:
    demo_button()
    st.page_link(DATASETS_PAGE, label="Or bring your own images", icon=":material/photo_library:", width="content")


def _queue(queue: list[Run]) -> None:
    st.markdown(f"**Waiting** · {formatting.count(len(queue), 'run')}")
    run_list(queue, key="home_queue", columns=("open", "state", "dataset", "backbone", "created"), rows=5)


with page_head("Home"):
    any_work = bool(store().runs.count() or store().searches.list(limit=1))
    if any_work and st.button("New search", icon=":material/add:", key="home_new_search"):
        st.switch_page(NEW_SEARCH_PAGE)
    if any_work and st.button("New run", icon=":material/add:", type="primary", key="home_new"):
        st.switch_page(NEW_RUN_PAGE)
live(overview, every_s=3.0)
