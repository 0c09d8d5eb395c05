"""One run: how far it is, how well it does, what it keeps. `?run=ID` opens it anywhere."""

import streamlit as st

from pages.parts import run_parts, words
from pages.parts.cards import empty_state
from pages.parts.live import CHARTS_S, live, pace
from pages.parts.run_charts import chart_tools, charts
from pages.parts.session import RUNS_PAGE, selected_run, store
from storage import Run

DETAILS = {"Events": run_parts.events, "Log": run_parts.log, "Configuration": run_parts.configuration}


def current(drawn: Run) -> Run:
    """The run as it is now. Once its state differs from what the page was drawn for, all of the page is drawn again."""
    try:
        run = store().runs.get(drawn.id)
    except KeyError:
        st.rerun()
    if (run.state, run.attempt, run.best_epoch is None) != (drawn.state, drawn.attempt, drawn.best_epoch is None):
        st.rerun()
    return run


def details(run: Run) -> None:
    chosen = st.segmented_control(
        "Details", list(DETAILS), default="Events", required=True, key="run_details", label_visibility="collapsed"
    )
    DETAILS[chosen or "Events"](run)


def page(run: Run) -> None:
    run_parts.header(run)
    run_parts.trouble(run)

    def moving() -> None:
        now = current(run)
        run_parts.progress(now)
        run_parts.numbers(now)

    def drawn() -> None:
        now = current(run)
        chart_tools(now)
        charts(now, last_card=run_parts.checkpoints)

    def told() -> None:
        with st.container(border=True):
            details(current(run))

    live(moving, every_s=pace(run))
    live(drawn, every_s=pace(run, CHARTS_S))
    live(told, every_s=pace(run, CHARTS_S))


def to_runs() -> None:
    st.page_link(RUNS_PAGE, label="All runs", icon=":material/list_alt:")


wanted = selected_run()
if st.session_state.pop("run_left", False):
    st.session_state.pop("selected_run", None)
    st.switch_page(RUNS_PAGE)
try:
    found = store().runs.get(wanted or "")
except KeyError:
    st.session_state.pop("selected_run", None)
    st.title("Run", anchor=False)
    empty_state(
        "search_off",
        "No run is chosen" if wanted is None else "This run is not here",
        "Open one from the list." if wanted is None else f"{words.escaped(wanted)} may have been deleted, or mistyped.",
        to_runs,
    )
else:
    page(found)
