"""The live charts of one run: what is read, how it is drawn, and the window that zooming chooses."""

from typing import Any

import streamlit as st

from pages.parts.figures.curves import Line, Star, curves
from pages.parts.session import DARK, LIGHT, colours, store
from storage import Run, Series

Window = tuple[float, float] | None

CHARTS: dict[str, dict[str, Any]] = {  # title -> what it shows; a new chart is one entry
    "Loss": {"lines": (("train/loss", "train"), ("val/loss", "validation")), "smooth": True},
    "Accuracy": {"lines": (("train/accuracy", "train"), ("val/accuracy", "validation")), "percent": True, "star": True},
    "Learning rate": {"lines": (("lr/all", "rate"),)},
    "Throughput": {"lines": (("speed/images_per_s", "images/s"),)},
}


def charts(run: Run) -> None:
    """All charts of a run, sharing one window of steps."""
    window = window_of(run)
    smoothing = {"None": 0.0, "Some": 0.8, "Strong": 0.95}[st.session_state.get("run.smoothing") or "Some"]
    dark = colours() is DARK
    with st.grid(2, min_column_width=340, gap="medium"):
        for title, how in (CHARTS | memory_charts(run)).items():
            with st.container(border=True, key=f"chart-{title.lower().replace(' ', '-')}"):
                st.markdown(f"**{title}**")
                option = chart_option(run.id, run.offset, run.best_epoch, title, repr(how), window, smoothing, dark)
                if option is None:
                    st.caption("Nothing measured yet." if not run.state.is_over else "Nothing was measured.")
                    continue
                key = f"run.chart.{title}"
                st.echarts_chart(option, height=270, key=key, on_select=_zoom(run.id, key), alt=f"{title} over steps")


@st.cache_data(max_entries=300, show_spinner=False)
def chart_option(
    run_id: str, offset: int, best_epoch: int | None, title: str, how: str, window: Window, smoothing: float, dark: bool
) -> dict[str, Any] | None:
    """One chart, made once for everybody who looks at it: the run's `offset` changes when there is news."""
    about = (CHARTS | memory_charts_of(run_id))[title]
    palette = DARK if dark else LIGHT
    first, last = (int(window[0]), int(window[1]) + 1) if window else (None, None)
    shades = (palette.train, palette.validation, palette.faint, palette.text)
    lines = []
    for (name, label), colour in zip(about["lines"], shades, strict=False):
        series = store().metrics.series(run_id, name, first_step=first, last_step=last)
        if series.steps:
            smoothed = smoothing if about.get("smooth") and _is_per_step(series) else 0.0
            lines.append(Line(series, label, colour, smoothed, marks=not _is_per_step(series)))
    if not lines:
        return None
    star = _star(run_id, best_epoch, lines[-1].series) if about.get("star") else None
    return curves(
        lines, palette, percent=about.get("percent", False), star=star, window=window, unit=about.get("unit", "")
    )


def memory_charts(run: Run) -> dict[str, dict[str, Any]]:
    return memory_charts_of(run.id)


def memory_charts_of(run_id: str) -> dict[str, dict[str, Any]]:
    """Per GPU what was allocated, reserved, at the peak and used by all; the process's own where there is no GPU."""
    names = store().metrics.names(run_id)
    gpus = sorted({name.split("/")[0] for name in names if name.startswith("gpu")})
    kinds = (("allocated_mb", "allocated"), ("reserved_mb", "reserved"), ("peak_mb", "peak"), ("used_mb", "whole GPU"))
    charts = {
        f"Memory of {gpu.upper()}": {"lines": tuple((f"{gpu}/{kind}", label) for kind, label in kinds), "unit": "MB"}
        for gpu in gpus
    }
    if "memory/rss_mb" in names or not gpus:
        charts["Process memory (RAM)"] = {"lines": (("memory/rss_mb", "this run's process"),), "unit": "MB"}
    return charts


def window_of(run: Run) -> Window:
    """The steps looked at; None for all."""
    kept = st.session_state.get("run.window")
    if kept and kept[0] == run.id:
        return kept[1]
    span = st.session_state.get("run.span")
    if span == "Last epoch" and run.steps and run.epochs:
        return (max(0, run.step - run.steps / run.epochs), run.step)
    if span == "Last 500":
        return (max(0, run.step - 500), run.step)
    return None


def reset_window() -> None:
    st.session_state.pop("run.window", None)


def _zoom(run_id: str, key: str) -> Any:
    """A callback: the brush's range becomes the window, kept here because no chart keeps it over a refresh."""

    def take() -> None:
        chosen = st.session_state[key]
        areas = chosen.selection.areas if hasattr(chosen.selection, "areas") else chosen["selection"].get("areas", [])
        if areas:
            low, high = areas[0]["coord_range"][:2]
            if high - low >= 2:
                st.session_state["run.window"] = (run_id, (float(max(0, low)), float(high)))

    return take


def _is_per_step(series: Series) -> bool:
    return series.factor > 1 or (len(series.steps) > 1 and series.steps[1] - series.steps[0] <= 2)


def _star(run_id: str, best_epoch: int | None, series: Series) -> Star | None:
    best = store().metrics.best(run_id, series.name) if best_epoch is not None else None
    if best is None or best.value is None or not series.steps[0] <= best.step <= series.steps[-1]:
        return None
    return Star(best.step, best.value, f"best {best.value:.1%}")
