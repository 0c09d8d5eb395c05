"""All trials of a search: as lines across their settings, whose brush filters the table below, best first."""

import time
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pages.parts import words
from pages.parts.exports import export_button
from pages.parts.figures.palette import Palette
from pages.parts.figures.parallel import drawn, parallel
from pages.parts.live import unless_new
from pages.parts.run_list import HEAD, ROW
from pages.parts.search_actions import stop_trials
from pages.parts.session import COMPARE_PAGE, open_run, palette, store
from pages.parts.tables import trials_table
from pages.parts.trials import PRUNED, Dimension, Trial, best_first
from storage import Search, Series

MOST_AXES = 10
TALLEST = 14  # rows
HOW_TO_BRUSH = (
    "Drag along an axis to keep the trials that pass there; several axes count together. A click beside the dragged "
    "part lets go of it."
)


def axes(search: Search, trials: list[Trial], dimensions: Sequence[Dimension], token: object) -> None:
    """Parallel coordinates. While an axis is brushed the figure stands still, so that the brush stays."""
    if not drawn(trials) or not dimensions:
        return
    round_ = st.session_state.get("search_axes_round", 0)
    key = f"search_axes_{search.id}_{round_}"
    is_brushed = bool(st.session_state.get("search_brushed"))

    def make() -> tuple[dict[str, Any], tuple[str, ...]]:
        option = parallel(
            trials,
            dimensions[:MOST_AXES],
            metric=words.metric(search.metric),
            percent=_percent(search),
            lowest=search.mode == "min",
            palette=palette(),
        )
        return option, tuple(trial.run.id for trial in drawn(trials))

    held = st.session_state.get("search_axes_option")
    stay = is_brushed and held is not None and held[0][0] == key
    option, ids = held[1] if stay else unless_new("search_axes_option", (key, token, palette().name), make)
    with st.container(border=True, key="search_axes"):
        st.markdown("**What made a difference**", help=HOW_TO_BRUSH)
        st.echarts_chart(
            option,
            height=340,
            key=key,
            on_select=_brushed(key, ids),
            alt=f"{words.count(len(ids), 'trial')} as lines across their settings",
        )
        if len(dimensions) > MOST_AXES:
            st.caption(f"The first {MOST_AXES} of {len(dimensions)} settings.")


def board(search: Search, trials: list[Trial], dimensions: Sequence[Dimension], curves: dict[str, Any]) -> None:
    """The table of trials that the brush leaves, best first; ticked ones can be stopped or compared."""
    shown = _shown(search, trials)
    with st.container(border=True, key="search_board"):
        _board_head(search, len(shown), len(trials))
        clicked = "search_board_open"
        table = trials_table(
            shown,
            [(one.path, one.label) for one in dimensions],
            factor=100 if _percent(search) else 1,
            curves={run_id: [value for _, value in curve if value is not None] for run_id, curve in curves.items()},
            memory=_memory(shown),
            now=time.time(),
        )
        answer = st.dataframe(
            table,
            key=_table_key(),
            hide_index=True,
            row_height=ROW,
            placeholder=words.DASH,
            height=ROW * max(1, min(len(shown), TALLEST)) + HEAD,
            on_select="rerun",
            selection_mode="multi-row",
            column_order=[name for name in table.columns if name != "id" and (name != "note" or table["note"].any())],
            column_config=_columns(search, clicked, [one.run.id for one in shown], palette())
            | _settings(table, dimensions),
            alt=f"Table of {words.count(len(shown), 'trial')}, best first",
        )
        if opened := st.session_state.pop("opened_run", None):
            open_run(opened)
        _ticked([shown[row] for row in answer.selection.rows if row < len(shown)])


def _board_head(search: Search, shown: int, trials: int) -> None:
    total = words.count(trials, "trial")
    told = f"{shown:,} of {total}, as brushed above" if shown < trials else f"{total}, best first"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Leaderboard** :small[:gray[{told}]]", width="content")
        if st.session_state.get("search_brushed"):
            st.button("Show all trials", icon=":material/filter_alt_off:", key="search_unbrush", on_click=unbrush)
        whats = ["trials", "metrics", "checkpoints", "events"]
        export_button(whats, key="search", told="Of all trials of this search.", search=search.id)


def unbrush() -> None:
    """A new chart: on the old one the brushed areas would stay painted."""
    st.session_state.pop("search_brushed", None)
    st.session_state["search_axes_round"] = st.session_state.get("search_axes_round", 0) + 1
    _untick()


