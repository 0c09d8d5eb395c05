"""The curves of compared runs: which metric, over what, how smooth, which part of it."""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared, Focus
from pages.parts.analysis.elapsed import EPOCH_S, moving
from pages.parts.analysis.quantities import MIB_IN_MB
from pages.parts.figures.compare.curves import compared as drawn_live
from pages.parts.figures.compare.series import Axis, LineSeries, of_group, of_run, window_of
from pages.parts.figures.curve import Pairs
from pages.parts.live import unless_new
from pages.parts.session import palette, store
from storage import Run, Series, Store

AXES: dict[str, Axis] = {"Epochs": "epoch", "Steps": "step", "Time": "minutes"}
FIRST = ("val/accuracy", "val/loss", "train/accuracy", "train/loss")  # before all other metrics
HEIGHT = 400
POINTS = 24_000  # in all lines together
GROUND_POINTS = 12_000  # in all of the faint ones
MEANS = (
    "Lines are means over the runs of a group, stars the best of the mean; bands reach from the lowest to the highest "
    "of them. Left out are runs that have not finished where others have, and else those that have not come half as "
    "far as the furthest."
)
Window = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ChartView:
    """How the curves are looked at."""

    metric: str
    axis: Axis
    smoothing: float
    log: bool
    window: Window | None

    @property
    def factor(self) -> float:
        return 100 if self.metric.endswith("/accuracy") else MIB_IN_MB if self.metric.endswith("_mb") else 1

    @property
    def unit(self) -> str:
        units = {"/accuracy": "%", "_mb": "MB", "images_per_s": "img/s", "epoch_s": "s"}
        return next((unit for ending, unit in units.items() if self.metric.endswith(ending)), "")

    @property
    def lowest(self) -> bool | None:
        """Which end of the metric is best; None where neither is."""
        return True if self.metric.endswith("loss") else False if self.metric.endswith("accuracy") else None


def curves(compared: Compared, focus: Focus) -> None:
    names = {name for one in compared.stats.values() for name in one.metrics}
    if not names:
        st.info("None of them has measured anything yet.", icon=":material/hourglass_empty:")
        return
    view = _tools([name for name in FIRST if name in names] + sorted(names - set(FIRST)))
    drawn = tuple((group.key, focus.colours[group.key]) for group in focus.groups)
    token = (compared.token, compared.by, drawn, view, palette().name)
    key = _key()
    option = unless_new("compare_option_curves", token, lambda: _option(compared, focus, view))
    caption = f"{formatting.metric(view.metric)} of {formatting.count(len(focus.groups), 'line')}"
    st.echarts_chart(option, height=HEIGHT, key=key, on_select=_brush(key, view.axis), alt=caption)
    _caption(compared, focus)


