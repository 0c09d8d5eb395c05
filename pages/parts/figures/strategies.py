"""Strategies side by side: images a second, and the most memory that each of their devices took."""

from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure

from pages.parts.figures.palette import Palette
from pages.parts.figures.plain import plain, still


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
    figure = Figure()
    figure.add_bar(
        x=values,
        y=[plain(name) for name in names],
        orientation="h",
        error_x=spread,
        marker_color=palette.train,
        text=[f"{value:,.0f}" for value in values],
        textposition="inside",
        insidetextanchor="start",  # at the other end the whiskers run through it
        textangle=0,
        constraintext="none",
        hovertemplate="%{y}: %{x:,.0f} images/s<extra></extra>",
    )
    return _laid_out(figure, names, palette, top=8)


def memories(names: Sequence[str], measured: Sequence[Mapping[str, Any]], *, palette: Palette) -> Figure:
    """Bars of `memory_mb`, a row for each device or rank."""
    rows = [
        (f"{name} · {device}" if len(one["memory_mb"]) > 1 else name, amount)
        for name, one in zip(names, measured, strict=True)
        for device, amount in sorted(one["memory_mb"].items())
    ]
    figure = Figure()
    figure.add_bar(
        x=[amount for _, amount in rows],
        y=[plain(name) for name, _ in rows],
        orientation="h",
        marker_color=palette.train,
        text=[f"{amount:,.0f}" for _, amount in rows],
        textposition="inside",
        insidetextanchor="start",
        textangle=0,
        constraintext="none",
        hovertemplate="%{y}: %{x:,.0f} MB<extra></extra>",
    )
    return _laid_out(figure, [name for name, _ in rows], palette, top=8)


def _laid_out(figure: Figure, names: Sequence[str], palette: Palette, *, top: int) -> Figure:
    still(figure, palette, height=max(180, 70 + 44 * len(names)), top=top)
    figure.update_layout(bargap=0.3)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(tickformat=",d", nticks=6, rangemode="tozero")
    return figure
