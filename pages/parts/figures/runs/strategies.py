"""Strategies side by side: images a second, and the most memory that each of their devices took."""

from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure

from pages.parts.figures.plain import plain, still
from pages.parts.palette import Palette


def paces(names: Sequence[str], measured: Sequence[Mapping[str, Any]], *, palette: Palette) -> Figure:
    """Bars of `images_per_s`, from `slowest` to `fastest` as whiskers; the first name on top."""
    values = [one["images_per_s"] for one in measured]
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [one["fastest"] - one["images_per_s"] for one in measured],
        "arrayminus": [one["images_per_s"] - one["slowest"] for one in measured],
        "color": palette.muted,
    }
    return _bars(names, values, "images/s", palette, error_x=spread)


def memories(names: Sequence[str], measured: Sequence[Mapping[str, Any]], *, palette: Palette) -> Figure:
    """Bars of `memory_mb`, a row for each device or rank."""
    rows = [
        (f"{name} · {device}" if len(one["memory_mb"]) > 1 else name, amount)
        for name, one in zip(names, measured, strict=True)
        for device, amount in sorted(one["memory_mb"].items())
    ]
    return _bars([name for name, _ in rows], [amount for _, amount in rows], "MB", palette)


def _bars(names: Sequence[str], values: Sequence[float], unit: str, palette: Palette, **more: Any) -> Figure:
    figure = Figure()
    figure.add_bar(
        x=values,
        y=[plain(name) for name in names],
        orientation="h",
        marker_color=palette.train,
        text=[f"{value:,.0f}" for value in values],
        textposition="inside",
        insidetextanchor="start",  # at the other end whiskers run through it
        textangle=0,
        constraintext="none",
        hovertemplate=f"%{{y}}: %{{x:,.0f}} {unit}<extra></extra>",
        **more,
    )
    still(figure, palette, height=max(180, 70 + 44 * len(names)), top=8)
    figure.update_layout(bargap=0.3)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(tickformat=",d", nticks=6, rangemode="tozero")
    return figure
