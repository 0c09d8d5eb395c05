"""What proposes the settings of the next trial: by chance, in order, or by an algorithm that learns."""

import math
import random
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from engine.catalog import ALGORITHMS
from engine.catalog.named import named
from engine.spec import SearchSpec
from engine.spec.ranges import Range

Drawn = Mapping[str, Any]  # field path -> value, of fields that do not count too
Values = tuple[float, ...] | None


class Proposer(Protocol):
    """Trials are known to it by their numbers, 1 being the base run, which it is told of but never asked for."""

    def propose(self, number: int) -> Drawn | None:
        """Settings of trial `number`; None: there are no more that it has not proposed."""

    def told(self, number: int, assignment: Drawn, values: Values, seen: Mapping[int, float]) -> None:
        """Trial `number` is over: the metric and, where weighed, its cost; None: infeasible.

        Args:
            seen: The metric after each epoch, of a trial that was ended early; {} of others.
        """


class ByChance:
    """Each trial's own number makes its chances: a search that goes on draws what it would have drawn."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec

    def propose(self, number: int) -> Drawn | None:
        chances = random.Random(f"{self._spec.seed}:{number}")
        return {path: draw(one, chances) for path, one in self._spec.space.items()}

    def told(self, number: int, assignment: Drawn, values: Values, seen: Mapping[int, float]) -> None:
        pass


class InOrder:
    """Every combination once; those that were tried already, the base run's among them, are passed over."""

    def __init__(self, spec: SearchSpec) -> None:
        self._left: Iterator[Drawn] = spec.grid()
        self._known = {_key(spec.base)}

    def propose(self, number: int) -> Drawn | None:
        return next((one for one in self._left if _key(one) not in self._known), None)

    def told(self, number: int, assignment: Drawn, values: Values, seen: Mapping[int, float]) -> None:
        self._known.add(_key(assignment))


def draw(one: Range, chances: random.Random) -> Any:
    """A value of the range, each as likely as its kind says."""
    if one.choices is not None:
        return chances.choice(one.choices)
    if one.count is not None and one.kind != "log":
        return chances.choice(one.values)
    if one.kind == "log":
        return one.nearest(math.exp(chances.uniform(math.log(one.low), math.log(one.high))))
    return chances.uniform(one.low, one.high)


def lowest(spec: SearchSpec, values: Values) -> float:
    """The metric as a loss, for algorithms that look for the least; infinite where there is none."""
    if values is None:
        return math.inf
    return -values[0] if spec.mode == "max" else values[0]


def fits(space: Mapping[str, Range], assignment: Drawn) -> bool:
    """Whether all of it lies in the space: what a search tried before its space was changed may not."""
    return all(path in space and holds(space[path], value) for path, value in assignment.items())


def holds(one: Range, value: Any) -> bool:
    if one.choices is not None:
        return value in one.choices
    return isinstance(value, int | float) and one.low <= value <= one.high


def _key(assignment: Drawn) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((path, repr(value)) for path, value in assignment.items()))


def proposer(spec: SearchSpec) -> Proposer:
    """What proposes for the search's algorithm."""
    made: Proposer = named(ALGORITHMS[spec.algorithm].make)(spec)
    return made
