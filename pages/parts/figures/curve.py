"""What all live curves share: an ECharts option over training steps, its lines, bands and marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series

Pairs = list[list[float | None]]

STAR = "path://M12 1.8l3.1 6.6 7.1.9-5.2 5 1.3 7.1L12 18l-6.3 3.4L7 14.3 1.8 9.3l7.1-.9z"


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line across a chart: an attempt that began, a checkpoint that is kept."""

    step: int
    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Steps in view; None is the open end."""

    first: int | None = None
    last: int | None = None

    def holds(self, step: int) -> bool:
        return (self.first or 0) <= step and (self.last is None or step <= self.last)


EVERYTHING = Window()


def curve(
    series: Sequence[Option],
    *,
    palette: Palette,
    window: Window,
    marks: Sequence[Mark] = (),
    unit: str = "",
    legend: Sequence[str] = (),
    from_zero: bool = False,
) -> Option:
    """The whole option.

    A drag with the toolbox's brush selects steps; the page turns it into the next `window`.

    Args:
        series: ECharts series.
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
        unit: Of the values, after a space where there is to be one.
        legend: Names that are listed above the plot.
        from_zero: Whether the axis of values begins there.
    """
    shown = [mark for mark in marks if window.holds(mark.step)]
    marked = [dict(one) for one in series]
    first, ends = window.first or 0, [one["data"][-1][0] for one in series if one["data"]]
    last = first + 1 if window.last is None and ends and max(ends) <= first else window.last  # an axis has a width
    if marked and shown:
        marked[0]["markLine"] = _mark_line(shown, palette)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 46, "bottom": 2, "containLabel": True},
        "legend": frame.legend(legend, palette),
        "tooltip": frame.tooltip(palette),
        "toolbox": frame.toolbox(palette),
        "brush": frame.brush(palette),
        "xAxis": frame.steps(palette, window.first, last),
        "yAxis": frame.values(palette, unit=unit, from_zero=from_zero),
        "series": marked,
    }


def line(
    name: str,
    pairs: Pairs,
    colour: str,
    *,
    dots: bool = False,
    faint: bool = False,
    filled: bool = False,
    tooltip: str = "%.4g",
) -> Option:
    """One line.

    Args:
        name: In legend and tooltip.
        pairs: [[step, value], ...]; None is a gap.
        colour: Of line and dots.
        dots: For a few points, one an epoch.
        faint: For the raw line under a smoothed one.
        filled: Whether the ground below it is tinted.
        tooltip: Format of a value.
    """
    return {
        "type": "line",
        "name": name,
        "data": pairs,
        "showSymbol": dots or sum(y is not None for _, y in pairs) == 1,  # a line of one point would not be seen
        "symbol": "circle",
        "symbolSize": 6,
        "connectNulls": False,
        "lineStyle": {"color": colour, "width": 1 if faint else 2, "opacity": 0.3 if faint else 1},
        "itemStyle": {"color": colour, "opacity": 0.35 if faint else 1},
        "emphasis": {"disabled": True},
        "tooltip": {"show": not faint, "valueFormatter": tooltip},
        "z": 1 if faint else 3,
    } | ({"areaStyle": {"color": colour, "opacity": 0.12}} if filled else {})


def band(series: Series, colour: str, *, factor: float = 1.0) -> list[Option]:
    """Lowest to highest value of each bucket as an area: no peak is lost to the averaging. [] for raw points."""
    if series.factor == 1:
        return []
    bounds = zip(series.steps, series.lows, series.highs, strict=True)
    return area(series.name, [(x, _scaled(low, factor), _scaled(high, factor)) for x, low, high in bounds], colour)


def area(name: str, bounds: Sequence[tuple[float | None, float | None, float | None]], colour: str) -> list[Option]:
    """Between low and high at each place: an unseen line up to the low, and what stands on it painted."""
    spans = [(x, None if low is None or high is None else _short(high - low)) for x, low, high in bounds]
    shared: Option = {
        "type": "line",
        "stack": f"band {name}",
        "stackStrategy": "all",
        "showSymbol": False,
        "silent": True,
        "lineStyle": {"opacity": 0},
        "tooltip": {"show": False},
        "emphasis": {"disabled": True},
        "z": 0,
    }
    return [
        {**shared, "name": "lowest", "data": [[x, low] for x, low, _ in bounds]},
        {
            **shared,
            "name": "highest",
            "data": [list(one) for one in spans],
            "areaStyle": {"color": colour, "opacity": 0.16},
        },
    ]


def pairs(series: Series, *, factor: float = 1.0) -> Pairs:
    """[[step, value], ...]; a value that was not finite is a gap."""
    return [[x, _scaled(y, factor)] for x, y in zip(series.steps, series.values, strict=True)]


def smoothed(points: Pairs, weight: float) -> Pairs:
    """Exponential moving average without the pull towards zero at the start; gaps stay gaps."""
    average, seen, result = 0.0, 0, []
    for step, value in points:
        if value is None:
            result.append([step, None])
            continue
        seen += 1
        average = weight * average + (1 - weight) * value
        result.append([step, _short(average / (1 - weight**seen))])
    return result


def starred(option: Option, step: float, value: float, text: str, palette: Palette) -> Option:
    """`option` with a star at its best point, and a label, if there is one, towards the middle of the plot.

    Args:
        option: A line's series.
        step: Where its best point stands.
        value: What it has there.
        text: The label; "" for none.
        palette: The theme's colours.
    """
    known = [x for x, _ in option["data"] if x is not None]
    is_right = not known or 2 * step > known[0] + known[-1]
    point = {
        "coord": [step, _short(value)],
        "symbol": STAR,
        "symbolSize": 17,
        "itemStyle": {"color": option["itemStyle"]["color"], "borderColor": palette.background, "borderWidth": 1.5},
        "label": {
            "show": bool(text),
            "formatter": text.replace("{", "").replace("}", ""),
            "position": [17 if is_right else 0, 23],
            "align": "right" if is_right else "left",
            "color": option["itemStyle"]["color"],
            "fontWeight": 600,
            "fontSize": 11.5,
            "textBorderColor": palette.background,
            "textBorderWidth": 3,
        },
    }
    return {**option, "markPoint": {"data": [point], "silent": True, "animation": False}}


def _mark_line(marks: Sequence[Mark], palette: Palette) -> Option:
    return {
        "silent": True,
        "symbol": "none",
        "animation": False,
        "data": [
            {
                "xAxis": mark.step,
                "lineStyle": {
                    "color": palette.muted,
                    "type": "dashed" if mark.strong else "dotted",
                    "width": 1.2 if mark.strong else 1,
                    "opacity": 0.9 if mark.strong else 0.55,
                },
                "label": {
                    "show": bool(mark.text),
                    "formatter": mark.text,
                    # strong ones along their line: at its end they would stand on a checkpoint's name
                    **({"position": "insideEndTop"} if mark.strong else {"position": "end", "rotate": 0}),
                    "distance": 3,
                    "color": palette.muted,
                    "fontSize": 10.5,
                },
            }
            for mark in marks
        ],
    }


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else _short(value * factor)


def _short(value: float) -> float:
    """Six significant digits: what a screen can show, at half the bytes."""
    return float(f"{value:.6g}")
