"""Every trial as a line across one axis a setting, the value last: brushing an axis keeps those that pass there."""

from collections.abc import Sequence
from typing import Any

from pages.parts.figures.palette import Palette
from pages.parts.trials import Dimension, Trial
from pages.parts.words import shortened

Option = dict[str, Any]
MOST_COLUMNS = 16  # of a category's name


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
    """`metric` is the title of the last axis, by which the lines are coloured; or each by its own of `colours`.

    Those are of all trials, in their order; without one a line is grey and thin.
    """
    factor = 100 if percent else 1
    rows = [
        [*(_place(one, trial) for one in dimensions), float(f"{factor * (trial.value or 0):.6g}")]
        for trial in drawn(trials)
    ]
    values = [float(row[-1] or 0) for row in rows] or [0.0]
    low, high = _better_part(values, lowest=lowest)
    better = [palette.train, palette.validation]
    own = colours and [one for one, trial in zip(colours, trials, strict=True) if trial.value is not None]
    of_value = {"dim": len(dimensions), "name": metric, "type": "value", "scale": True, "inverse": lowest}
    return {
        "animation": False,
        "toolbox": {"show": False},
        # Linked: what is brushed on the axes is told as selected.
        "brush": {"brushLink": "all", "outOfBrush": {"colorAlpha": 1}, "inBrush": {"colorAlpha": 1}},
        "parallel": {"left": 40, "right": 56, "top": 36, "bottom": 18, "parallelAxisDefault": _looks(palette)},
        "parallelAxis": [
            *(_axis(place, one) for place, one in enumerate(dimensions)),
            of_value | ({"axisLabel": {"formatter": "{value} %"}} if percent else {}),
        ],
        "series": [_lines(rows, own, palette)],
    } | ({} if own else {"visualMap": _by_value(len(dimensions), low, high, better if lowest else better[::-1])})


def _by_value(dimension: int, low: float, high: float, colours: Sequence[str]) -> Option:
    top = high if high > low else low + 1
    return {"show": False, "dimension": dimension, "min": low, "max": top, "inRange": {"color": list(colours)}}


def _lines(rows: Sequence[Sequence[float | None]], colours: Sequence[str | None] | None, palette: Palette) -> Option:
    few = len(rows) <= 120
    if colours:
        looks = [
            {"color": colour or palette.muted, "width": 2 if colour else 1, "opacity": 0.9 if colour else 0.3}
            for colour in colours
        ]
        data: list[Any] = [{"value": list(row), "lineStyle": look} for row, look in zip(rows, looks, strict=True)]
    else:
        data = list(rows)
    return {
        "type": "parallel",
        "name": "trials",
        "smooth": 0.15,
        "lineStyle": {"width": 1.4 if few else 1, "opacity": 0.75 if few else 0.35},
        "inactiveOpacity": 0.04,
        "activeOpacity": 0.95,
        "data": data,
    }


def _looks(palette: Palette) -> Option:
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


def _axis(place: int, one: Dimension) -> Option:
    axis: Option = {"dim": place, "name": one.label}
    if one.scale == "category":
        return axis | {"type": "category", "data": [shortened(choice, MOST_COLUMNS) for choice in one.choices]}
    return axis | {"type": "log" if one.scale == "log" else "value", "scale": True}


def _place(one: Dimension, trial: Trial) -> float | int | None:
    """A category by its position: two names cut to the same letters stay apart."""
    place = one.place(trial.assignment)
    return one.choices.index(place) if isinstance(place, str) else place


def _better_part(values: Sequence[float], *, lowest: bool) -> tuple[float, float]:
    """The range of the better three quarters: colours part these, whatever a few bad ones came to."""
    ordered = sorted(values)
    quarter = len(ordered) // 4
    return (ordered[0], ordered[-1 - quarter]) if lowest else (ordered[quarter], ordered[-1])