def _brushed(key: str, ids: tuple[str, ...]) -> Any:
    def take() -> None:
        picked = st.session_state[key].selection.selected
        st.session_state["search_brushed"] = [
            ids[row] for group in picked for row in group["data_indices"] if row < len(ids)
        ]
        _untick()

    return take


def _ticked(ticked: list[Trial]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if not ticked:
            st.caption("Click a trial to open its run; tick rows to stop or compare them; click a column to sort.")
            return
        if going := [trial for trial in ticked if not trial.run.state.is_over]:
            told = f"Stop {going[0].label.lower()}" if len(going) == 1 else f"Stop {len(going)} trials"
            st.button(
                told, icon=":material/stop_circle:", key="search_stop_trials", on_click=stop_trials, args=(going,)
            )
        if len(ticked) > 1 and st.button("Compare", icon=":material/compare_arrows:", key="search_compare"):
            st.switch_page(COMPARE_PAGE, query_params={"runs": ",".join(trial.run.id for trial in ticked)})
        st.caption(f"{words.count(len(ticked), 'trial')} ticked")


def _shown(search: Search, trials: list[Trial]) -> list[Trial]:
    """Best first; while rows are ticked in the order they had then, so that no tick slips to another trial."""
    ranked = best_first(trials, lowest=search.mode == "min")
    if brushed := set(st.session_state.get("search_brushed") or ()):
        ranked = [trial for trial in ranked if trial.run.id in brushed]
    ticked = st.session_state.get(_table_key(), {}).get("selection", {}).get("rows", [])
    held = st.session_state.get("search_board_ids", ())
    if ticked and held:
        by_id = {trial.run.id: trial for trial in ranked}
        kept = [by_id.pop(run_id) for run_id in held if run_id in by_id]
        if len(kept) == len(held):
            ranked = [*kept, *by_id.values()]
        else:  # one is gone: positions no longer mean the same trials
            _untick()
    st.session_state["search_board_ids"] = tuple(trial.run.id for trial in ranked)
    return ranked


def _memory(trials: Sequence[Trial]) -> dict[str, float | None]:
    """The most that each trial took, in MiB; asked once for those that are over."""
    known: dict[str, tuple[int, float | None]] = st.session_state.setdefault("search_memory", {})
    for trial in trials:
        run = trial.run
        if known.get(run.id, (None,))[0] != run.offset:
            known[run.id] = (run.offset, _most_memory(run.id))
    return {trial.run.id: known[trial.run.id][1] for trial in trials}


def _most_memory(run_id: str) -> float | None:
    last = store().metrics.last(run_id)
    name = next((one for one in sorted(last) if one.endswith("/peak_mb")), None)
    name = name or ("memory/rss_mb" if "memory/rss_mb" in last else None)
    if name is None:
        return None
    measured: Series = store().metrics.series(run_id, name, limit=200)
    return max((value for value in measured.highs if value is not None), default=None)


def _columns(search: Search, clicked: str, ids: list[str], colours: Palette) -> dict[str, Any]:
    column = st.column_config
    percent = _percent(search)
    return {
        "open": column.ButtonColumn(
            "Trial",
            type="tertiary",
            alignment="left",
            key=clicked,
            on_click=_open,
            args=(clicked, ids),
            width=96,
            pinned=True,
        ),
        "state": column.MultiselectColumn(
            "State", options=list(_tints(colours)), color=list(_tints(colours).values()), width=96
        ),
        "best": column.NumberColumn(
            "Best",
            format="%.2f%%" if percent else "%.4g",
            width=76,
            help=f"{words.metric(search.metric)} of its best epoch",
        ),
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


def _tints(colours: Palette) -> dict[str, str]:
    base = {
        "Finished": colours.good,
        PRUNED: colours.waiting,
        "Failed": colours.bad,
        "Running": colours.busy,
        "Starting": colours.busy,
        "Stopping": colours.validation,
        "Interrupted": colours.validation,
    }
    return {word: base.get(word, colours.waiting) + "33" for word in (*words.STATE_WORDS.values(), PRUNED)}


def _open(clicked: str, ids: list[str]) -> None:
    click = st.session_state[clicked]
    if click is not None and click["row"] < len(ids):
        st.session_state["opened_run"] = ids[click["row"]]


def _percent(search: Search) -> bool:
    return search.metric.endswith("/accuracy")


def _table_key() -> str:
    return f"search_board_{st.session_state.get('search_board_round', 0)}"


def _untick() -> None:
    st.session_state["search_board_round"] = st.session_state.get("search_board_round", 0) + 1
