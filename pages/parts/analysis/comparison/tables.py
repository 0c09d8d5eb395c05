"""The tables of the Compare page as plain data: runs with what they came to, groups with the spread of their runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import Any

import pandas as pd

from pages.parts.analysis.comparison.differences import Difference
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.quantities import Quantity, are_numbers
from pages.parts.analysis.run_stats import RunStats
from pages.parts.states import RUN_STATES
from storage import Run, RunState

LARGER = {  # unit -> (what it takes to be told in the next one, its name)
    "s": (120.0, "min"),
    "min": (120.0, "h"),
    "MB": (1000.0, "GB"),
}
DIVISORS = {"min": 60.0, "h": 60.0, "GB": 1000.0}
FEW_SETTINGS = 5
COST_COLUMNS = (
    "last",
    "gap",
    "seconds",
    "images_per_s",
    "memory",
    "parameters",
    "learning",
    "checkpoint",
)  # in this order


def suitable_unit(quantity: Quantity, values: Sequence[float | None]) -> tuple[float, str]:
    """The unit that suits most of the values, after the factor that leads to it: of 7,200 s it is (1 / 3600, "h")."""
    unit, factor = quantity.unit, 1.0
    middle = median([abs(value) for value in values if value is not None] or [0.0])
    while unit in LARGER and middle * factor >= LARGER[unit][0]:
        unit = LARGER[unit][1]
        factor /= DIVISORS[unit]
    return factor, unit


def scaled(quantity: Quantity, values: Sequence[float | None]) -> tuple[list[float | None], str]:
    """Values in the unit that suits most of them, and the unit."""
    factor, unit = suitable_unit(quantity, values)
    return [None if value is None else factor * value for value in values], unit


def measures(stats: Sequence[RunStats], rows: Mapping[str, Quantity]) -> dict[str, tuple[list[float | None], str]]:
    """(values, unit) by key of those quantities that any run has a value of."""
    found = {}
    for key in COST_COLUMNS:
        values = [rows[key].value(one) for one in stats]
        if any(value is not None for value in values):
            found[key] = scaled(rows[key], values)
    learning, parameters = found.get("learning"), found.get("parameters")
    if learning and parameters and learning[0] == parameters[0]:
        del found["learning"]  # nothing is frozen
    return found


def runs_compared(
    stats: Sequence[RunStats],
    names: Mapping[str, str],
    rows: Mapping[str, Quantity],
    apart: Sequence[Difference],
    places: Sequence[int],
    *,
    link: Callable[[Run], str],
) -> pd.DataFrame:
    """One row a run, in the order given; then one column a setting that differs.

    Args:
        stats: What the runs came to, in the order of the rows.
        names: By run id.
        rows: Quantities by key.
        apart: Settings that differ.
        places: Where each run's values stand in those of a setting.
        link: The address of a run's page.
    """
    columns: dict[str, list[Any]] = {
        "run": [[names[one.run.id]] for one in stats],
        "open": [link(one.run) for one in stats],
        "state": [RUN_STATES[one.run.state].word for one in stats],
        "best": [rows["best"].value(one) for one in stats],
        "epoch": [one.best_epoch for one in stats],
    }
    numbers = {key: values for key, (values, _) in measures(stats, rows).items()}
    labels = Counter(one.label for one in apart)
    settings = {
        one.label if labels[one.label] == 1 and one.label not in (*columns, *numbers) else one.path: _sortable(
            [one.raw[place] for place in places], [one.values[place] for place in places]
        )
        for one in apart
    }
    # what sets runs apart stands beside what they came to, as long as it leaves room for what they cost
    columns |= settings | numbers if len(settings) <= FEW_SETTINGS else numbers | settings
    if set(columns["state"]) == {RUN_STATES[RunState.FINISHED].word}:
        del columns["state"]
    return pd.DataFrame(columns).astype({"best": "Float64", "epoch": "Int64"} | dict.fromkeys(numbers, "Float64"))


def groups_compared(
    groups: Sequence[Group], stats: Mapping[str, RunStats], rows: Mapping[str, Quantity]
) -> pd.DataFrame:
    """One row a group, in the order given: mean, lowest and highest of their best; times and memory are means.

    Those are of one device, and of one kind of memory, or there are none.
    """
    values = [values_of(group, stats, rows["best"]) for group in groups]
    columns: dict[str, list[Any]] = {
        "group": [[group.name] for group in groups],
        "runs": [len(group.runs) for group in groups],
        "mean": [fmean(own) if own else None for own in values],
        "lowest": [min(own, default=None) for own in values],
        "highest": [max(own, default=None) for own in values],
    }
    for key in ("gap", "seconds", "memory", "parameters"):
        means = [fmean(own) if (own := values_of(group, stats, rows[key])) else None for group in groups]
        if any(value is not None for value in means):
            columns[key] = scaled(rows[key], means)[0]
    numbers = [name for name in columns if name not in ("group", "runs")]
    return pd.DataFrame(columns).astype(dict.fromkeys(numbers, "Float64"))


def group_units(groups: Sequence[Group], stats: Mapping[str, RunStats], rows: Mapping[str, Quantity]) -> dict[str, str]:
    """Units of the columns of `groups_compared` that have one."""
    found = {}
    for key in ("seconds", "memory"):
        means = [fmean(own) if (own := values_of(group, stats, rows[key])) else None for group in groups]
        found[key] = scaled(rows[key], means)[1]
    return found


def values_of(group: Group, stats: Mapping[str, RunStats], quantity: Quantity) -> list[float]:
    """Of its runs that count, those that are known; none where they are of different kinds."""
    found = [one for run in counted(group) if quantity.value(one := stats[run.id]) is not None]
    values = (quantity.value(one) for one in found)
    return [value for value in values if value is not None] if quantity.is_alike(found) else []


def counted(group: Group) -> list[Run]:
    """Its runs that ran to their end, or all where none did: one that was cut short says little of the others."""
    return [run for run in group.runs if run.state is RunState.FINISHED] or [*group.runs]


def _sortable(raw: Sequence[Any], texts: Sequence[str]) -> list[Any]:
    """Numbers as such, so that the column sorts as numbers do; else words."""
    return list(raw) if are_numbers(raw) else list(texts)
