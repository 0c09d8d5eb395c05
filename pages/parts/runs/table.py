"""Runs as a table: the name opens one; on the Runs page rows can be ticked."""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.parts import formatting
from pages.parts.analysis.tables import events_table, runs_table
from pages.parts.palette import Palette, tag_place
from pages.parts.session import open_run, palette, store
from pages.parts.states import RUN_STATES, StateLabel
from storage import Event, Run

ALL_COLUMNS = (
    "open",
    "state",
    "tags",
    "notes",
    "progress",
    "left",
    "best",
    "best_epoch",
    "duration",
    "dataset",
    "backbone",
    "created",
)
FEW_COLUMNS = ("open", "state", "tags", "notes", "best", "best_epoch", "duration", "dataset", "created")
ROW, HEAD = 38, 37  # pixels


def run_list(
    runs: Sequence[Run], *, key: str, columns: Sequence[str] = ALL_COLUMNS, ticks: bool = False, rows: int = 12
) -> list[int]:
    """Draw the table; the positions of ticked rows. A click on a name leaves for that run.

    Args:
        runs: One row a run, in this order.
        key: Of the table.
        columns: Those to show; tags and notes are left out where no run has any.
        ticks: Rows can be ticked.
        rows: More of them scroll.
    """
    clicked = f"{key}_open"
    table = runs_table(runs, now=time.time(), warnings=store().events.warning_codes({run.id for run in runs}))
    empty = [name for name in ("tags", "notes") if not any(table[name])]  # no room is kept for these
    columns = [name for name in columns if name not in empty]
    tags = sorted({tag for run in runs for tag in run.tags})
    answer = st.dataframe(
        table,
        key=key,
        hide_index=True,
        column_order=columns,
        column_config=_columns(clicked, [run.id for run in runs], palette()) | {"tags": tag_column(tags, palette())},
        on_select="rerun" if ticks else "ignore",
        selection_mode="multi-row",
        height=ROW * min(len(runs), rows) + HEAD,
        row_height=ROW,
        placeholder=formatting.DASH,
        alt=f"Table of {formatting.count(len(runs), 'run')}",
    )
    if opened := st.session_state.pop("opened_run", None):
        open_run(opened)
    ticked = [] if isinstance(answer, DeltaGenerator) else answer.selection.rows  # that is where nobody can tick
    return [row for row in ticked if row < len(runs)]


def event_list(events: Sequence[Event], *, key: str, alt: str, row: int = ROW) -> None:
    """What happened, newest first.

    Args:
        events: Oldest first.
        key: Of the table.
        alt: What it holds, for those who do not see it.
        row: Pixels of a row.
    """
    column, colours = st.column_config, palette()
    levels = {"info": colours.waiting, "warning": colours.validation, "error": colours.bad}
    st.dataframe(
        events_table(events),
        hide_index=True,
        key=key,
        alt=alt,
        height=min(10 * ROW, row * len(events)) + HEAD,
        row_height=row,
        column_config={
            "at": column.TextColumn("When", width=110),
            "level": column.MultiselectColumn(
                "", options=list(levels), color=[tint + "33" for tint in levels.values()], width=80
            ),
            "text": column.TextColumn("What", width=700),
        },
    )


def state_column(states: Iterable[StateLabel], colours: Palette, *, width: int) -> Any:
    """A column of states, each in its colour; `width` in pixels."""
    tints = {state.word: state.tint(colours) for state in states}
    return st.column_config.MultiselectColumn("State", options=list(tints), color=list(tints.values()), width=width)


def tag_column(tags: Sequence[str], colours: Palette) -> Any:
    """A column of tags, each in its colour."""
    tints = [colours.tags[tag_place(tag)] + "33" for tag in tags]
    return st.column_config.MultiselectColumn("Tags", options=list(tags), color=tints or None, width=130)


def _columns(clicked: str, ids: list[str], colours: Palette) -> dict[str, Any]:
    column = st.column_config
    return {
        "open": column.ButtonColumn(
            "Run",
            type="tertiary",
            alignment="left",
            key=clicked,
            on_click=remember_click,
            args=(clicked, ids),
            width=215,
        ),
        "state": state_column(RUN_STATES.values(), colours, width=90),
        "notes": column.MultiselectColumn(
            "Remarks",
            options=list(dict.fromkeys(formatting.NOTES.values())),
            color=[colours.validation + "33"] * len(set(formatting.NOTES.values())),
            help="What it met on its way; its events say more",
            width=112,
        ),
        "progress": column.ProgressColumn("Progress", min_value=0, max_value=100, format="%.0f%%", width=106),
        "left": column.TextColumn("Left", width=82),
        "best": column.NumberColumn("Best", format="%.1f%%", help="Best validation accuracy", width=66),
        "best_epoch": column.NumberColumn("at epoch", help="The epoch it was reached in", width=66),
        "duration": column.TextColumn("Duration", width=90),
        "dataset": column.TextColumn("Data set", width=90),
        "backbone": column.TextColumn("Backbone", width=86),
        "created": column.TextColumn("Added", width=94),
    }


def remember_click(clicked: str, ids: list[str]) -> None:
    """Of a table's column of names: the run is opened where the table is drawn next."""
    click = st.session_state[clicked]
    if click is not None and click["row"] < len(ids):
        st.session_state["opened_run"] = ids[click["row"]]
