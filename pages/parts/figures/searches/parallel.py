"""Every trial as a line across one axis a setting, the value last: brushing an axis keeps those that pass there.

A setting that meant nothing to some trial has a place for it at the bottom of its axis, "–".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pages.parts.analysis.trials import Dimension, Trial
from pages.parts.figures.frame import Option
from pages.parts.formatting import DASH, number, shortened
from pages.parts.palette import Palette

MOST_COLUMNS = 16  # of a category's name
GAP = 0.15  # of an axis, below its values, down to the place of none
LEFT, RIGHT = 8.0, 10.0  # percent of the width beside the axes, where dashes must find them


def drawn(trials: Sequence[Trial]) -> list[Trial]:
    """Those that have a line: with a value. A brush tells lines by their place among these."""
    return [trial for trial in trials if trial.value is not None]


def parallel(
    trials: Sequence[Trial],
    dimensions: Sequence[Dimension],
    *,
    metric: str,
    percent: bool,
    lowest: bool,
    palette: Palette,
    colours: Sequence[str | None] | None = None,
) -> Option:
    """The option of the chart.

    Args:
        trials: Those without a value are left out.
        dimensions: An axis a setting.
        metric: The title of the last axis, by which the lines are coloured.
        percent: Whether values are shares, to be shown in per cent.
        lowest: Whether the smallest value is the best one.
        palette: The theme's colours.
        colours: Of all trials in their order, instead of colours by value; a line without one is grey and thin.
    """
    factor = 100 if percent else 1
    lines = drawn(trials)
    scales = [_Scale.over(one, lines) for one in dimensions]
    rows = [[*(scale.place(trial) for scale in scales), _short(factor * (trial.value or 0))] for trial in lines]
    values = [float(row[-1] or 0) for row in rows] or [0.0]
    own = colours and [one for one, trial in zip(colours, trials, strict=True) if trial.value is not None]
    unit = " %" if percent else ""
    of_value = {"dim": len(dimensions), "name": f"{metric}, %" if percent else metric, "type": "value", "scale": True}
    of_value |= {"inverse": lowest}
    bottom = 18 if own else 50
    dashes = _dashes(scales, bottom, palette)
    margins: Option = {"left": f"{LEFT:g}%", "right": f"{RIGHT:g}%"} if dashes else {"left": 40, "right": 68}
    option = {
        "animation": False,
        "toolbox": {"show": False},
        # Linked: what is brushed on the axes is told as selected.
        "brush": {"brushLink": "all", "outOfBrush": {"colorAlpha": 1}, "inBrush": {"colorAlpha": 1}},
        "parallel": {**margins, "top": 36, "bottom": bottom, "parallelAxisDefault": _axis_style(palette)},
        "parallelAxis": [
            *(scale.axis(place) for place, scale in enumerate(scales)),
            of_value,
        ],
        "series": [_lines(rows, own, palette)],
        "title": dashes,
    }
    if not own:
        ends = _better_part(values, lowest=lowest)
        option["visualMap"] = _by_value(len(dimensions), ends, unit, palette, lowest=lowest)
    return option


@dataclass(frozen=True, slots=True)
class _Scale:
    """An axis: its dimension, and where those stand that have no value there; None while all have one."""

    dimension: Dimension
    nowhere: float | None

    @classmethod
    def over(cls, one: Dimension, trials: Sequence[Trial]) -> "_Scale":
        places = [one.place(trial.assignment) for trial in trials]
        if None not in places:
            return cls(one, None)
        numbers = [place for place in places if isinstance(place, int | float)]
        if one.scale == "category" or not numbers:
            return cls(one, 0 if one.scale == "category" else 1)
        low, high = min(numbers), max(numbers)
        if one.scale == "log":
            return cls(one, _short(low / max(10.0, high / low) ** GAP))
        return cls(one, _short(low - GAP * ((high - low) or abs(low) or 1)))

    def place(self, trial: Trial) -> float | int | None:
        """A category by its position: two names cut to the same letters stay apart."""
        place = self.dimension.place(trial.assignment)
        if place is None:
            return self.nowhere
        if isinstance(place, str):
            return self.dimension.choices.index(place) + (self.nowhere is not None)
        return place

    def axis(self, place: int) -> Option:
        one = self.dimension
        axis: Option = {"dim": place, "name": one.label}
        if one.scale == "category":
            nowhere = [DASH] if self.nowhere is not None else []
            names = [shortened(choice, MOST_COLUMNS) for choice in one.choices]
            return axis | {"type": "category", "data": [*nowhere, *names]}
        axis |= {"type": "log" if one.scale == "log" else "value", "scale": True}
        if self.nowhere is not None:  # the number there would say what no trial had
            axis |= {"min": self.nowhere, "axisLabel": {"showMinLabel": False}}
        return axis


def _by_value(dimension: int, ends: tuple[float, float], unit: str, palette: Palette, *, lowest: bool) -> Option:
    """Colours of lines by their value, with a bar that tells them; the best as in the other charts."""
    low, high = ends
    colours = [palette.validation, palette.train] if lowest else [palette.train, palette.validation]
    texts = [f"{number(value)}{unit}" for value in (high, low)]
    texts = [f"{texts[0]} and more", f"best: {texts[1]}"] if lowest else [f"best: {texts[0]}", f"{texts[1]} and less"]
    return {
        "dimension": dimension,
        "min": low,
        "max": high if high > low else low + 1,
        "inRange": {"color": colours},
        "orient": "horizontal",
        "left": "center",
        "bottom": 0,
        "itemWidth": 10,
        "itemHeight": 120,
        "hoverLink": False,
        "text": texts,
        "textStyle": {"color": palette.muted, "fontSize": 11},
    }


def _lines(rows: Sequence[Sequence[float | None]], colours: Sequence[str | None] | None, palette: Palette) -> Option:
    few = len(rows) <= 120
    if colours:
        styles = [
            {"color": colour or palette.muted, "width": 2 if colour else 1, "opacity": 1 if colour else 0.3}
            for colour in colours
        ]
        data: list[Any] = [{"value": list(row), "lineStyle": style} for row, style in zip(rows, styles, strict=True)]
    else:
        data = list(rows)
    return {
        "type": "parallel",
        "name": "trials",
        "lineStyle": {"width": 1.4 if few else 1, "opacity": 0.75 if few else 0.35},
        "inactiveOpacity": 0.04,
        "activeOpacity": 0.95,
        "data": data,
    }


def _axis_style(palette: Palette) -> Option:
    """What all axes share."""
    return {
        "realtime": False,  # one selection a drag
        "nameTextStyle": {"color": palette.text, "fontSize": 12, "fontWeight": 600},
        "nameGap": 14,
        "axisLine": {"lineStyle": {"color": palette.muted}},
        "axisTick": {"lineStyle": {"color": palette.line}},
        "axisLabel": {"color": palette.muted, "fontSize": 11, "backgroundColor": palette.background},
        "areaSelectStyle": {
            "width": 18,
            "borderWidth": 1,
            "borderColor": palette.train,
            "color": palette.train,
            "opacity": 0.25,
        },
    }


def _dashes(scales: Sequence[_Scale], bottom: int, palette: Palette) -> list[Option]:
    """A dash below each axis that has a place for no value, where labels of a chart can stand: titles."""
    style = {"color": palette.muted, "fontSize": 12, "fontWeight": 600}
    return [
        {"text": DASH, "left": f"{LEFT + (100 - LEFT - RIGHT) * place / len(scales):.4g}%", "textAlign": "center"}
        | {"bottom": bottom - 18, "padding": 0, "textStyle": style}
        for place, scale in enumerate(scales)
        if scale.nowhere is not None and scale.dimension.scale != "category"  # that has a name for it
    ]


def _better_part(values: Sequence[float], *, lowest: bool) -> tuple[float, float]:
    """The range of the better three quarters: colours part these, whatever a few bad ones came to."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return (ordered[0], ordered[-1 - quarter]) if lowest else (ordered[quarter], ordered[-1])


def _short(value: float) -> float:
    return float(f"{value:.6g}")
