"""The value of every trial over one setting: where along it the good ones lie."""

from collections.abc import Sequence

from plotly.graph_objects import Figure

from pages.parts.analysis.trials import Dimension, Trial
from pages.parts.figures.plain import plain, still
from pages.parts.palette import Palette


def slices(trials: Sequence[Trial], dimension: Dimension, *, metric: str, percent: bool, palette: Palette) -> Figure:
    """Later trials are darker; pruned ones are hollow, for they might have come to more.

    Args:
        trials: Those without a value, or without the setting, are left out.
        dimension: The setting, as the axis across.
        metric: The title of the other axis.
        percent: Whether values are shares, to be shown in per cent.
        palette: The theme's colours.
    """
    known = [(dimension.place(one.assignment), one.value, one) for one in trials]
    points = [(place, value, one) for place, value, one in known if place is not None and value is not None]
    pruned, whole = ([point for point in points if point[2].is_pruned is it_is] for it_is in (True, False))
    latest = max((one.number for _, _, one in points), default=1)
    darkness = [0.3 + 0.7 * one.number / latest for _, _, one in whole]
    factor, unit = (100, " %") if percent else (1, "")
    figure = Figure()
    for name, some, marker in (
        ("pruned", pruned, {"symbol": "circle-open", "color": palette.muted, "opacity": 0.6}),
        ("trials", whole, {"symbol": "circle", "color": palette.train, "opacity": darkness}),
    ):
        figure.add_scatter(
            x=[plain(place) if isinstance(place, str) else place for place, _, _ in some],
            y=[factor * value for _, value, _ in some],
            mode="markers",
            name=name,
            marker={"size": 9, **marker},
            customdata=[one.label for _, _, one in some],
            hovertemplate=f"%{{customdata}}: %{{x}}, %{{y:.4g}}{unit}<extra></extra>",
        )
    still(figure, palette, height=330, top=30 if pruned else 8)
    figure.update_xaxes(**axis_over(dimension))
    figure.update_yaxes(title_text=plain(metric), ticksuffix=unit, nticks=6)
    return figure


def axis_over(dimension: Dimension) -> dict[str, object]:
    """An axis over the setting, as a figure's `update_xaxes` and `update_yaxes` take it."""
    axis: dict[str, object] = {"title_text": plain(dimension.label)}
    if dimension.scale == "log":
        return axis | {"type": "log", "dtick": 1, "exponentformat": "power"}
    if dimension.scale == "category":
        names = [plain(choice) for choice in dimension.choices]
        return axis | {"type": "category", "categoryorder": "array", "categoryarray": names}
    return axis
