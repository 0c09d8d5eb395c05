"""Searches as a table: the name opens one."""

import time
from collections.abc import Sequence

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.analysis.tables import searches_table
from pages.parts.runs.table import HEAD, ROW, state_column
from pages.parts.session import open_search, palette, store
from pages.parts.states import SEARCH_STATES
from storage import Search


def search_list(searches: Sequence[Search], *, key: str, rows: int = 14) -> None:
    """Draw the table; a click on a name leaves for that search."""
    clicked, column = f"{key}_open", st.column_config
    counts = {
        one.id: sum(number for state, number in store().runs.trial_counts(one.id).items() if state.is_over)
        for one in searches
    }
    table = searches_table(searches, counts, now=time.time())
    table["algorithm"] = [_label(name) for name in table["algorithm"]]
    st.dataframe(
        table,
        key=key,
        hide_index=True,
        height=ROW * min(len(searches), rows) + HEAD,
        row_height=ROW,
        placeholder=formatting.DASH,
        alt=f"Table of {formatting.count(len(searches), 'search', 'searches')}",
        column_config={
            "open": column.ButtonColumn(
                "Search",
                type="tertiary",
                alignment="left",
                key=clicked,
                on_click=_open,
                args=(clicked, [one.id for one in searches]),
                width=230,
            ),
            "state": state_column(SEARCH_STATES.values(), palette(), width=92),
            "progress": column.ProgressColumn("Progress", min_value=0, max_value=100, format="%.0f%%", width=98),
            "trials": column.TextColumn("Trials", width=90),
            "best": column.TextColumn("Best", width=64),
            "algorithm": column.TextColumn("Algorithm", width=120),
            "dataset": column.TextColumn("Data set", width=88),
            "duration": column.TextColumn("Worked", width=92),
            "created": column.TextColumn("Added", width=94),
        },
    )
    if opened := st.session_state.pop("opened_search", None):
        open_search(opened)


def _label(name: str) -> str:
    row = api.ALGORITHMS.get(name)
    return row.label if row else name


def _open(clicked: str, ids: list[str]) -> None:
    click = st.session_state[clicked]
    if click is not None and click["row"] < len(ids):
        st.session_state["opened_search"] = ids[click["row"]]
