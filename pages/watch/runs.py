"""All runs: find some, look at one, act on many."""

import time

import streamlit as st

from pages.parts import actions
from pages.parts.empty import empty_state
from pages.parts.session import open_run, store
from pages.parts.tables import runs_table
from pages.parts.words import count
from storage import Run, RunState

FILTERS: dict[str, set[RunState] | None] = {
    "All": None,
    "Under way": {state for state in RunState if not state.is_over},
    "Finished": {RunState.FINISHED},
    "Failed": {RunState.FAILED},
    "Stopped": {RunState.STOPPED},
}


def chosen_runs() -> list[Run]:
    """The rows that the filters leave. While some are ticked, the same rows in the same order: none slips away."""
    ticked = st.session_state.get("runs.table", {}).get("selection", {}).get("rows", [])
    if ticked and st.session_state.get("runs.ids"):
        by_id = {run.id: run for run in store().runs.list(limit=2000)}
        return [by_id[run_id] for run_id in st.session_state["runs.ids"] if run_id in by_id]
    states = FILTERS[st.session_state.get("runs.filter") or "All"]
    text = st.session_state.get("runs.text") or None
    runs = store().runs.list(states=states, text=text)
    dataset = st.session_state.get("runs.dataset")
    runs = [run for run in runs if dataset in (None, run.dataset_id)]
    st.session_state["runs.ids"] = [run.id for run in runs]
    return runs


def unselect() -> None:
    st.session_state["runs.table"] = {"selection": {"rows": [], "columns": [], "cells": []}}


def filters() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("State", list(FILTERS), default="All", key="runs.filter", on_change=unselect)
        datasets = [dataset.id for dataset in store().datasets.list()]
        st.selectbox(
            "Data set",
            datasets,
            index=None,
            key="runs.dataset",
            placeholder="All data sets",
            width=200,
            on_change=unselect,
        )
        st.text_input("Find", key="runs.text", placeholder="Name or id", width=220, on_change=unselect)


def table() -> None:
    runs = chosen_runs()
    if not runs:
        st.info("No run is like that. Change the filters above.", icon=":material/filter_alt_off:")
        return
    event = st.dataframe(
        runs_table(runs, time.time()),
        key="runs.table",
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        height=min(640, 38 + 35 * len(runs)),
        alt="Runs",
        column_config={
            "Run": st.column_config.TextColumn(pinned=True, width="medium"),
            "State": st.column_config.MultiselectColumn(
                options=["Queued", "Starting", "Running", "Stopping", "Interrupted", "Finished", "Failed", "Stopped"],
                color=["gray", "blue", "blue", "orange", "orange", "green", "red", "gray"],
                width="small",
            ),
            "Progress": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
            "Best": st.column_config.NumberColumn("Best accuracy", format="percent", width="small"),
            "Epoch": st.column_config.NumberColumn("In epoch", width="small"),
            "Left": st.column_config.TextColumn("Time left", width="small"),
            "Took": st.column_config.TextColumn(width="small"),
            "Started": st.column_config.DatetimeColumn(format="distance", width="small"),
            "Note": st.column_config.TextColumn(width="large"),
        },
    )
    rows = event.selection.rows
    acts([runs[row] for row in rows if row < len(runs)], len(runs))


def acts(picked: list[Run], shown: int) -> None:
    if not picked:
        st.caption(f"{count(shown, 'run')}. Tick some to open, stop, resume or delete them.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Open", icon=":material/open_in_new:", type="primary", disabled=len(picked) > 1, key="runs.open"):
            open_run(picked[0])
        stoppable, resumable = actions.can_stop(picked), actions.can_resume(picked)
        st.button(
            "Stop", icon=":material/stop_circle:", disabled=not stoppable, on_click=actions.stop, args=(stoppable,)
        )
        st.button(
            "Resume", icon=":material/resume:", disabled=not resumable, on_click=actions.resume, args=(resumable,)
        )
        if st.button("Delete", icon=":material/delete:", key="runs.delete"):
            actions.confirm_delete(picked)
        st.caption(f"{count(len(picked), 'run')} ticked")


def page() -> None:
    if st.session_state.pop("deleted", False):
        unselect()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title("Runs")
        if st.button("New run", icon=":material/add:", type="primary"):
            st.switch_page("pages/train/new_run.py")
    if not store().runs.list(limit=1):
        empty_state("No runs yet", "Pick images and a backbone. The first results show within a minute.")
        return
    filters()
    moving = any(store().runs.count().get(state) for state in RunState if not state.is_over)
    st.fragment(table, run_every=3 if moving else None)()


page()
