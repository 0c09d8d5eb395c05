"""The two tables of the Compare page: ways with the spread of their runs, and runs with what sets them apart."""

from collections.abc import Sequence

import streamlit as st

from pages.parts import words
from pages.parts.comparison import Difference, Way, line_names
from pages.parts.figures.compared import colour
from pages.parts.figures.palette import Palette
from pages.parts.run_list import HEAD, ROW
from pages.parts.session import run_link
from pages.parts.tables import compared_runs_table, ways_table
from storage import Run


def ways_side_by_side(found: Sequence[Way], colours: Palette) -> None:
    column = st.column_config
    st.dataframe(
        ways_table(found),
        hide_index=True,
        key="compare_ways",
        height=ROW * len(found) + HEAD,
        row_height=ROW,
        placeholder=words.DASH,
        alt="Ways, best mean first",
        column_config={
            "way": _names("Way", [way.name for way in found], colours, 260),
            "runs": column.NumberColumn("Runs", width=60),
            "mean": column.NumberColumn("Mean of best", format="%.1f%%", width=100),
            "lowest": column.NumberColumn("Lowest", format="%.1f%%", width=80),
            "highest": column.NumberColumn("Highest", format="%.1f%%", width=80),
            "duration": column.TextColumn("Time a run", width=100),
        },
    )


def runs_side_by_side(
    runs: Sequence[Run], apart: Sequence[Difference], colours: Palette, *, coloured: bool, now: float
) -> None:
    """`coloured`: each run has a line of its own, whose colour its name wears."""
    column = st.column_config
    name = _names("Run", line_names(runs), colours, 230) if coloured else column.ListColumn("Run", width=230)
    st.dataframe(
        compared_runs_table(runs, apart, link=run_link, now=now),
        hide_index=True,
        key="compare_table",
        height=ROW * min(len(runs), 14) + HEAD,
        row_height=ROW,
        placeholder=words.DASH,
        alt=f"Table of {words.count(len(runs), 'run')} and {words.count(len(apart), 'setting')} that differ",
        column_config={
            "run": name,
            "open": column.LinkColumn("", display_text=":material/open_in_new:", width=40, help="Open this run"),
            "state": column.TextColumn("State", width=80),
            "best": column.NumberColumn("Best", format="%.1f%%", help="Best validation accuracy", width=66),
            "epoch": column.NumberColumn("at epoch", width=66),
            "duration": column.TextColumn("Duration", width=90),
        },
    )


def _names(label: str, names: Sequence[str], colours: Palette, width: int) -> object:
    """A column of names, each in the colour of its line."""
    tints = [colour(place, colours) + "44" for place in range(len(names))]
    return st.column_config.MultiselectColumn(label, options=list(names), color=tints, width=width)
