"""One metric of several runs or groups, live: a line each in its colour, what was measured dimmed behind it."""

from collections.abc import Sequence
from math import floor

from pages.parts.figures import frame
from pages.parts.figures.compare.series import Axis, LineSeries
from pages.parts.figures.curve import Pairs, area, line, starred
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette

NAMED_STARS, MOST_STARS = 4, 12  # more labels, and more stars, would stand on each other
FEW_POINTS = 60  # of a line that shows its dots
MOST_IN_TOOLTIP = 12  # lines that one tooltip has room for


def compared(
    lines: Sequence[LineSeries],
    *,
    axis: Axis,
    unit: str,
    lowest: bool | None,
    palette: Palette,
    smoothing: float = 0.0,
    log: bool = False,
    window: tuple[float, float] | None = None,
    others: Sequence[Pairs] = (),
) -> Option:
    """All of it as one chart; the best point of each line wears a star.

    Args:
        lines: One for each run or group.
        axis: What they go over.
        unit: Of their values.
        lowest: Which end is starred as best; None: neither means anything.
        palette: The theme's colours.
        smoothing: The weight of the past, 0 to 0.99.
        log: Values by powers of ten.
        window: Ends of the axis; None: all of it.
        others: Drawn as one faint ground.
    """
    series: list[Option] = [_ground(others, palette)] if others else []
    starred_ones = lines if len(lines) <= MOST_STARS else _best_of(lines, lowest)
    for one in lines:
        end = lowest if one in starred_ones else None
        series += _drawn(one, smoothing, unit, end, palette, named=len(starred_ones) <= NAMED_STARS, log=log)
    first, last = window or (_begin(lines), _end(lines))
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 26, "bottom": 24, "containLabel": True},
        "tooltip": _tooltip(lines, axis, palette),
        "toolbox": frame.toolbox(palette) | {"top": -6},
        "brush": frame.brush(palette),
        "xAxis": frame.steps(palette, None, None)
        | {"min": first, "max": last}
        | ({} if axis == "minutes" else {"minInterval": 1})
        | {"name": axis, "nameLocation": "middle", "nameGap": 26, "nameTextStyle": _quiet(palette)},
        "yAxis": frame.values(palette, unit=f" {unit}" if unit else "", from_zero=False)
        | ({"type": "log"} if log else {}),
        "series": series,
    }


def _drawn(
    one: LineSeries, smoothing: float, unit: str, lowest: bool | None, palette: Palette, *, named: bool, log: bool
) -> list[Option]:
    value_format = "%.2f %%" if unit == "%" else f"%.4g {unit}".rstrip()
    smooth = one.smoother(smoothing)
    peaks = one.raw if one.raw and not smoothing else smooth.mean
    main = line(one.name, _above(peaks, log), one.colour, dots=len(peaks) <= FEW_POINTS, tooltip=value_format)
    main["lineStyle"] |= {"width": 2 if smoothing or len(peaks) <= FEW_POINTS else 1.3, "type": one.dash}
    best = None if lowest is None else one.best(lowest=lowest)
    if best is not None and not (log and best[1] <= 0):
        main = starred(main, best[0], best[1], f"{best[1]:.4g}{' ' + unit if unit else ''}" if named else "", palette)
    drawn = [main]
    if smoothing and one.raw:
        drawn.append(line(f"{one.name}, raw", _above(one.raw, log), one.colour, faint=True))
    if smooth.low:
        bounds = [(x, low, high) for (x, low), (_, high) in zip(smooth.low, smooth.high, strict=True)]
        drawn += area(one.name, bounds, one.colour)
    return drawn


def _best_of(lines: Sequence[LineSeries], lowest: bool | None) -> list[LineSeries]:
    """The one that reaches the best value of all."""
    bests = [(best[1], one) for one in lines if lowest is not None and (best := one.best(lowest=lowest))]
    pick = min if lowest else max
    return [pick(bests, key=lambda one: one[0])[1]] if bests else []


def _tooltip(lines: Sequence[LineSeries], axis: Axis, palette: Palette) -> Option:
    """Of all lines at one place while there is room; of more, of the one that is pointed at."""
    few = len(lines) <= MOST_IN_TOOLTIP
    pointer = {"label": {"formatter": f"{axis} {{value}}", "precision": 0 if axis == "step" else 2}}
    return frame.tooltip(palette) | {"trigger": "axis" if few else "item", "order": "valueDesc", "axisPointer": pointer}


def _begin(lines: Sequence[LineSeries]) -> int:
    """A round place to the left of all points."""
    return min((floor(one.mean[0][0] or 0) for one in lines if one.mean), default=0)


def _end(lines: Sequence[LineSeries]) -> int | str:
    """The last of all points; where that is the first as well, a step more: an axis has a width."""
    begin = _begin(lines)
    return begin + 1 if all((one.mean[-1][0] or 0) <= begin for one in lines if one.mean) else "dataMax"


def _ground(others: Sequence[Pairs], palette: Palette) -> Option:
    """All in one line with gaps: a thousand of them cost the browser as much as one."""
    points: Pairs = []
    for one in others:
        points += [*one, [None, None]]
    drawn = line("others", points, palette.muted, faint=True)
    drawn["lineStyle"]["opacity"] = max(0.06, min(0.3, 12 / len(others)))
    return drawn | {"silent": True, "z": 0}


def _above(points: Pairs, log: bool) -> Pairs:
    """Zero and less have no place on a logarithmic axis: gaps there."""
    return [[x, None if y is not None and y <= 0 else y] for x, y in points] if log else points


def _quiet(palette: Palette) -> Option:
    return {"color": palette.muted, "fontSize": 11}
