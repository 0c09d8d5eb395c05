"""The space of a search as a whole: which fields may vary, which depend on others, how many combinations there are."""

from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import product
from math import prod
from operator import attrgetter
from typing import Any

from engine.catalog import TABLES
from engine.errors import Problem, Refused
from engine.specs.ranges import Range, hashable
from engine.specs.rules import Names, Rule, problem
from engine.specs.run import RunSpec, settings
from engine.specs.setting import Setting

Assignment = dict[str, Any]  # field path -> plain value
Conditions = dict[str, dict[str, tuple[Any, ...]]]  # searched path -> {path: values of it}

_JUDGED = "trials would be judged by other images"
FIXED = {  # -> why it is the same in all trials
    "name": "trials are numbered",
    "device": "set it in the base run",
    "strategy": "set it in the base run",
    "keep_checkpoints": "set it in the base run",
    "data.dataset": "values on other images cannot be compared",
    "data.validation_fraction": _JUDGED,
    "data.test_fraction": _JUDGED,
    "data.split_seed": _JUDGED,
    "data.group_by": _JUDGED,
    "compute.processes": "trials train in one process each",
    "compute.micro_batches": "trials train in one process each",
}


@cache
def searchable() -> dict[str, Setting]:
    """The fields of a run that a search may vary, by path."""
    return {one.path: one for one in settings() if one.path not in FIXED}


def value_at(run: RunSpec, path: str) -> Any:
    return attrgetter(path)(run)


def fitted_space(space: Mapping[str, Range]) -> dict[str, Range]:
    """The space with values as the run's fields hold them.

    Raises:
        Refused: With a problem for every field that cannot be searched so.
    """
    problems, held = [], {}
    for path, one in space.items():
        try:
            held[path] = _fitted(_setting_of(path), one)
            when = {}
            for parent, values in one.when.items():
                _setting_of(parent, ("space", path, "when"))
                when[parent] = tuple(_as_held(parent, value) for value in values)
            held[path] = held[path].model_copy(update={"when": when})
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return held


def _setting_of(path: str, within: tuple[str, ...] = ("space",)) -> Setting:
    if path in FIXED:
        raise Refused([Problem((*within, path), path, f"cannot be searched: {FIXED[path]}")])
    if path not in searchable():
        room = path.partition(".")[0]
        near = [name for name in searchable() if name.partition(".")[0] == room] or list(searchable())
        raise Refused([Problem((*within, path), path, f"no such field; allowed: {', '.join(near)}")])
    return searchable()[path]


def _fitted(setting: Setting, one: Range) -> Range:
    """The range with values as its field holds them.

    Raises:
        Refused: A value that the field does not allow, or a kind of range that does not suit it.
    """
    path = ("space", setting.path)
    if one.kind != "choices" and setting.type not in (int, float):
        raise Refused([Problem(path, one.kind, f"must be choices: {setting.path} is {_allowed(setting)}")])
    if setting.type is int and (one.kind == "uniform" or (one.kind == "log" and one.step is not None)):
        raise Refused([problem(path, one.kind, Rule.NOT_WHOLE)])
    ends = one.choices if one.choices is not None else (one.low, one.high)
    try:
        held = tuple(_as_held(setting.path, value) for value in ends)
    except Refused as refused:
        raise Refused([Problem(path, each.value, each.message) for each in refused.problems]) from None
    return one.model_copy(update={"choices": held}) if one.choices is not None else one


def _allowed(setting: Setting) -> str:
    table = TABLES.get(setting.choices) if isinstance(setting.choices, str) else None
    if table is None:
        return setting.allowed
    return f"a list of {', '.join(table)}" if setting.type is tuple else f"one of {', '.join(table)}"


def _as_held(path: str, value: Any) -> Any:
    """A value of a field as its part of the spec holds it, checked by the field's own rule.

    Raises:
        Refused: The field does not allow it.
    """
    room, _, leaf = path.rpartition(".")
    try:
        if not room:
            return hashable(getattr(RunSpec.model_validate({leaf: value}), leaf))
        part = type(getattr(RunSpec(), room))
        return hashable(getattr(part.model_validate({leaf: value}), leaf))
    except ValueError:
        raise Refused([Problem(path, value, f"must be {_allowed(searchable()[path])}")]) from None


