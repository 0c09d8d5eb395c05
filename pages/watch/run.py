"""One run: how far it is, how well it does, what it keeps. `?run=ID` opens it anywhere."""

from typing import Any

import streamlit as st

from pages.parts import formatting
from pages.parts.live import CHARTS_S, live, pace
from pages.parts.runs import sections
from pages.parts.runs.charts import chart_tools, charts
from pages.parts.session import RUNS_PAGE, selected_run, store
from pages.parts.widgets.cards import empty_state, no_such_run
from pages.parts.widgets.exports import export_button
from storage import Run, RunState

DETAILS = {"Events": sections.events, "Log": sections.log, "Configuration": sections.configuration}


def outline(run: Run) -> tuple[Any, ...]:
    """What the page's frame depends on: once it differs, all of the page is drawn again, not its moving parts alone."""
    noted = tuple(formatting.notes(store().events.warning_codes({run.id}).get(run.id, ())))
    has_best = any(kept.is_best for kept in store().checkpoints.list(run.id))
    return run.state, run.attempt, has_best, noted, run.name, run.tags, run.about, run.archived_at


def current(run_id: str) -> Run:
    try:
        return store().runs.get(run_id)
    except KeyError:
        st.rerun()  # deleted meanwhile: the whole page says so


def nothing_yet(run: Run) -> None:
    """In place of curves, before there are any."""
    if run.state.is_over:
        empty_state(
            "show_chart", "Nothing was measured", "It ended before its first step. Events and log below say why."
        )
    elif run.state is RunState.QUEUED:
        queue = [other.id for other in store().runs.queue()]
        before = queue.index(run.id) if run.id in queue else 0
        waits = f"{formatting.count(before, 'run')} before it in the queue." if before else "It is the next to start."
        empty_state("hourglass_empty", "Waiting for its turn", f"{waits} You may close this page; it starts by itself.")
    else:
        empty_state("show_chart", "Curves appear with the first steps", "Loading the training libraries takes a while.")


def details(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        chosen = st.segmented_control(
            "Details", list(DETAILS), default="Events", required=True, key="run_details", label_visibility="collapsed"
        )
        export_button(["metrics", "checkpoints", "events", "runs"], key="run", caption="Of this run.", runs=run.id)
    DETAILS[chosen or "Events"](run)


def page(run: Run) -> None:
    drawn_for = outline(run)
    sections.header(run)
    sections.trouble(run)

    def moving() -> None:
        now = current(run.id)
        if outline(now) != drawn_for:
            st.rerun()
        sections.progress(now)
        if store().metrics.names(now.id):
            sections.numbers(now)

    def drawn() -> None:
        now = current(run.id)
        if store().metrics.names(now.id):
            chart_tools(now)
            charts(now, last_card=sections.checkpoints)
        else:
            nothing_yet(now)

    def below() -> None:
        with st.container(border=True):
            details(current(run.id))

    live(moving, every_s=pace(run))
    live(drawn, every_s=pace(run, CHARTS_S))
    live(below, every_s=pace(run, CHARTS_S))


if st.session_state.pop("run_left", False):
    st.session_state.pop("selected_run", None)
    st.switch_page(RUNS_PAGE)
run_id = selected_run()
try:
    found = store().runs.get(run_id or "")
except KeyError:
    no_such_run("Run", run_id)
else:
    page(found)
