"""Settings that differ and what runs cost, as axes of parallel coordinates. Pure: records in, plain data out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared
from pages.parts.analysis.comparison.differences import IMAGES, LUCK, Difference
from pages.parts.analysis.quantities import Quantity, are_numbers
from pages.parts.analysis.trials import Dimension, Scale, Trial
from storage import Run

MOST_AXES = 9  # more could not be told apart
COSTS = ("memory", "seconds")
FEW_NUMBERS = 5  # values of a whole number that stand as a list: 32, 64, 128
WIDE = 50  # the largest over the smallest of values that need powers of ten


def axes(compared: Compared, runs: Sequence[Run]) -> tuple[list[Dimension], list[Trial]]:
    """Axes of `runs`, and each of them with its place on every axis; the last axis, their best value, is left out."""
    place_of = {run.id: place for place, run in enumerate(compared.runs)}
    places = [place_of[run.id] for run in runs]
    settings = [one for one in compared.apart if one.path not in (*LUCK, IMAGES)]
    of_settings = [_of_setting(one, places) for one in settings]
    of_costs = [_of_quantity(compared.rows[key], compared, runs) for key in COSTS]
    costs = [one for one in of_costs if len({value for value in one[1] if value is not None}) > 1]
    found = [one for one in of_settings if len(set(one[1])) > 1][: MOST_AXES - len(costs)] + costs
    trials = []
    for place, run in enumerate(runs):
        assignment = {one.path: values[place] for one, values in found if values[place] is not None}
        trials.append(Trial(replace(run, best_value=compared.stats[run.id].best), place, assignment))
    return [one for one, _ in found], trials


def _of_setting(one: Difference, places: Sequence[int]) -> tuple[Dimension, list[Any]]:
    raw, values = [one.raw[place] for place in places], [one.values[place] for place in places]
    known = {value for value in raw if isinstance(value, int | float) and not isinstance(value, bool)}
    if are_numbers(raw) and (len(known) > FEW_NUMBERS or any(isinstance(value, float) for value in known)):
        return Dimension(one.path, one.label, _scale(one.scale, known)), raw
    if are_numbers(raw):
        return Dimension(one.path, one.label, "category", tuple(map(str, sorted(known)))), [
            None if value is None else str(value) for value in raw
        ]
    return Dimension(one.path, one.label, "category", tuple(sorted(set(values) - {formatting.DASH}))), [
        None if value == formatting.DASH else value for value in values
    ]


def _of_quantity(one: Quantity, compared: Compared, runs: Sequence[Run]) -> tuple[Dimension, list[Any]]:
    values = [one.value(compared.stats[run.id]) for run in runs]
    unit = f", {one.unit}" if one.unit else ""
    return Dimension(one.key, one.label + unit, _scale("linear", {value for value in values if value})), values


def _scale(declared: str, known: set[float]) -> Scale:
    if not known or min(known) <= 0:
        return "linear"
    return "log" if declared == "log" or max(known) / min(known) >= WIDE else "linear"
