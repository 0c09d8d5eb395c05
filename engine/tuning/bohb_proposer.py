"""BOHB proposes: a model of what is good for each budget of epochs, from trials that were ended early too."""

from dataclasses import dataclass
from typing import Any

import ConfigSpace
import numpy as np
from hpbandster.optimizers.config_generators.bohb import BOHB

from engine.spec import SearchSpec
from engine.spec.ranges import Range
from engine.tuning.proposing import Drawn, fits, lowest


class ByBohb:
    """It draws every field, of those that do not count too: its own conditions do not work with this ConfigSpace."""

    def __init__(self, spec: SearchSpec) -> None:
        self._spec, self._drawn = spec, dict[int, dict[str, Any]]()
        self._seen: set[int] = set()
        space = ConfigSpace.ConfigurationSpace(seed=spec.seed)
        space.add([in_config_space(path, one) for path, one in spec.space.items()])
        np.random.seed(spec.seed)  # it has no chances of its own
        self._model = BOHB(space)

    def propose(self, number: int) -> Drawn | None:
        drawn = dict(self._model.get_config(None)[0])
        self._drawn[number] = drawn
        return {path: _plain(self._spec.space[path], raw) for path, raw in drawn.items()}

    def saw(self, number: int, value: float, budget: float) -> None:
        if drawn := self._drawn.get(number):
            self._seen.add(number)
            self._model.new_result(_Job(drawn, budget, lowest(self._spec, (value,))))

    def told(self, number: int, assignment: Drawn, values: tuple[float, ...] | None) -> None:
        """Of trials that it saw at their budgets it knows all; others count with the longest one."""
        whole = fits(self._spec.space, assignment) and assignment.keys() == self._spec.space.keys()
        if number not in self._seen and values is not None and whole:
            raw = {path: _raw(self._spec.space[path], value) for path, value in assignment.items()}
            self._model.new_result(_Job(raw, float(self._spec.most_epochs), lowest(self._spec, values)))


@dataclass(slots=True)
class _Job:
    """A result as hpbandster takes it."""

    config: dict[str, Any]
    budget: float
    loss: float
    exception: None = None

    @property
    def result(self) -> dict[str, float]:
        return {"loss": self.loss}

    @property
    def kwargs(self) -> dict[str, Any]:
        return {"budget": self.budget, "config": dict(self.config)}


def in_config_space(path: str, one: Range) -> Any:
    """The range in ConfigSpace's words; choices by their place in the list."""
    if one.choices is not None:
        return ConfigSpace.CategoricalHyperparameter(path, [str(place) for place in range(len(one.choices))])
    if one.integers is not None:
        return ConfigSpace.UniformIntegerHyperparameter(path, int(one.low), int(one.high))
    return ConfigSpace.UniformFloatHyperparameter(path, one.low, one.high, log=one.kind == "log")


def _plain(one: Range, raw: Any) -> Any:
    return one.choices[int(raw)] if one.choices is not None else raw


def _raw(one: Range, value: Any) -> Any:
    return str(one.choices.index(value)) if one.choices is not None else value
