"""The value of every trial over one setting: where along it the good ones lie."""

from collections.abc import Sequence

from plotly.graph_objects import Figure

from pages.parts.analysis.trials import Dimension, Trial
from pages.parts.figures.plain import plain, still
from pages.parts.palette import Palette


def slices(trials: Sequence[Trial], dimension: Dimension, *, metric: str, percent: bool, palette: Palette) -> Figure:
    """Later trials are darker; pruned ones are hollow, for they might have come to more."""
    shown = [one for one in trials if one.value is not None and dimension.place(one.assignment) is not None]
    last = max((one.number for one in shown), default=1)
    figure = Figure()
    for is_pruned in (True, False):
        some = [one for one in shown if one.is_pruned == is_pruned]
        figure.add_scatter(
            x=[_on(dimension, one) for one in some],
            y=[(100 if percent else 1) * (one.value or 0) for one in some],
            mode="markers",
            name="pruned" if is_pruned else "trials",
            marker={
                "size": 9,
                "symbol": "circle-open" if is_pruned else "circle",
                "color": palette.muted if is_pruned else palette.train,
                "opacity": 0.6 if is_pruned else [0.3 + 0.7 * one.number / last for one in some],
            },
            customdata=[one.label for one in some],
            hovertemplate="%{customdata}: %{x}, %{y:.4g}" + (" %" if percent else "") + "<extra></extra>",
        )
    still(figure, palette, height=330, top=30 if any(one.is_pruned for one in shown) else 8)
    over(figure.update_xaxes, dimension)
    figure.update_yaxes(title_text=plain(metric), ticksuffix=" %" if percent else "", nticks=6)
    return figure


def over(update: object, dimension: Dimension) -> None:
    """Lay an axis (a figure's `update_xaxes` or `update_yaxes`) over the setting."""
    told: dict[str, object] = {"title_text": plain(dimension.label)}
    if dimension.scale == "log":
        told |= {"type": "log", "dtick": 1, "exponentformat": "power"}
    elif dimension.scale == "category":
        told |= {"type": "category", "categoryorder": "array", "categoryarray": list(map(plain, dimension.choices))}
    update(**told)  # type: ignore[operator]


def _on(dimension: Dimension, trial: Trial) -> float | str:
    place = dimension.place(trial.assignment)
    return plain(place) if isinstance(place, str) else place  # type: ignore[return-value]