def line_series(store: Store, focus: Focus, view: ChartView) -> list[LineSeries]:
    """A line for each group in focus, at the level of detail that all of them have room for."""
    runs = [run for group in focus.groups for run in group.runs]
    lines = _lines(store, runs, view, limit=max(100, min(1000, POINTS // max(1, len(runs)))))
    found = []
    for group in focus.groups:
        members = [(run, lines[run.id]) for run in group.runs if run.id in lines]
        style = group.name, focus.colours[group.key]
        if len(members) == 1:
            found.append(of_run(*style, *members[0], view.axis, view.factor, focus.dashes[group.key]))
        elif members:
            found.append(of_group(*style, members, view.axis, view.factor, focus.dashes[group.key]))
    return found


def current_view() -> ChartView:
    """As the tools above the curves were left, or as they are at first."""
    axis = AXES[st.session_state.get("compare_axis") or "Epochs"]
    held_axis, window = st.session_state.get("compare_window", (None, None))
    return ChartView(
        metric=st.session_state.get("compare_metric") or FIRST[0],
        axis=axis,
        smoothing=st.session_state.get("compare_smoothing", 0.0),
        log=bool(st.session_state.get("compare_log")),
        window=window if held_axis == axis else None,
    )


def reset_zoom() -> None:
    st.session_state.pop("compare_window", None)
    _new_chart()


def _tools(names: list[str]) -> ChartView:
    if st.session_state.get("compare_metric") not in names:
        st.session_state.pop("compare_metric", None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Metric", names, format_func=formatting.metric, key="compare_metric", width=220, bind="query-params"
        )
        st.segmented_control(
            "Over", list(AXES), default="Epochs", required=True, key="compare_axis", bind="query-params"
        )
        st.slider(
            "Smoothing",
            0.0,
            0.99,
            0.0,
            0.01,
            key="compare_smoothing",
            width=170,
            bind="query-params",
            help="An exponential moving average, as TensorBoard has it; what was measured stays dimmed behind it.",
        )
        st.toggle("Log", key="compare_log", bind="query-params", help="Values by powers of ten")
        view = current_view()
        if view.window is not None:
            st.button("Reset zoom", icon=":material/zoom_out_map:", key="compare_reset_zoom", on_click=reset_zoom)
    return view


def _option(compared: Compared, focus: Focus, view: ChartView) -> dict[str, object]:
    return drawn_live(
        line_series(store(), focus, view),
        axis=view.axis,
        unit=view.unit,
        lowest=view.lowest,
        palette=palette(),
        smoothing=view.smoothing,
        log=view.log,
        window=view.window,
        others=_others(compared, focus, view),
    )


def _others(compared: Compared, focus: Focus, view: ChartView) -> list[Pairs]:
    """Those that are not in focus; of grouped runs none."""
    drawn = {run.id for group in focus.groups for run in group.runs}
    rest = [] if compared.is_grouped else [run for run in compared.runs if run.id not in drawn]
    lines = _lines(store(), rest, view, limit=max(12, min(200, GROUND_POINTS // max(1, len(rest)))))
    return [of_run("", "", run, lines[run.id], view.axis, view.factor).raw for run in rest if run.id in lines]


def _lines(store: Store, runs: list[Run], view: ChartView, *, limit: int) -> dict[str, Series]:
    by_id = {run.id: run for run in runs}
    epochs = store.metrics.lines(by_id, EPOCH_S) if view.axis == "minutes" else {}

    def read(windows: dict[str, tuple[int, int]] | None = None) -> dict[str, Series]:
        found = store.metrics.lines(by_id, view.metric, windows=windows, limit=limit)
        return {run_id: moving(by_id[run_id], line, epochs.get(run_id)) for run_id, line in found.items()}

    lines = read()
    if view.window is None:
        return lines
    return read({run_id: window_of(by_id[run_id], line, view.axis, *view.window) for run_id, line in lines.items()})


def lines_caption(compared: Compared, focus: Focus) -> str:
    """What the lines are, and which of all there might be; "" where each run has its own."""
    which, kind = "ticked" if focus.is_chosen else "best", "group" if compared.is_grouped else "run"
    total = len(compared.groups)
    few = f"The {which} {len(focus.groups)} of {formatting.count(total, kind)}." if len(focus.groups) < total else ""
    return " ".join(filter(None, [few, MEANS if compared.is_grouped else ""]))


def _caption(compared: Compared, focus: Focus) -> None:
    others = "" if compared.is_grouped else "The others are the ground behind them. "
    few = f" {others}Tick rows to choose." if len(focus.groups) < len(compared.groups) else ""
    if caption := lines_caption(compared, focus):
        st.caption(f"{caption}{few}")


def _brush(key: str, axis: Axis) -> Callable[[], None]:
    """The brushed range becomes the window, kept here because no chart keeps it over a refresh."""

    def take() -> None:
        if key != _key():  # a late word of a chart that has been replaced
            return
        areas = st.session_state[key]["selection"]["areas"]
        if areas and areas[0].get("coord_range"):
            first, last = areas[0]["coord_range"][:2]
            if last > first:
                st.session_state["compare_window"] = (axis, (max(0.0, float(first)), float(last)))
                _new_chart()

    return take


def _key() -> str:
    return f"compare_chart_{st.session_state.get('compare_zoom_round', 0)}"


def _new_chart() -> None:
    """On the old one the brushed area would stay painted."""
    st.session_state["compare_zoom_round"] = st.session_state.get("compare_zoom_round", 0) + 1
