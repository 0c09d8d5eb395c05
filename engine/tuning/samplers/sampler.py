"""What proposes the settings of the next trial: by chance, in order, or by an algorithm that learns."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.catalog import ALGORITHMS
from engine.catalog.named import named
from engine.specs import SearchSpec
from engine.specs.ranges import Range

Drawn = Mapping[str, Any]  # field path -> value, of fields that do not count too


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended, as an algorithm takes it."""

    end: Literal["whole", "early", "failed", "unknown"]  # failed: worse than any other; unknown: nothing was learned
    values: tuple[float, ...] = ()  # the metric and, where weighed, its cost; () of failed and unknown ones
    seen: Mapping[int, float] = field(default_factory=dict)  # the metric after each epoch


class Sampler:
    """Trials are known to it by their numbers, 1 being the base run, which it is told of but never asked for."""

    def propose(self, number: int) -> Drawn | None:
        """Settings of trial `number`; None: there are no more that it has not proposed."""
        raise NotImplementedError

    def goes_on(self, number: int, assignment: Drawn) -> None:
        """An earlier driver began trial `number`, which is to be trained on."""

    def saw(self, number: int, epoch: int, value: float) -> None:
        """The metric of a trial under way, once an epoch."""

    def told(self, number: int, assignment: Drawn, outcome: Outcome) -> None:
        """Trial `number` is over."""


class RandomSampler(Sampler):
    """Each trial's own number makes its chances: a search that goes on draws what it would have drawn."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec

    def propose(self, number: int) -> Drawn | None:
        chances = random.Random(f"{self._spec.seed}:{number}")
        return {path: draw(one, chances) for path, one in self._spec.space.items()}


class GridSampler(Sampler):
    """Every combination once; those that were tried already, the base run's among them, are passed over."""

    def __init__(self, spec: SearchSpec) -> None:
        self._left: Iterator[Drawn] = spec.grid()
        self._known = {_key(spec.base)}

    def propose(self, number: int) -> Drawn | None:
        return next((one for one in self._left if _key(one) not in self._known), None)

    def goes_on(self, number: int, assignment: Drawn) -> None:
        self._known.add(_key(assignment))

    def told(self, number: int, assignment: Drawn, outcome: Outcome) -> None:
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


def fits(space: Mapping[str, Range], assignment: Drawn) -> bool:
    """Whether all of it lies in the space: what a search tried before its space was changed may not."""
    return all(path in space and holds(space[path], value) for path, value in assignment.items())


def holds(one: Range, value: Any) -> bool:
    if one.choices is not None:
        return value in one.choices
    return isinstance(value, int | float) and one.low <= value <= one.high


def _key(assignment: Drawn) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((path, repr(value)) for path, value in assignment.items()))


def make_sampler(spec: SearchSpec) -> Sampler:
    """What proposes for the search's algorithm."""
    made: Sampler = named(ALGORITHMS[spec.algorithm].make)(spec)
    return made
