"""What can be done to runs, with the words for each, shared by every page that offers it."""

from collections.abc import Sequence

import streamlit as st

import engine
from pages.parts.session import store, wake_engine
from pages.parts.words import count
from storage import Run, RunState


def stop(runs: Sequence[Run]) -> None:
    _ask(runs, engine.request_stop, "Stopping")


def resume(runs: Sequence[Run]) -> None:
    _ask(runs, engine.resume, "Queued again:")


def delete(runs: Sequence[Run]) -> None:
    _ask(runs, engine.delete_run, "Deleting")


def can_stop(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if not run.state.is_over and run.state is not RunState.STOPPING]


def can_resume(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if run.state in (RunState.STOPPED, RunState.FAILED)]


def start_demo() -> None:
    """The demo run; its id waits in the session for the page to open it."""
    spec = engine.RunSpec.parse(engine.PRESETS["demo"].values)
    newest = next(iter(store().runs.list(limit=1)), None)
    from pages.parts.forms import start_key

    st.session_state["demo.started"] = engine.start_run(store(), spec, key=start_key(spec, newest)).id


@st.dialog("Delete for good?")
def confirm_delete(runs: Sequence[Run]) -> None:
    """Ask before what cannot be undone."""
    names = "\n".join(f"- {run.name}" for run in runs[:8]) + (f"\n- and {len(runs) - 8} more" if len(runs) > 8 else "")
    freed = sum(engine.folder_bytes(store().home.run(run.id)) for run in runs)
    st.text(names)
    st.caption(
        f"Their checkpoints, metrics and logs go with {'it' if len(runs) == 1 else 'them'}: {freed / 1e6:,.1f} MB. "
        "One that trains is stopped first. This cannot be undone."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep", key="delete.keep"):
            st.rerun()
        if st.button(f"Delete {count(len(runs), 'run')}", type="primary", icon=":material/delete:", key="delete.yes"):
            delete(runs)
            st.session_state["deleted"] = True
            st.rerun()


def _ask(runs: Sequence[Run], what, words: str) -> None:  # type: ignore[no-untyped-def]
    wake_engine()
    for run in runs:
        try:
            what(store(), run.id)
        except (engine.Refused, engine.NotFound) as error:
            st.toast(str(error), icon=":material/error:")
    st.toast(f"{words} {count(len(runs), 'run')}.")
