"""How one metric went in runs, as points over epochs, steps or minutes: of one run, or of a group with its spread."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log2
from typing import Literal

import numpy as np

from pages.parts.figures.curve import Pairs, smoothed
from storage import Run, RunState, Series

Axis = Literal["epoch", "step", "minutes"]
PLACES = 400  # of a group's mean at most, where its members stand at places of their own


@dataclass(frozen=True, slots=True)
class LineSeries:
    """A line: `mean`, smoothed if wanted, with what was measured behind it (`raw`) and the band of a group around it.

    Of a single run `raw` goes through every low and high.
    """

    name: str
    colour: str
    mean: Pairs
    raw: Pairs = field(default_factory=list)
    low: Pairs = field(default_factory=list)
    high: Pairs = field(default_factory=list)
    dash: str = "solid"  # or "dashed", "dotted": a second thing beside its colour to tell it by

    def best(self, *, lowest: bool) -> tuple[float, float] | None:
        """Where its best value stands: of a run the very peak, not that of a mean over a bucket."""
        known = [(float(x or 0), y) for x, y in self.raw or self.mean if y is not None]
        pick = min if lowest else max
        return pick(known, key=lambda point: point[1]) if known else None

    def smoother(self, weight: float) -> "LineSeries":
        """Its mean and its band as exponential moving averages; what lies behind stays as it was measured."""
        if not weight:
            return self
        mean, low, high = (smoothed(one, weight) for one in (self.mean, self.low, self.high))
        return LineSeries(self.name, self.colour, mean, self.raw, low, high, self.dash)


def places(run: Run, series: Series, axis: Axis) -> list[float]:
    """Where the points stand: epochs as fractions, steps, or minutes since its start (see `elapsed.moving`)."""
    if axis == "minutes":
        begun = run.started_at or run.created_at
        return [round((at - begun) / 60, 4) for at in series.at]
    if axis == "step":
        return [float(step) for step in series.steps]
    is_once_an_epoch = len(set(series.epochs)) == len(series.epochs)
    if (
        not run.steps or not run.epochs or (run.source and is_once_an_epoch)
    ):  # others count epochs from 0, or not at all
        return [float(epoch) for epoch in series.epochs]
    return [round(step * run.epochs / run.steps, 4) for step in series.steps]


def of_run(
    name: str, colour: str, run: Run, series: Series, axis: Axis, factor: float = 1.0, dash: str = "solid"
) -> LineSeries:
    """The line of one run.

    Args:
        name: Of the line.
        colour: Of the line.
        run: Whose values they are.
        series: The values.
        axis: What it goes over.
        factor: What values are multiplied by.
        dash: Beside its colour, how it is drawn.
    """
    across = places(run, series, axis)
    mean = [[x, _short(y, factor)] for x, y in zip(across, series.values, strict=True)]
    raw = mean if series.factor == 1 else _every_peak(across, series, factor)
    return LineSeries(name, colour, mean, raw, dash=dash)


def of_group(
    name: str,
    colour: str,
    members: Sequence[tuple[Run, Series]],
    axis: Axis,
    factor: float = 1.0,
    dash: str = "solid",
) -> LineSeries:
    """The mean over runs at the same places, with the lowest and highest value of any of them.

    It ends where the first of them ends: a mean over those that are left would jump.

    Args:
        name: Of the line.
        colour: Of the line.
        members: Its runs with their values.
        axis: What it goes over.
        factor: What values are multiplied by.
        dash: Beside its colour, how it is drawn.
    """
    known = [(run, line) for run, series in members if len(line := _columns(run, series, axis))]
    lines = _far_enough(known)
    across = _shared(lines)
    if not across.size:
        return LineSeries(name, colour, [], dash=dash)
    mean = _pairs(across, factor * np.mean([np.interp(across, one[:, 0], one[:, 1]) for one in lines], axis=0))
    low = _pairs(across, factor * np.min([_edge(one, 2, across, np.minimum) for one in lines], axis=0))
    high = _pairs(across, factor * np.max([_edge(one, 3, across, np.maximum) for one in lines], axis=0))
    return LineSeries(name, colour, mean, mean, low, high, dash)


def window_of(run: Run, series: Series, axis: Axis, first: float, last: float) -> tuple[int, int]:
    """The steps of a run that lie between two places of the axis.

    Args:
        run: Whose steps they are.
        series: A line of it that was read before.
        axis: What the places are of.
        first: The place where the window begins.
        last: The one where it ends.
    """
    across = places(run, series, axis)
    begin, end = bisect_left(across, first), bisect_right(across, last)
    if not across:
        return 0, 0
    # one point beyond at either end: the line leads out of the window
    return series.steps[max(0, begin - 1)], series.steps[min(len(across) - 1, end)]


def _every_peak(across: Sequence[float], series: Series, factor: float) -> Pairs:
    """Lowest and highest value of every bucket, in the order in which the line goes up or down.

    They depend on this bucket and the one before alone, so that nothing moves as points arrive.
    """
    points: Pairs = []
    before, came_from = across[0] if across else 0.0, None
    for x, mean, low, high in zip(across, series.values, series.lows, series.highs, strict=True):
        falls = came_from is not None and mean is not None and mean < came_from
        first, second = (high, low) if falls else (low, high)
        points += [[round((before + x) / 2, 4), _short(first, factor)], [x, _short(second, factor)]]
        before, came_from = x, mean
    return points


def _columns(run: Run, series: Series, axis: Axis) -> np.ndarray:
    """Rows of place, value, lowest and highest value, those without a finite one left out."""
    columns = zip(places(run, series, axis), series.values, series.lows, series.highs, strict=True)
    return np.asarray([row for row in columns if row[1] is not None], dtype=np.float64)


def _far_enough(members: Sequence[tuple[Run, np.ndarray]]) -> list[np.ndarray]:
    """Lines that do not cut a group short: of finished runs, else of those that have come half as far as the furthest.

    Runs that were stopped or failed count where there are no others.
    """
    finished = [line for run, line in members if run.state is RunState.FINISHED]
    if finished:
        return finished
    left = [one for one in members if one[0].state not in (RunState.STOPPED, RunState.FAILED)] or members
    furthest = max((run.step for run, _ in left), default=0)
    return [line for run, line in left if 2 * run.step >= furthest]


def _shared(lines: Sequence[np.ndarray]) -> np.ndarray:
    """Places where all lines have values: their own where they agree, else at a pitch between the ends they share.

    The pitch doubles as the line grows, so that none of its points but the last ever moves.
    """
    if not lines:
        return np.empty(0)
    first = lines[0][:, 0]
    shortest = min(len(line) for line in lines)
    if all(np.array_equal(line[:shortest, 0], first[:shortest]) for line in lines):
        return np.asarray(first[:shortest])
    begin, end = max(line[0, 0] for line in lines), min(line[-1, 0] for line in lines)
    if end <= begin:
        return np.asarray([begin] if end == begin else [])
    pitch = 2.0 ** ceil(log2((end - begin) / PLACES))
    return np.unique([begin, *(pitch * np.arange(floor(begin / pitch) + 1, ceil(end / pitch))), end])


def _edge(line: np.ndarray, column: int, across: np.ndarray, further: np.ufunc) -> np.ndarray:
    """A line's lowest or highest values at shared places: one that lies between two of them stands at the second."""
    values = np.interp(across, line[:, 0], line[:, column])
    own = line[(line[:, 0] >= across[0]) & (line[:, 0] <= across[-1])]
    further.at(values, np.searchsorted(across, own[:, 0]), own[:, column])
    return values


def _pairs(across: np.ndarray, values: np.ndarray) -> Pairs:
    return [[round(float(x), 4), _short(float(y), 1.0)] for x, y in zip(across, values, strict=True)]


def _short(value: float | None, factor: float) -> float | None:
    return None if value is None else float(f"{factor * value:.6g}")
