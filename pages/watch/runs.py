"""All runs: find some, open one, act on many."""

from dataclasses import asdict, dataclass
from functools import partial

import streamlit as st

from pages.parts import formatting
from pages.parts.live import live
from pages.parts.runs.actions import being_deleted, can_resume, can_stop, demo_button, run_buttons, started_run
from pages.parts.runs.annotations import annotation_buttons
from pages.parts.runs.event_import import import_button
from pages.parts.runs.table import run_list
from pages.parts.session import NEW_RUN_PAGE, SEARCHES_PAGE, open_run, store
from pages.parts.widgets.basket import basket_buttons
from pages.parts.widgets.cards import empty_state, page_head
from pages.parts.widgets.exports import export_button
from pages.parts.widgets.row_selection import held_ids, kept_order, table_key, untick
from storage import Run, RunState

FILTERS: dict[str, list[RunState]] = {
    "All": list(RunState),
    "Under way": [state for state in RunState if not state.is_over],
    "Finished": [RunState.FINISHED],
    "Failed": [RunState.FAILED],
    "Stopped": [RunState.STOPPED],
}
MOST_RUNS = 1000
TABLE = "runs_table"


def shown_runs() -> list[Run]:
    """The runs that the filters leave. While rows are ticked, the same runs in the same order: none slips away."""
    held = held_ids(TABLE)
    if held and len(runs := store().runs.some(held)) == len(held):
        return runs
    gone = being_deleted()
    found = store().runs.list(**asdict(chosen()), limit=MOST_RUNS + 1)
    by_id = {run.id: run for run in found[:MOST_RUNS] if run.id not in gone}
    st.session_state["runs_more"] = len(found) > MOST_RUNS
    return [by_id[run_id] for run_id in kept_order(TABLE, list(by_id))]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the filters ask for, as `Runs.list` takes it."""

    states: list[RunState]
    text: str | None
    dataset_id: str | None
    tags: tuple[str, ...]
    alone: bool
    archived: bool


def chosen() -> Filters:
    return Filters(
        states=FILTERS[st.session_state.get("runs_state") or "All"],
        text=st.session_state.get("runs_text") or None,
        dataset_id=st.session_state.get("runs_dataset"),
        tags=tuple(st.session_state.get("runs_tags") or ()),
        alone=not st.session_state.get("runs_trials"),
        archived=bool(st.session_state.get("runs_archived")),
    )


def _untick() -> None:
    """Other filters, other rows."""
    untick(TABLE)


def filter_bar() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("State", list(FILTERS), default="All", required=True, key="runs_state", on_change=_untick)
        st.selectbox(
            "Data set",
            [dataset.id for dataset in store().datasets.list()],
            index=None,
            key="runs_dataset",
            placeholder="All data sets",
            width=160,
            on_change=_untick,
        )
        st.text_input(
            "Find", key="runs_text", placeholder="Name, id, tag", icon=":material/search:", width=160, on_change=_untick
        )
        if tags := list(store().runs.tags()):
            st.multiselect("Tags", tags, key="runs_tags", placeholder="Any", width=150, on_change=_untick)
        if store().searches.list(limit=1):
            st.toggle("Trials too", key="runs_trials", help="Also the runs that searches made", on_change=_untick)
        if store().runs.any_archived():
            st.toggle("Archived too", key="runs_archived", help="Also the runs in the archive", on_change=_untick)


def table() -> None:
    runs = shown_runs()
    if not runs and not st.session_state.get("runs_trials") and not store().runs.count(alone=True):
        _trials_alone()
        return
    if not runs:
        st.info("No run is like that. Change the filters above.", icon=":material/filter_alt_off:")
        return
    ticked = [runs[row] for row in run_list(runs, key=table_key(TABLE), ticks=True, rows=14)]
    with st.container(horizontal=True, vertical_alignment="center"):
        if ticked:
            basket_buttons([run.id for run in ticked], page="runs")
            annotation_buttons(ticked, key="runs", afterwards=_untick)
            run_buttons(ticked, key="runs", afterwards=_untick)
            export([run.id for run in ticked])
            able = [(len(can_stop(ticked)), "to stop"), (len(can_resume(ticked)), "to resume")]
            ways = ", ".join(f"{count} {what}" for count, what in able if count)
            st.caption(f"{formatting.count(len(ticked), 'run')} ticked" + (f": {ways}" if ways else ""))
        else:
            older = " (the newest; filters find older ones)" if st.session_state.get("runs_more") else ""
            amount = f"{formatting.count(len(runs), 'run')}{older}"
            st.caption(f"{amount}. Click a name to open it, tick rows to act on them.")
            export([])


def _trials_alone() -> None:
    """Every run here is a trial, which the list leaves out unless it is asked for them."""

    def ways() -> None:
        with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
            st.button("Show trials too", icon=":material/visibility:", key="runs_show_trials", on_click=_with_trials)
            st.page_link(SEARCHES_PAGE, label="All searches", icon=":material/manage_search:", width="content")

    text = "Trials stand with the search that made them. Runs that you start by themselves are listed here."
    empty_state("travel_explore", "All runs so far are trials of searches", text, ways)


def _with_trials() -> None:
    st.session_state["runs_trials"] = True
    _untick()


def export(ticked: list[str]) -> None:
    """Files of the ticked runs, or of all that the filters leave."""
    button = partial(export_button, ["runs", "metrics", "checkpoints", "events"], key="runs")
    if ticked:
        runs = formatting.count(len(ticked), "ticked run") if len(ticked) > 1 else "ticked run"
        button(caption=f"Of the {runs}.", runs=",".join(ticked))
        return
    now = chosen()
    button(
        caption="Of all runs that the filters leave; tick rows for some.",
        state=[str(state) for state in now.states],
        text=now.text,
        dataset=now.dataset_id,
        tag=list(now.tags),
        trials=not now.alone,
        archived=now.archived,
    )


def page() -> None:
    if (started := started_run()) is not None:
        open_run(started)
    any_run = bool(store().runs.count())
    with page_head("Runs"):
        if any_run:
            import_button()
        if any_run and st.button("New run", icon=":material/add:", type="primary", key="runs_new"):
            st.switch_page(NEW_RUN_PAGE)
    if not any_run:
        empty_state(
            "list_alt",
            "No runs yet",
            "A run is one training of one model. The demo shows what comes of it.",
            demo_button,
        )
        return
    filter_bar()
    live(table, every_s=3.0)


page()
