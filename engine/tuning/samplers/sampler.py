"""What samples the settings of the next trial: at random, from a grid, or by an algorithm that learns."""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.catalog import ALGORITHMS
from engine.catalog.named import named
from engine.specs import SearchSpec
from engine.specs.ranges import Range

Params = Mapping[str, Any]  # field path -> value, of fields that do not count too


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a trial ended, as an algorithm takes it."""

    state: Literal["complete", "pruned", "failed", "unknown"]  # failed: worse than any; unknown: nothing was learned
    values: tuple[float, ...] = ()  # the metric and, with two objectives, its cost; () of failed and unknown ones
    intermediate_values: Mapping[int, float] = field(default_factory=dict)  # the metric after each epoch


class Sampler:
    """Trials are known to it by their numbers, 1 being the base run, which it learns from but never suggests."""

    def suggest(self, number: int) -> Params | None:
        """Settings of trial `number`; None: there are no more that it has not suggested.

        Raises:
            NotImplementedError: Each sampler has its own.
        """
        raise NotImplementedError

    def on_trial_resume(self, number: int, params: Params) -> None:
        """An earlier driver began trial `number`, which is to be trained on."""

    def on_trial_result(self, number: int, epoch: int, value: float) -> None:
        """The metric of a trial under way, once an epoch."""

    def on_trial_complete(self, number: int, params: Params, outcome: Outcome) -> None:
        """Trial `number` is over."""


class RandomSampler(Sampler):
    """Each trial's number is its own seed: a search that goes on draws what it would have drawn."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec = spec

    def suggest(self, number: int) -> Params | None:
        rng = random.Random(f"{self._spec.seed}:{number}")
        return {path: draw(one, rng) for path, one in self._spec.space.items()}


class GridSampler(Sampler):
    """Every combination once; those that were tried already, the base run's among them, are passed over."""

    def __init__(self, spec: SearchSpec) -> None:
        self._left: Iterator[Params] = spec.grid()
        self._tried = {_key(spec.base)}

    def suggest(self, number: int) -> Params | None:
        return next((one for one in self._left if _key(one) not in self._tried), None)

    def on_trial_resume(self, number: int, params: Params) -> None:
        self._tried.add(_key(params))

    def on_trial_complete(self, number: int, params: Params, outcome: Outcome) -> None:
        self._tried.add(_key(params))


def draw(one: Range, rng: random.Random) -> Any:
    """A value of the range, each as likely as its kind says."""
    if one.choices is not None:
        return rng.choice(one.choices)
    if one.count is not None and one.kind != "log":
        return rng.choice(one.values)
    if one.kind == "log":
        return one.nearest(math.exp(rng.uniform(math.log(one.low), math.log(one.high))))
    return rng.uniform(one.low, one.high)


def is_in_space(space: Mapping[str, Range], params: Params) -> bool:
    """Whether all of it lies in the space: what a search tried before its space was changed may not."""
    return all(path in space and is_in_range(space[path], value) for path, value in params.items())


def is_in_range(one: Range, value: Any) -> bool:
    if one.choices is not None:
        return value in one.choices
    return isinstance(value, int | float) and one.low <= value <= one.high


def _key(params: Params) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((path, repr(value)) for path, value in params.items()))


def make_sampler(spec: SearchSpec) -> Sampler:
    """The sampler of the search's algorithm."""
    made: Sampler = named(ALGORITHMS[spec.algorithm].make)(spec)
    return made
