"""One quantity against another that should stay small, and the front: where more of one costs more of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from plotly.graph_objects import Figure

from pages.parts.figures.palette import Palette
from pages.parts.figures.plain import plain, still


@dataclass(frozen=True, slots=True)
class Point:
    label: str
    cost: float  # the less, the better
    value: float
    is_whole: bool = True  # False: ended early, it might have come to more


def front(points: Sequence[Point], *, lowest: bool) -> list[Point]:
    """The points that no other beats in one quantity without losing in the other, cheapest first.

    Args:
        lowest: The smallest value is the best one.
    """
    found: list[Point] = []
    for point in sorted(points, key=lambda one: (one.cost, one.value if lowest else -one.value)):
        if not found or (point.value < found[-1].value if lowest else point.value > found[-1].value):
            found.append(point)
    return found


def trade_off(
    points: Sequence[Point], *, cost: str, metric: str, percent: bool, lowest: bool, palette: Palette
) -> Figure:
    """Points of the front are dark and joined by steps: between two of them the cheaper one is what can be had."""
    factor = 100 if percent else 1
    best = front(points, lowest=lowest)
    figure = Figure()
    figure.add_scatter(
        x=[one.cost for one in best],
        y=[factor * one.value for one in best],
        mode="lines",
        line={"shape": "hv", "color": palette.train, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
    )
    groups = {
        "best for its cost": [one for one in points if one in best],
        "beaten": [one for one in points if one not in best and one.is_whole],
        "pruned": [one for one in points if one not in best and not one.is_whole],
    }
    for name, some in groups.items():
        figure.add_scatter(
            x=[one.cost for one in some],
            y=[factor * one.value for one in some],
            mode="markers",
            name=name,
            marker={
                "size": 11 if name == "best for its cost" else 8,
                "symbol": "circle-open" if name == "pruned" else "circle",
                "color": palette.train if name == "best for its cost" else palette.muted,
            },
            customdata=[plain(one.label) for one in some],
            hovertemplate="%{customdata}: %{x:.4g}, %{y:.4g}" + (" %" if percent else "") + "<extra></extra>",
            showlegend=bool(some),
        )
    still(figure, palette, height=330, top=30)
    figure.update_xaxes(title_text=plain(cost), rangemode="tozero")
    figure.update_yaxes(title_text=plain(metric), ticksuffix=" %" if percent else "", nticks=6)
    return figure
