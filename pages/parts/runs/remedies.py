"""Ways out for a run that failed: each starts it again, changed in one thing, by one click."""

import streamlit as st

from engine import api
from engine.api import Offer, Refused, RunSpec
from pages.parts import formatting
from pages.parts.runs import actions
from pages.parts.session import NEW_RUN_PAGE, newest_run, open_run
from storage import Run, RunState


def remedies(run: Run) -> list[Offer]:
    """What a failed run can be started again with; [] for another."""
    if run.state is not RunState.FAILED:
        return []
    try:
        return api.remedies(run.reason_code, RunSpec.parse(run.spec))
    except Refused:  # a run of another version: only the form can tell what became of its settings
        return []


def ways_out(run: Run, offers: list[Offer]) -> None:
    """A button each, what helps most first; the last one opens the form."""
    if (started := actions.started_run()) is not None:
        open_run(started)
    if offers:
        st.caption("Start again with, what helps most first:")
    with st.container(horizontal=True, gap="small", key="run_ways_out"):
        for offer in offers:
            st.button(
                formatting.escaped(offer.label[:1].upper() + offer.label[1:]),
                icon=":material/replay:",
                key=f"run_remedy_{offer.key}",
                help=formatting.escaped(offer.note),
                on_click=_start_again,
                args=(offer.spec, newest_run()),
            )
        if st.button("Edit and start again", icon=":material/edit:", key="run_edit"):
            st.switch_page(NEW_RUN_PAGE, query_params={"from": run.id})


def _start_again(spec: RunSpec, drawn_on: str) -> None:
    try:
        st.session_state["started_run"] = actions.start(spec, drawn_on).id
    except Refused as refused:
        st.toast(formatting.escaped(str(refused)), icon=":material/error:")
