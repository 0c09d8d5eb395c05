"""Blocks that several pages show: state badges, run cards, empty states, what was refused."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import streamlit as st

from engine import api
from engine.api import Problem
from pages.parts import formatting
from pages.parts.analysis.tables import backbone_of
from pages.parts.session import RUNS_PAGE, open_run, store
from pages.parts.states import RUN_STATES
from storage import Run


@contextmanager
def page_head(title: str) -> Iterator[None]:
    """The page's title; what is drawn inside stands at the right end of its line."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title(title, anchor=False, width="content")
        with st.container(horizontal=True, width="content", gap="small", vertical_alignment="bottom"):
            yield


def state_badge(run: Run) -> None:
    state = RUN_STATES[run.state]
    st.badge(state.word, icon=state.icon, color=state.colour)


def fact_badges(run: Run) -> None:
    """Data set, backbone, device and what spreads it over processes, as quiet badges."""
    if run.dataset_id:
        st.badge(formatting.escaped(run.dataset_id), icon=":material/photo_library:", color="gray")
    if run.source is not None:
        origin = f"It was not trained here, but read in. {formatting.escaped(run.source)}"
        st.badge(formatting.escaped(run.source.partition(":")[0]), icon=":material/input:", color="gray", help=origin)
    if backbone := backbone_of(run):
        st.badge(formatting.escaped(backbone), icon=":material/hub:", color="gray")
    if run.device:
        st.badge(formatting.escaped(run.device), icon=":material/memory:", color="gray")
    if (strategy := run.spec.get("strategy", "single")) != "single":
        processes = run.spec.get("compute", {}).get("processes")
        row = api.STRATEGIES.get(strategy)
        name = f"{row.label if row else strategy}{f' × {processes}' if processes else ''}"
        st.badge(formatting.escaped(name), icon=":material/account_tree:", color="gray")
    if run.attempt > 1:
        st.badge(f"attempt {run.attempt}", icon=":material/restart_alt:", color="orange")
    for note in formatting.notes(store().events.warning_codes({run.id}).get(run.id, ())):
        st.badge(note, icon=":material/info:", color="orange")


def run_card(run: Run) -> None:
    """A run that is on: name, state, how far, best so far; a click on the name opens it."""
    with st.container(border=True, gap="xsmall", key=f"run_card_{run.id}", height="stretch"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            name = formatting.escaped(formatting.shortened(run.name, 44))
            if st.button(f"**{name}**", type="tertiary", key=f"open_{run.id}", help="Open this run"):
                open_run(run.id)
            state_badge(run)
        st.caption(formatting.progress(run, with_steps=False))
        st.progress(run.fraction)
        best = f"best {formatting.best(run)}" if run.best_value is not None else "no validation yet"
        st.caption(f"{best} · {formatting.escaped(run.dataset_id)} · {formatting.escaped(backbone_of(run))}")


def empty_state(icon: str, title: str, text: str, action: Callable[[], object] | None = None) -> None:
    """What is missing and the one thing to do about it.

    Args:
        icon: The name of a Material symbol.
        title: What is missing.
        text: Why, or what to do.
        action: Draws the button or link that does it.
    """
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("medium")
        st.markdown(f"# :material/{icon}:", width="content", anchors=False)
        st.markdown(f"**{title}**", width="content", text_alignment="center")
        st.caption(text, width="content", text_alignment="center")
        if action:
            action()
        st.space("medium")


def problem_lines(problems: Iterable[Problem], *, labelled: bool = False) -> None:
    """What is wrong, one line a problem; `labelled`: with the field's name as the form has it, not as YAML does."""
    labels = {one.path: one.label for one in api.settings()} if labelled else {}
    for problem in problems:
        field = labels.get(problem.field)
        text = f"{field}: {problem.message}" if field else str(problem)
        st.markdown(f":red[:material/error: {formatting.escaped(text)}]")


def no_such_run(title: str, run_id: str | None) -> None:
    """In place of a run's page that is called `title`: none was chosen, or it is not there."""
    st.session_state.pop("selected_run", None)
    with page_head(title):
        pass
    empty_state(
        "search_off",
        "No run is chosen" if run_id is None else "This run is not here",
        "Open one from the list."
        if run_id is None
        else f"{formatting.escaped(run_id)} may have been deleted, or mistyped.",
        lambda: st.page_link(RUNS_PAGE, label="All runs", icon=":material/list_alt:"),
    )
