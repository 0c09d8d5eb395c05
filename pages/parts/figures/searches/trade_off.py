"""Runs as dots over any two quantities, and the front: where more of one can only be had for less of the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Any

from plotly.graph_objects import Figure

from pages.parts.figures.plain import plain, still
from pages.parts.formatting import number
from pages.parts.palette import Palette

UNFINISHED = "not finished"


@dataclass(frozen=True, slots=True)
class Dot:
    """A run; `x` and `y` in the units of their axes. Without a colour of its own it is one of many."""

    name: str
    x: float
    y: float
    colour: str | None = None
    is_whole: bool = True  # False: ended early or not over, it might come to more at a higher cost


@dataclass(frozen=True, slots=True)
class Scale:
    title: str
    unit: str = ""
    lowest: bool | None = False  # less of it is better; None: neither end is, or one cannot tell
    log: bool = False


def front(dots: Sequence[Dot], across: Scale, up: Scale) -> list[Dot]:
    """Those whole ones that no other beats in one quantity without losing in the other, from left to right.

    Equal ones are all on it; there is none where neither end of a quantity is better.
    """
    if across.lowest is None or up.lowest is None:
        return []
    signs = (1 if across.lowest else -1, 1 if up.lowest else -1)  # the smallest is the best then
    found: list[Dot] = []
    whole = [one for one in dots if one.is_whole]
    for dot in sorted(whole, key=lambda one: (signs[0] * one.x, signs[1] * one.y)):
        last = found[-1] if found else None
        if last is None or signs[1] * dot.y < signs[1] * last.y or (dot.x, dot.y) == (last.x, last.y):
            found.append(dot)
    return sorted(found, key=lambda one: one.x)


def trade_off(dots: Sequence[Dot], across: Scale, up: Scale, *, palette: Palette, height: int = 330) -> Figure:
    """Dots of the front are larger and joined by steps: between two of them the lesser one is what can be had.

    Args:
        dots: The runs.
        across: The x axis.
        up: The y axis.
        palette: The theme's colours.
        height: Pixels.
    """
    best = front(dots, across, up)
    figure = Figure()
    figure.add_scatter(
        x=[one.x for one in best],
        y=[one.y for one in best],
        mode="lines",
        line={"shape": "hv" if across.lowest else "vh", "color": palette.muted, "width": 2, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
        name="front",
    )
    groups = {  # the best lie on top
        UNFINISHED: [one for one in dots if not one.is_whole],
        "beaten" if best else "finished": [one for one in dots if one not in best and one.is_whole],
        "best for its cost": best,
    }
    coloured = any(one.colour for one in dots)
    for name, some in groups.items():
        units = (across.unit, up.unit)
        plain_colour = palette.train if name == "best for its cost" and not coloured else palette.muted
        markers = _markers(name, some, units, plain_colour, palette)
        figure.add_scatter(**markers, showlegend=not coloured and bool(some))
    still(figure, palette, height=height, top=8 if coloured else 30)
    _over(figure.update_xaxes, across, [one.x for one in dots])
    _over(figure.update_yaxes, up, [one.y for one in dots])
    return figure


def _markers(name: str, some: Sequence[Dot], units: tuple[str, str], colour: str, palette: Palette) -> dict[str, Any]:
    is_best = name == "best for its cost"
    return {
        "x": [one.x for one in some],
        "y": [one.y for one in some],
        "mode": "markers",
        "text": [plain(one.name) for one in some],
        "cliponaxis": False,
        "name": name,
        "hovertemplate": f"%{{text}}: %{{x:.4g}} {units[0]}, %{{y:.4g}} {units[1]}<extra></extra>",
        "marker": {
            "size": 12 if is_best else 8,
            "symbol": "circle-open" if name == UNFINISHED else "circle",
            "color": [one.colour or colour for one in some],
            "opacity": [1 if one.colour or is_best else 0.55 for one in some],
            "line": {"width": 1, "color": palette.background},
        },
    }


def _over(update: Any, scale: Scale, values: Sequence[float]) -> None:
    unit = f", {scale.unit}" if scale.unit not in ("", "%") else ""
    update(
        title_text=plain(scale.title) + unit, ticksuffix=" %" if scale.unit == "%" else "", nticks=7, title_standoff=10
    )
    if scale.log and values:
        marks = _marks(min(values), max(values))
        update(type="log", tickmode="array", tickvals=marks, ticktext=list(map(number, marks)))


def _marks(low: float, high: float) -> list[float]:
    """Places on a logarithmic axis: 1, 2 and 5 of every power of ten, or the powers alone where those are many."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in ((1, 2, 5) if len(powers) < 4 else (1,))]
