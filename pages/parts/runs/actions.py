"""What a click asks the engine to do, and what it answers."""

from collections.abc import Callable, Sequence

import streamlit as st

from engine import api
from engine.api import PRESETS, NotFound, Refused, RunSpec, SearchSpec
from pages.parts import formatting
from pages.parts.session import newest_run, start_key, store, wake_engine
from storage import Run, RunState, Search

CALLS = {"Stopping": api.request_stop, "Resuming": api.resume, "Deleting": api.delete_run}


def can_stop(runs: Sequence[Run]) -> list[str]:
    """Ids of those that can be stopped."""
    return [run.id for run in runs if not run.state.is_over and run.state is not RunState.STOPPING]


def can_resume(runs: Sequence[Run]) -> list[str]:
    """Ids of those that can go on from their last checkpoint; trials are their search's to go on with."""
    return [run.id for run in runs if run.state in (RunState.STOPPED, RunState.FAILED) and run.search_id is None]


def run_buttons(runs: Sequence[Run], *, key: str, afterwards: Callable[[], None] | None = None) -> None:
    """Stop, resume and, after a question, delete; those that do nothing here are not drawn."""
    if ids := can_stop(runs):
        st.button("Stop", icon=":material/stop_circle:", key=f"{key}_stop", on_click=act, args=("Stopping", ids))
    if ids := can_resume(runs):
        st.button("Resume", icon=":material/resume:", key=f"{key}_resume", on_click=act, args=("Resuming", ids))
    # A popover, not a dialog: one that the refreshing part opened would close at the next refresh.
    with st.popover("Delete", icon=":material/delete:", key=f"{key}_ask"):
        st.markdown(f"**Delete {formatting.count(len(runs), 'run')} for good?**")
        for run in runs[:5]:
            st.text(run.name)
        if len(runs) > 5:
            st.caption(f"and {len(runs) - 5} more")
        st.caption("Checkpoints, metrics and logs go too, and the disk is freed. One that trains is stopped first.")
        st.button(
            f"Delete {formatting.count(len(runs), 'run')}",
            type="primary",
            key=f"{key}_delete",
            on_click=_delete,
            args=([run.id for run in runs], afterwards),
        )


def act(doing: str, run_ids: list[str]) -> None:
    """Ask for runs to be stopped, resumed or deleted; a toast says what was asked and what was refused."""
    refused = []
    for run_id in run_ids:
        try:
            CALLS[doing](store(), run_id)
        except (Refused, NotFound) as error:
            refused.append(str(error))
    if accepted := len(run_ids) - len(refused):
        st.toast(f"{doing} {formatting.count(accepted, 'run')}.", icon=":material/check:")
        wake_engine()
    for text in refused:
        st.toast(formatting.escaped(text), icon=":material/error:")


def start(spec: RunSpec, drawn_on: str, *, origin: tuple[str, str] | None = None) -> Run:
    """Queue a run, once for each drawing of its button.

    Args:
        origin: The run and its checkpoint that it goes on from, if any.

    Raises:
        engine.Refused: This home or machine cannot run it.
        engine.NotFound, engine.Unavailable: `origin` is gone.
    """
    key = start_key(spec, f"{drawn_on} {origin or ''}")
    run = api.branch(store(), *origin, spec, key=key) if origin else api.start_run(store(), spec, key=key)
    wake_engine()
    return run


def start_search(spec: SearchSpec, drawn_on: str) -> Search:
    """Queue a search, once for each drawing of its button.

    Raises:
        engine.Refused: This home or machine cannot run it.
    """
    search = api.start_search(store(), spec, key=start_key(spec, drawn_on))
    wake_engine()
    return search


def started_search() -> str | None:
    """The search that a button of this page has just started."""
    started: str | None = st.session_state.pop("started_search", None)
    return started


def demo_button() -> None:
    """The one button of an empty home."""
    st.button(
        "Train the demo (digits, about 30 s)",
        type="primary",
        icon=":material/play_arrow:",
        key="demo",
        on_click=_start_demo,
        args=(newest_run(),),
    )


def started_run() -> str | None:
    """The run that a button of this page has just started."""
    started: str | None = st.session_state.pop("started_run", None)
    return started


def being_deleted() -> set[str]:
    """Ids of runs and data sets whose deletion is asked for but not yet done."""
    kinds = ("delete_run", "delete_dataset")
    return {request.target for request in store().requests.open() if request.kind in kinds}


def _delete(run_ids: list[str], afterwards: Callable[[], None] | None) -> None:
    act("Deleting", run_ids)
    if afterwards:
        afterwards()


def _start_demo(drawn_on: str) -> None:
    try:
        st.session_state["started_run"] = start(RunSpec.parse(PRESETS["demo"].values), drawn_on).id
    except Refused as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
