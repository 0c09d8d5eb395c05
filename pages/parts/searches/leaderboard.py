"""All trials of a search: as lines across their settings, whose brush filters the table below, best first."""

import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.run_stats import peak_memory
from pages.parts.analysis.tables import trials_table
from pages.parts.analysis.trials import COSTS, Dimension, Trial, best_first, with_cost
from pages.parts.figures.searches.parallel import drawn, parallel
from pages.parts.palette import Palette
from pages.parts.runs.table import HEAD, ROW, remember_click, state_column
from pages.parts.searches.actions import stop_trials
from pages.parts.searches.charts import Curves
from pages.parts.searches.sections import in_percent, lowest
from pages.parts.session import open_run, palette, store
from pages.parts.states import PRUNED, RUN_STATES
from pages.parts.widgets.basket import Basket, basket_buttons, compare
from pages.parts.widgets.brushed_axes import HOW_TO_BRUSH, Made, brushed, brushed_axes, unbrush
from pages.parts.widgets.exports import export_button
from pages.parts.widgets.row_selection import kept_order, table_key, untick
from storage import Search

MOST_AXES = 10
MOST_ROWS = 14  # at once; more scroll
TABLE = "search_board"


def axes(search: Search, trials: list[Trial], dimensions: Sequence[Dimension], token: object) -> None:
    """Every trial as a line across the settings that were searched.

    Args:
        search: The search.
        trials: All of its trials.
        dimensions: The settings, one axis each.
        token: Differs once there is news.
    """
    if not drawn(trials) or not dimensions:
        return

    def make() -> Made:
        placed, across = with_cost(trials, dimensions[:MOST_AXES], search.spec.get("cost"))
        option = parallel(
            placed,
            across,
            metric=formatting.metric(search.metric),
            percent=in_percent(search),
            lowest=lowest(search),
            palette=palette(),
        )
        return option, tuple(trial.run.id for trial in drawn(trials))

    with st.container(border=True, key="search_axes"):
        st.markdown("**What made a difference**", help=HOW_TO_BRUSH)
        alt = f"{formatting.count(len(drawn(trials)), 'trial')} as lines across their settings"
        brushed_axes("search", search.id, token, make, afterwards=lambda: untick(TABLE), alt=alt)
        if len(dimensions) > MOST_AXES:
            st.caption(f"The first {MOST_AXES} of {len(dimensions)} settings.")


def board(search: Search, trials: list[Trial], dimensions: Sequence[Dimension], curves: Curves) -> None:
    """The table of trials that the brush leaves, best first; ticked ones can be stopped or compared.

    Args:
        search: The search.
        trials: All of its trials.
        dimensions: The settings, one column each.
        curves: (epoch, value) of each trial, by run id.
    """
    shown = _shown(search, trials)
    with st.container(border=True, key="search_board"):
        _board_head(search, len(shown), len(trials))
        clicked = "search_board_open"
        table = trials_table(
            shown,
            [(one.path, one.label) for one in dimensions],
            factor=100 if in_percent(search) else 1,
            curves={run_id: [value for _, value in curve if value is not None] for run_id, curve in curves.items()},
            memory=_memory(shown),
            now=time.time(),
        )
        answer = st.dataframe(
            table,
            key=table_key(TABLE),
            hide_index=True,
            row_height=ROW,
            placeholder=formatting.DASH,
            height=ROW * max(1, min(len(shown), MOST_ROWS)) + HEAD,
            on_select="rerun",
            selection_mode="multi-row",
            column_order=[
                name for name in table.columns if name != "id" and (name not in ("note", "cost") or table[name].any())
            ],
            column_config=_columns(search, clicked, [one.run.id for one in shown], palette())
            | _settings(table, dimensions),
            alt=f"Table of {formatting.count(len(shown), 'trial')}, best first",
        )
        if opened := st.session_state.pop("opened_run", None):
            open_run(opened)
        _ticked([shown[row] for row in answer.selection.rows if row < len(shown)])


