"""Strategies side by side: images a second, and the most memory that each of their devices took."""

from collections.abc import Mapping, Sequence
from typing import Any

from plotly.graph_objects import Figure

from pages.parts.figures.palette import Palette
from pages.parts.figures.plain import plain, still

MEMORY_NAMES = {"memory": "process"}


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
        hovertemplate="%{y}: %{x:,.0f} images/s<extra></extra>",
    )
    return _laid_out(figure, names, palette, top=8)


def memories(names: Sequence[str], measured: Sequence[Mapping[str, Any]], *, palette: Palette) -> Figure:
    """Bars of `memory_mb`, one a device or rank, side by side in each row."""
    figure = Figure()
    colours = [palette.train, palette.validation, *palette.others]
    devices = sorted({device for one in measured for device in one["memory_mb"]})
    for place, device in enumerate(devices):
        figure.add_bar(
            x=[one["memory_mb"].get(device) for one in measured],
            y=[plain(name) for name in names],
            orientation="h",
            name=MEMORY_NAMES.get(device, device),
            marker_color=colours[place % len(colours)],
            hovertemplate="%{y}: %{x:,.0f} MB<extra>" + MEMORY_NAMES.get(device, device) + "</extra>",
        )
    figure.update_layout(barmode="group")
    return _laid_out(figure, names, palette, top=30)


def _laid_out(figure: Figure, names: Sequence[str], palette: Palette, *, top: int) -> Figure:
    still(figure, palette, height=max(180, 70 + 44 * len(names)), top=top)
    figure.update_layout(bargap=0.3)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(tickformat=",d", nticks=6, rangemode="tozero")
    return figure
