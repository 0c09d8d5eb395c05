"""Home: what runs, what waits, what came out, and how the machine does."""

import time

import streamlit as st

from pages.parts.empty import empty_state
from pages.parts.machine_strip import machine_strip
from pages.parts.session import open_run, store
from pages.parts.tables import runs_table
from pages.parts.words import BADGES, count, duration, percent, plain, progress_line
from storage import Run, RunState

UNDER_WAY = [RunState.STARTING, RunState.RUNNING, RunState.STOPPING, RunState.INTERRUPTED]


def card(run: Run) -> None:
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{plain(run.name)}**")
            label, icon, colour = BADGES[run.state]
            st.badge(label, icon=icon, color=colour)
        st.progress(run.fraction, text=progress_line(run))
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            best = (
                "no value yet" if run.best_value is None else f"best {percent(run.best_value)}, epoch {run.best_epoch}"
            )
            st.caption(f"{plain(run.dataset_id)} · {best} · {duration(run.duration_s(time.time()))}")
            if st.button("Watch", key=f"home.open.{run.id}", icon=":material/show_chart:", type="tertiary"):
                open_run(run)


def board() -> None:
    """Everything that moves."""
    machine_strip()
    under_way = store().runs.list(states=UNDER_WAY)
    queue = store().runs.queue()
    if under_way:
        st.subheader("Training now", anchor=False)
        with st.grid(2, min_column_width=340, gap="medium"):
            for run in under_way:
                card(run)
    if queue:
        st.subheader(f"Queue · {count(len(queue), 'run')}", anchor=False)
        for place, run in enumerate(queue[:8], start=1):
            st.caption(f"{place}. {plain(run.name)} · {plain(run.dataset_id)}")
        if len(queue) > 8:
            st.caption(f"and {len(queue) - 8} more")


def recent() -> None:
    runs = store().runs.list(states=[state for state in RunState if state.is_over], limit=8)
    if not runs:
        return
    st.subheader("Recent", anchor=False)
    table = runs_table(runs, time.time())[["Run", "State", "Best", "Epoch", "Took", "Data set", "Backbone"]]
    event = st.dataframe(
        table,
        key="home.recent",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        alt="Recent runs",
        column_config={
            "State": st.column_config.MultiselectColumn(
                options=["Finished", "Failed", "Stopped"], color=["green", "red", "gray"], width="small"
            ),
            "Best": st.column_config.NumberColumn("Best accuracy", format="percent"),
            "Epoch": st.column_config.NumberColumn("In epoch"),
        },
    )
    if event.selection.rows:
        open_run(runs[event.selection.rows[0]])


def page() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.title("Home")
        any_run = bool(store().runs.list(limit=1))
        if any_run and st.button("New run", icon=":material/add:", type="primary"):
            st.switch_page("pages/train/new_run.py")
    if not any_run:
        empty_state(
            "Nothing trained yet",
            "See the whole way once: real handwritten digits, live curves, a checkpoint to download.",
        )
        return
    st.fragment(board, run_every=2)()
    recent()


page()