def conditions(run: RunSpec, space: Mapping[str, Range]) -> Conditions:
    """What each searched field depends on, parents before children: its own `when`, and that of the field itself.

    Raises:
        Refused: A condition on a field that is not searched by choices, one that never holds, or a circle.
    """
    found: Conditions = {}
    problems = []
    for path, one in space.items():
        required = dict(one.when)
        own = searchable()[path].when
        if own and own[0] not in required:
            if own[0] in space:
                required[own[0]] = tuple(v for v in space[own[0]].choices or () if v in own[1])
            elif value_at(run, own[0]) not in own[1]:
                now = str(value_at(run, own[0]))
                problems.append(
                    problem(("space", path), path, Rule.NO_MEANING, path=own[0], values=Names(own[1]), now=now)
                )
        for parent, values in required.items():
            if misfit := _never(("space", path, "when"), parent, values, space):
                problems.append(misfit)
        found[path] = required
    if problems:
        raise Refused(problems)
    return _parents_first(found)


def _never(path: tuple[str, ...], parent: str, values: tuple[Any, ...], space: Mapping[str, Range]) -> Problem | None:
    """What is wrong with a condition that can never hold, if it is one."""
    if parent not in space:
        return Problem(path, parent, "is not searched itself; search it, or leave the condition out")
    choices = space[parent].choices
    if choices is None:
        return problem(path, parent, Rule.WHEN_NOT_CHOICES)
    if not values or any(value not in choices for value in values):
        return problem(path, parent, Rule.WHEN_NEVER, choices=Names(map(str, choices)))
    return None


def _parents_first(found: Conditions) -> Conditions:
    ordered: Conditions = {}
    sorter = TopologicalSorter(found)
    try:
        sorter.prepare()
    except CycleError as error:
        circle = [path for path in found if path in error.args[1]]
        raise Refused(
            [Problem(("space", path, "when"), path, "depends on itself, in a circle") for path in circle]
        ) from None
    while ready := sorter.get_ready():
        ordered |= {path: found[path] for path in found if path in ready}
        sorter.done(*ready)
    return ordered


def assigned(run: RunSpec, space: Mapping[str, Range], drawn: Mapping[str, Any]) -> Assignment:
    """
    Raises:
        Refused: A field that is not searched.
    """
    if unknown := [path for path in drawn if path not in space]:
        raise Refused([Problem(path, drawn[path], "is not searched") for path in unknown])
    found: Assignment = {}
    for path, all_of in conditions(run, space).items():
        if path in drawn and all(found.get(parent) in values for parent, values in all_of.items()):
            value = drawn[path]
            plain = hashable(value.tolist() if hasattr(value, "tolist") else value)
            near = space[path].nearest(plain)
            found[path] = round(near) if searchable()[path].type is int and near is not None else near
    return found


def combinations(run: RunSpec, space: Mapping[str, Range]) -> int | None:
    if not space or any(one.count is None for one in space.values()):
        return None if space else 0
    depends = conditions(run, space)
    parents = {parent for all_of in depends.values() for parent in all_of}
    total = 0
    for of_parents in _grown([path for path in depends if path in parents], space, depends):
        free = [path for path in depends if path not in parents and _counts(path, depends, of_parents)]
        total += prod(space[path].count or 1 for path in free)
    return total


def grid(run: RunSpec, space: Mapping[str, Range]) -> Iterator[Assignment]:
    depends = conditions(run, space)
    yield from _grown(list(depends), space, depends)


def _grown(paths: list[str], space: Mapping[str, Range], depends: Conditions) -> Iterator[Assignment]:
    """Every assignment of `paths`, which stand parents first; the last one varies fastest."""
    independent = all(not depends[path] for path in paths)
    if independent:  # the usual case, without recursion
        for values in product(*(space[path].values for path in paths)):
            yield dict(zip(paths, values, strict=True))
        return

    def grow(before: Assignment, left: list[str]) -> Iterator[Assignment]:
        if not left:
            yield before
        elif _counts(left[0], depends, before):
            for value in space[left[0]].values:
                yield from grow({**before, left[0]: value}, left[1:])
        else:
            yield from grow(before, left[1:])

    yield from grow({}, paths)


def _counts(path: str, depends: Conditions, values: Mapping[str, Any]) -> bool:
    return all(values.get(parent) in allowed for parent, allowed in depends[path].items())
