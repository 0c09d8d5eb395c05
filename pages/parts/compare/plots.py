"""Other looks at compared runs than curves: two quantities, all settings, configurations side by side."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared, Focus
from pages.parts.analysis.comparison.differences import every_setting, nothing_apart
from pages.parts.analysis.comparison.settings_table import Column, settings_table
from pages.parts.analysis.comparison.significance import evaluation_images
from pages.parts.analysis.comparison.tables import suitable_unit
from pages.parts.analysis.quantities import Quantity, known, of_settings
from pages.parts.analysis.setting_axes import WIDE, axes
from pages.parts.figures.searches.parallel import drawn, parallel
from pages.parts.figures.searches.trade_off import Dot, Scale, front, trade_off
from pages.parts.session import palette
from pages.parts.widgets.brushed_axes import HOW_TO_BRUSH, Made, brushed_axes
from pages.parts.widgets.row_selection import untick
from storage import Run, RunState

TABLE = "compare_table"
MOST_COLUMNS = 8  # runs whose configurations have room side by side
HEIGHT = 430
OF_KINDS = {  # by the key of a quantity: why its values cannot be compared
    "memory": "memory of a GPU is not that of a process",
    "seconds": "they were trained on different devices",
    "images_per_s": "they were trained on different devices",
}


def trade_offs(compared: Compared, focus: Focus, shown: list[Run]) -> None:
    """Any two quantities of the runs, and those that no other beats in both."""
    stats = [compared.stats[run.id] for run in compared.runs]
    rows = {one.key: one for one in known([*compared.rows.values()], stats)}
    rows |= of_settings(compared.runs, compared.apart)
    if "best" not in rows:
        st.info("Shows once two runs are validated.", icon=":material/hourglass_empty:")
        return
    with st.container(horizontal=True):
        up = _chosen("Upwards", rows, "compare_up", "best")
        across = _chosen(
            "Across", {key: one for key, one in rows.items() if key != up.key}, "compare_across", "seconds"
        )
    dots, scales = dots_of(compared, focus, shown, across, up)
    if not dots:
        st.caption("No run has both.")
        return
    figure = trade_off(dots, *scales, palette=palette(), height=HEIGHT)
    st.plotly_chart(figure, key="compare_trade_off", config={"displayModeBar": False})
    best = [formatting.escaped(one.name) for one in front(dots, *scales)]
    if not best:
        st.caption(no_front(compared, shown, across, up) or "None of them has finished.")
        return
    where = "On the dotted steps (the Pareto front), beaten" if len(best) > 1 else "Beaten"
    st.caption(f"{where} in both by no other finished run: {formatting.some(best, MOST_COLUMNS)}.")


def dots_of(
    compared: Compared, focus: Focus, shown: list[Run], across: Quantity, up: Quantity
) -> tuple[list[Dot], tuple[Scale, Scale]]:
    """A dot for each run that has both, in units that suit them.

    Args:
        compared: What is known of the runs.
        focus: Their colours.
        shown: Those to be drawn.
        across: The quantity of the x axis.
        up: That of the y axis.
    """
    both = _both(compared, shown, across, up)
    x_factor, x_unit = suitable_unit(across, [x for _, x, _ in both])
    y_factor, y_unit = suitable_unit(up, [y for _, _, y in both])
    dots = [
        Dot(
            compared.names[run.id],
            x_factor * x,
            y_factor * y,
            focus.of_runs.get(run.id),
            is_whole=run.state is RunState.FINISHED,
        )
        for run, x, y in both
    ]
    scales = _scale(across, x_unit, [one.x for one in dots]), _scale(up, y_unit, [one.y for one in dots])
    if no_front(compared, shown, across, up):
        scales = replace(scales[0], lowest=None), replace(scales[1], lowest=None)
    return dots, scales


def no_front(compared: Compared, shown: Sequence[Run], across: Quantity, up: Quantity) -> str:
    """Why none of the finished runs can beat another in both quantities; "" where one can.

    Args:
        compared: What is known of the runs.
        shown: Those that are drawn.
        across: The quantity of the x axis.
        up: That of the y axis.
    """
    aimless = [formatting.escaped(one.label) for one in (across, up) if one.lowest is None]
    if aimless:
        return f"No front: neither end of {aimless[0]} is better."
    runs = [run for run, _, _ in _both(compared, shown, across, up) if run.state is RunState.FINISHED]
    if evaluation_images(runs, compared.sources) == "other":
        return "No front: they were judged by different images."
    for one in (across, up):
        if not one.is_alike([compared.stats[run.id] for run in runs]):
            return f"No front: {OF_KINDS[one.key]}."
    return ""


def _both(compared: Compared, runs: Sequence[Run], across: Quantity, up: Quantity) -> list[tuple[Run, float, float]]:
    """Runs of which both are known, with them."""
    found = []
    for run in runs:
        x, y = (one.value(compared.stats[run.id]) for one in (across, up))
        if x is not None and y is not None:
            found.append((run, x, y))
    return found


def what_made_a_difference(compared: Compared, focus: Focus) -> None:
    """Every run as a line across the settings that differ; a brush filters the table below."""
    if not parallel_of(compared, focus)[1]:
        st.info("Shows once two runs with different settings are validated.", icon=":material/hourglass_empty:")
        return
    st.caption("Settings that differ, what they cost, and what came of it.", help=HOW_TO_BRUSH)
    brushed_axes(
        "compare",
        "runs",
        (compared.token, tuple(focus.of_runs.items())),
        lambda: parallel_of(compared, focus),
        afterwards=lambda: untick(TABLE),
        alt=f"{formatting.count(len(compared.runs), 'run')} as lines across their settings",
    )


def parallel_of(compared: Compared, focus: Focus) -> Made:
    """Few runs wear their colours; of many the value is the colour."""
    dimensions, trials = axes(compared, compared.runs)
    shown = drawn(trials)
    if len(shown) < 2 or not dimensions:
        return {}, ()
    few = len(compared.runs) <= len(focus.of_runs)
    option = parallel(
        trials,
        dimensions,
        metric=formatting.metric(compared.metric).removeprefix("Validation ").capitalize(),  # room is short
        percent=compared.metric.endswith("/accuracy"),
        lowest=bool(compared.rows["best"].lowest),
        palette=palette(),
        colours=[focus.of_runs.get(trial.run.id) for trial in trials] if few else None,
    )
    return option, tuple(trial.run.id for trial in shown)


def configuration(compared: Compared, focus: Focus, shown: list[Run]) -> None:
    """Side by side; only what differs unless all is asked for."""
    drawn = {run.id for group in focus.groups for run in group.runs}
    runs = [run for run in compared.best_first(shown) if run.id in drawn]
    with st.container(horizontal=True, vertical_alignment="center"):
        every = st.toggle("All settings", key="compare_all_settings", persist_state="page", bind="query-params")
        caption = (
            f"The best {MOST_COLUMNS} of {len(shown):,}; tick rows below to choose. "
            if len(runs) > MOST_COLUMNS
            else ""
        )
        st.caption(f"{caption}Bold is what is not as in the first.")
    settings = every_setting(compared.runs) if every else compared.apart
    if not settings:
        st.caption(nothing_apart(compared.runs))
        return
    st.html(settings_table(settings, columns_of(compared, focus, runs[:MOST_COLUMNS]), palette()))


def columns_of(compared: Compared, focus: Focus, runs: list[Run]) -> list[Column]:
    places = {run.id: place for place, run in enumerate(compared.runs)}
    return [Column(compared.names[run.id], focus.of_runs.get(run.id), places[run.id]) for run in runs]


def _chosen(label: str, rows: dict[str, Quantity], key: str, first: str) -> Quantity:
    if st.session_state.get(key) not in rows:
        st.session_state.pop(key, None)
    keys = list(rows)
    chosen = st.selectbox(
        label,
        keys,
        index=keys.index(first) if first in rows else 0,
        format_func=lambda name: rows[name].label,
        key=key,
        width=240,
        bind="query-params",
    )
    return rows[chosen]


def _scale(quantity: Quantity, unit: str, values: Sequence[float]) -> Scale:
    wide = bool(values) and min(values) > 0 and max(values) / min(values) >= WIDE
    return Scale(quantity.label, unit, quantity.lowest, log=wide)
