"""One metric of several runs, or of several ways with the spread of their runs, over epochs, steps or time."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any, Literal

from pages.parts.figures import frame
from pages.parts.figures.curve import area, line
from pages.parts.figures.palette import Palette
from storage import Run, Series

Option = dict[str, Any]
Axis = Literal["epoch", "step", "minutes"]
Points = list[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Course:
    """What one line shows: the mean of `members`, and the band between their lowest and highest."""

    name: str
    members: Sequence[Points]


def points(run: Run, series: Series, axis: Axis) -> Points:
    """A run's values over the axis: epochs as fractions, minutes since it was started."""
    if axis == "minutes":
        begun = run.started_at or run.created_at
        places = [(at - begun) / 60 for at in series.at]
    else:
        an_epoch = (run.steps or 1) / (run.epochs or 1) if axis == "epoch" else 1
        places = [step / an_epoch for step in series.steps]
    return [(round(place, 4), value) for place, value in zip(places, series.values, strict=True)]


def compared(courses: Sequence[Course], *, axis: Axis, percent: bool, palette: Palette) -> Option:
    """One line a course, in the order given, which is the order of the colours."""
    series: list[Option] = []
    for place, course in enumerate(courses):
        series += _drawn(course, colour(place, palette), 100 if percent else 1, "%.2f %%" if percent else "%.4g")
    return {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 40, "bottom": 22, "containLabel": True},
        "legend": frame.legend([course.name for course in courses], palette) | {"type": "scroll", "right": 0},
        "tooltip": frame.tooltip(palette)
        | {"axisPointer": {"label": {"formatter": f"{axis} {{value}}", "precision": 1}}},
        "xAxis": frame.steps(palette, None, None)
        | {
            "name": axis,
            "nameLocation": "middle",
            "nameGap": 24,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": frame.values(palette, unit=" %" if percent else "", from_zero=False),
        "series": series,
    }


def colour(place: int, palette: Palette) -> str:
    """The colour of the line at this place; the table wears the same."""
    colours = (palette.train, palette.validation, *palette.others)
    return colours[place % len(colours)]


def _drawn(course: Course, colour: str, factor: float, tooltip: str) -> list[Option]:
    at: dict[float, list[float]] = {}
    for member in course.members:
        for place, value in member:
            if value is not None:
                at.setdefault(place, []).append(factor * value)
    shared = [place for place in sorted(at) if len(at[place]) == len(course.members)]  # a mean of all or of none
    means: list[list[float | None]] = [[place, _short(mean(at[place]))] for place in shared]
    drawn = [line(course.name, means, colour, dots=len(shared) <= 60, tooltip=tooltip)]
    if len(course.members) > 1:
        bounds = [(place, _short(min(at[place])), _short(max(at[place]))) for place in shared]
        drawn += area(course.name, bounds, colour)
    return drawn


def _short(value: float) -> float:
    return float(f"{value:.6g}")