def _board_head(search: Search, shown: int, trials: int) -> None:
    total = formatting.count(trials, "trial")
    caption = f"{shown:,} of {total}, as brushed above" if shown < trials else f"{total}, best first"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Leaderboard** :small[:gray[{caption}]]", width="content")
        if brushed("search"):
            st.button("Show all trials", icon=":material/filter_alt_off:", key="search_unbrush", on_click=_unbrush)
        with st.container(horizontal=True, width="content", gap="small"):
            if trials > 1 and st.button("Compare all", icon=":material/compare_arrows:", key="search_compare_all"):
                compare(Basket(searches=(search.id,)))
            tables = ["trials", "metrics", "checkpoints", "events"]
            export_button(tables, key="search", caption="Of all trials of this search.", search=search.id)


def _unbrush() -> None:
    unbrush("search")
    untick(TABLE)


def _ticked(ticked: list[Trial]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if not ticked:
            st.caption("Click a trial to open its run; tick rows to stop or compare them; click a column to sort.")
            return
        if going := [trial for trial in ticked if not trial.run.state.is_over]:
            label = f"Stop {going[0].label.lower()}" if len(going) == 1 else f"Stop {len(going)} trials"
            st.button(
                label, icon=":material/stop_circle:", key="search_stop_trials", on_click=stop_trials, args=(going,)
            )
        basket_buttons([trial.run.id for trial in ticked], page="search")
        st.caption(f"{formatting.count(len(ticked), 'trial')} ticked")


def _shown(search: Search, trials: list[Trial]) -> list[Trial]:
    """Those that the brush leaves, best first."""
    ranked = best_first(trials, lowest=lowest(search))
    if left := set(brushed("search")):
        ranked = [trial for trial in ranked if trial.run.id in left]
    by_id = {trial.run.id: trial for trial in ranked}
    return [by_id[run_id] for run_id in kept_order(TABLE, list(by_id))]


def _memory(trials: Sequence[Trial]) -> dict[str, float | None]:
    """The most that each trial took, in MiB; asked once for those that are over."""
    known: dict[str, tuple[int, float | None]] = st.session_state.setdefault("search_memory", {})
    news = {one.run.id: one.run.offset for one in trials if known.get(one.run.id, (None,))[0] != one.run.offset}
    extents = store().extents.of(news) if news else {}
    for run_id, offset in news.items():
        known[run_id] = (offset, peak_memory(extents.get(run_id, {}))[1])
    return {trial.run.id: known[trial.run.id][1] for trial in trials}


def _columns(search: Search, clicked: str, ids: list[str], colours: Palette) -> dict[str, Any]:
    column = st.column_config
    percent = in_percent(search)
    return {
        "open": column.ButtonColumn(
            "Trial",
            type="tertiary",
            alignment="left",
            key=clicked,
            on_click=remember_click,
            args=(clicked, ids),
            width=80,
            pinned=True,
        ),
        "state": state_column((*RUN_STATES.values(), PRUNED), colours, width=96),
        "best": column.NumberColumn(
            "Best",
            format="%.2f%%" if percent else "%.4g",
            width=76,
            help=f"{formatting.metric(search.metric)} of its best epoch",
        ),
        "cost": column.NumberColumn(COSTS.get(str(search.spec.get("cost")), "Cost"), format="%.4g", width=116),
        "epoch": column.NumberColumn("at epoch", width=66),
        "curve": column.LineChartColumn("Curve", width=90, color=colours.train),
        "duration": column.NumberColumn("Seconds", format="%.1f", width=74),
        "memory": column.NumberColumn("Memory, MiB", format="%.0f", width=100),
        "note": column.TextColumn("Why it ended", width=280),
    }


def _settings(table: pd.DataFrame, dimensions: Sequence[Dimension]) -> dict[str, Any]:
    """Numbers with the digits that matter: 0.003658, 4.9e-06."""
    numbers = [one.label for one in dimensions if pd.api.types.is_float_dtype(table[one.label])]
    return {label: st.column_config.NumberColumn(label, format="%.4g") for label in numbers}
