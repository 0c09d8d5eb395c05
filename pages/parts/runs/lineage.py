"""Where a run came from and what went on from it; and the ways to go on from its checkpoints."""

import streamlit as st

from engine import api
from engine.api import NotFound, Refused, Unavailable
from pages.parts import formatting
from pages.parts.runs import actions
from pages.parts.session import NEW_RUN_PAGE, newest_run, open_run, run_link, search_link, store, wake_engine
from storage import Checkpoint, Run, RunState

MOST_CHILDREN = 5  # children that are named
MORE_EPOCHS = 10


def lineage(run: Run) -> None:
    """The run whose checkpoint it began with, and those that began with one of its own."""
    if run.search_id is not None:
        st.caption(f":material/travel_explore: Trial {run.trial} of {_search(run.search_id)}.")
    if run.parent_id is not None:
        st.caption(f":material/fork_right: Goes on from {_parent(run)} {_after(run)}.")
    if children := store().runs.children(run.id):
        named = [f"{_linked(child)} ({_after(child)})" for child in children]
        st.caption(f":material/fork_right: Gone on from by {formatting.some(named, MOST_CHILDREN)}.")


def go_on(run: Run) -> None:
    """More epochs, other settings from a checkpoint, back to an earlier one, a new run like it; and pins."""
    if (started := actions.started_run()) is not None:
        open_run(started)
    kept = store().checkpoints.list(run.id)
    if not kept and run.source is not None:
        return
    with st.popover("Go on", icon=":material/fork_right:", key="run_go_on"):
        if kept and run.state.is_over:
            _extend(run)
        if kept:
            _from_checkpoint(run, kept)
        _like_it(run, has_learned=any(one.is_best for one in kept))


def _from_checkpoint(run: Run, kept: list[Checkpoint]) -> None:
    st.markdown("**From a checkpoint**")
    names = {one.name: _label(one, run) for one in kept}
    chosen = st.selectbox("Checkpoint", list(names), format_func=names.__getitem__, key=f"run_from_{run.id}")
    one = next(found for found in kept if found.name == chosen)
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Branch",
            icon=":material/fork_right:",
            key="run_branch",
            help="A new run that goes on from here, with other settings if you like. This one stays as it is.",
        ):
            st.switch_page(NEW_RUN_PAGE, query_params={"branch": run.id, "at": one.name})
        if run.state in (RunState.STOPPED, RunState.FAILED) and run.search_id is None:
            st.button(
                "Resume from here",
                icon=":material/history:",
                key="run_resume_from",
                help="This run goes on from here; checkpoints and curves that came after it go.",
                on_click=_resume,
                args=(run.id, one.name),
            )
        st.button(
            "Unpin" if one.is_pinned else "Pin",
            icon=":material/keep_off:" if one.is_pinned else ":material/keep:",
            key="run_pin",
            help="A pinned checkpoint stays however many newer ones follow.",
            on_click=_pin,
            args=(run.id, one.name, not one.is_pinned),
        )


def _like_it(run: Run, *, has_learned: bool) -> None:
    st.markdown("**A new run like it**")
    with st.container(horizontal=True, gap="small"):
        if run.source is None and st.button(
            "Clone", icon=":material/content_copy:", key="run_clone", help="A new run set up like this"
        ):
            st.switch_page(NEW_RUN_PAGE, query_params={"from": run.id})
        note = "A new run that begins with what this one has learned, on other images too"
        if has_learned and st.button("Reuse weights", icon=":material/ac_unit:", key="run_weights", help=note):
            st.switch_page(NEW_RUN_PAGE, query_params={"weights": run.id})


def _extend(run: Run) -> None:
    st.markdown("**Train it for longer**")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        epochs = st.number_input("More epochs", 1, 10_000, MORE_EPOCHS, key="run_more_epochs", width=120)
        st.button(
            "Extend",
            type="primary",
            icon=":material/add:",
            key="run_extend",
            on_click=_start_extended,
            args=(run.id, newest_run()),
        )
    is_finished = run.state is RunState.FINISHED
    whole = (run.epoch if is_finished else run.epochs) + int(epochs)
    st.caption(
        f"A new run goes on from the last checkpoint to epoch {whole}; this one stays as it is. "
        "Its schedule is laid over all epochs anew."
    )


def _start_extended(run_id: str, drawn_on: str) -> None:
    epochs = int(st.session_state["run_more_epochs"])
    try:
        run = api.extend(store(), run_id, epochs, key=f"extend {run_id} {epochs} {drawn_on}")
    except (Refused, NotFound, Unavailable) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
        return
    wake_engine()
    st.session_state["started_run"] = run.id


def _resume(run_id: str, name: str) -> None:
    try:
        api.resume(store(), run_id, name)
    except (Refused, NotFound) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
        return
    wake_engine()
    st.toast(f"Going back to {name}.", icon=":material/check:")


def _pin(run_id: str, name: str, pinned: bool) -> None:
    try:
        api.pin_checkpoint(store(), run_id, name, pinned=pinned)
    except (NotFound, Unavailable) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")


def _label(one: Checkpoint, run: Run) -> str:
    where = f"epoch {one.epoch}" if one.is_whole else f"step {one.step:,}, in epoch {one.epoch + 1}"
    value = one.metrics.get(run.metric)
    marks = [
        name for name, is_set in (("best", one.is_best), ("last", one.is_last), ("pinned", one.is_pinned)) if is_set
    ]
    return " · ".join([where, *([formatting.percent(value)] if value is not None else []), *marks])


def _after(child: Run) -> str:
    return f"after epoch {child.parent_epoch}" if child.parent_epoch else f"after step {child.parent_step:,}"


def _parent(run: Run) -> str:
    try:
        return _linked(store().runs.get(run.parent_id or ""))
    except KeyError:
        return f"a run deleted since ({run.parent_id})"


def _search(search_id: str) -> str:
    try:
        name = store().searches.get(search_id).name
    except KeyError:
        return f"a search deleted since ({search_id})"
    return f"[{formatting.escaped(formatting.shortened(name, 40))}]({search_link(search_id)})"


def _linked(run: Run) -> str:
    return f"[{formatting.escaped(formatting.shortened(run.name, 40))}]({run_link(run)})"
