"""The value over two settings at once: a surface drawn through the trials, and the trials on it."""

from collections.abc import Sequence

import numpy as np
from plotly.graph_objects import Figure

from pages.parts.analysis.trials import Dimension, Trial
from pages.parts.figures.plain import still
from pages.parts.figures.searches.slices import axis_over
from pages.parts.palette import Palette

CELLS = 28  # along a numeric axis
NEAR = 0.08  # of an axis: how far a trial speaks for its surroundings


def contour(
    trials: Sequence[Trial],
    across: Dimension,
    up: Dimension,
    *,
    percent: bool,
    lowest: bool,
    palette: Palette,
) -> Figure:
    """Each point of the surface is a mean of the trials, nearer ones counting for more.

    Args:
        trials: Those without a value are left out.
        across: The setting of the x axis.
        up: That of the y axis.
        percent: Whether values are shares, to be shown in per cent.
        lowest: Whether the smallest value is the best one.
        palette: The theme's colours.
    """
    shown = [one for one in trials if one.value is not None and _both(across, up, one)]
    figure = Figure()
    xs, ys = [across.place(one.assignment) for one in shown], [up.place(one.assignment) for one in shown]
    values = [(100 if percent else 1) * (one.value or 0) for one in shown]
    unit = " %" if percent else ""
    colours = [palette.train, palette.line] if lowest else [palette.line, palette.train]
    if len(shown) > 2:
        columns, rows = _cells(across, xs), _cells(up, ys)
        figure.add_contour(
            x=columns,
            y=rows,
            z=surface(_shares(across, xs), _shares(up, ys), values, _shares(across, columns), _shares(up, rows)),
            colorscale=list(enumerate(colours)),
            contours={"showlines": False},
            colorbar={"thickness": 10, "ticksuffix": unit, "outlinewidth": 0, "nticks": 5},
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=xs,
        y=ys,
        mode="markers",
        marker=_dot(palette),
        customdata=[[one.label, value] for one, value in zip(shown, values, strict=True)],
        hovertemplate="%{customdata[0]}: %{customdata[1]:.4g}" + unit + "<extra></extra>",
        showlegend=False,
    )
    still(figure, palette, height=380)
    figure.update_xaxes(**axis_over(across))
    figure.update_yaxes(**axis_over(up))
    return figure


def _dot(palette: Palette) -> dict[str, object]:
    return {"size": 7, "color": palette.validation, "line": {"width": 1, "color": palette.background}}


def surface(
    xs: Sequence[float], ys: Sequence[float], values: Sequence[float], columns: Sequence[float], rows: Sequence[float]
) -> np.ndarray:
    """Means at every place, (rows, columns) float64, weighted by a bell around each trial (Nadaraya-Watson regression).

    Args:
        xs: Where each trial stands across, as a share of the axis.
        ys: Where it stands upwards.
        values: What each came to.
        columns: Places across to reckon means at.
        rows: Places upwards.
    """
    across = (np.asarray(columns)[None, :, None] - np.asarray(xs)[None, None, :]) ** 2
    upward = (np.asarray(rows)[:, None, None] - np.asarray(ys)[None, None, :]) ** 2
    squares = across + upward
    nearest = squares.min(axis=2, keepdims=True)  # far from every trial the nearest ones still count
    weights = np.exp(-(squares - nearest) / (2 * NEAR**2))
    return (weights * np.asarray(values)).sum(axis=2) / weights.sum(axis=2)


def _both(across: Dimension, up: Dimension, trial: Trial) -> bool:
    return across.place(trial.assignment) is not None and up.place(trial.assignment) is not None


def _cells(one: Dimension, places: Sequence[float | str | None]) -> list[float] | list[str]:
    if one.scale == "category":
        return list(one.choices)
    numbers = [float(place) for place in places if not isinstance(place, str) and place is not None]
    made = np.geomspace if one.scale == "log" else np.linspace
    return [float(value) for value in made(min(numbers), max(numbers), CELLS)]


def _shares(one: Dimension, places: Sequence[float | str | None]) -> list[float]:
    """Places as shares of their axis, 0 to 1; a category's neighbours are as far as the whole axis has room for."""
    if one.scale == "category":
        return [one.choices.index(str(place)) / max(1, len(one.choices) - 1) for place in places]
    numbers = [float(place) for place in places if place is not None]
    if one.scale == "log":
        numbers = [float(np.log(number)) for number in numbers]
    low, high = min(numbers), max(numbers)
    return [(number - low) / ((high - low) or 1) for number in numbers]
