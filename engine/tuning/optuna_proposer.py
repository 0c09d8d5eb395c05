"""Optuna proposes: TPE, also with two goals; CMA-ES; and the model of BOHB.

BOHB's own package must be compiled where it is installed. Its model is a TPE of all settings at once, which ranks
trials by how long they were let train before it compares them: Optuna's, when it is told of every epoch.
"""

import math
import warnings
from collections.abc import Mapping

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from engine.spec import SearchSpec
from engine.spec.ranges import Range
from engine.tuning.proposing import Drawn, Values, fits


class ByOptuna:
    """Choices are handed over by their place in the list: Optuna takes no tuples."""

    def __init__(self, spec: SearchSpec) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._spec, self._open = spec, dict[int, optuna.Trial]()
        self._distributions = {path: distribution(one) for path, one in spec.space.items()}
        goals = [StudyDirection.MAXIMIZE if spec.mode == "max" else StudyDirection.MINIMIZE]
        goals += [StudyDirection.MINIMIZE] if spec.cost != "none" else []
        self._study = optuna.create_study(directions=goals)
        self._is_seeded = False

    def propose(self, number: int) -> Drawn | None:
        if not self._is_seeded:  # by what is known: a search that goes on must not draw its first trials again
            self._study.sampler, self._is_seeded = self._sampler(number), True
        trial, drawn = self._study.ask(), dict[str, object]()
        for path, needed in self._spec.conditions.items():
            if all(drawn.get(parent) in values for parent, values in needed.items()):
                drawn[path] = self._suggest(trial, path)
        self._open[number] = trial
        return drawn

    def told(self, number: int, assignment: Drawn, values: Values, seen: Mapping[int, float]) -> None:
        is_good = values is not None and all(map(math.isfinite, values))
        is_whole = not seen or self._spec.cost != "none"  # of two goals Optuna knows whole trials alone
        state = (TrialState.COMPLETE if is_whole else TrialState.PRUNED) if is_good else TrialState.FAIL
        if trial := self._open.pop(number, None):
            for epoch, value in {} if is_whole else seen.items():
                trial.report(value, epoch)
            self._study.tell(trial, values if state is TrialState.COMPLETE else None, state)
        elif is_good and fits(self._spec.space, assignment):
            known = {path: self._distributions[path] for path in assignment}
            raw = {path: _raw(self._spec.space[path], value) for path, value in assignment.items()}
            about = {"values": values} if is_whole else {"intermediate_values": dict(seen)}
            self._study.add_trial(create_trial(params=raw, distributions=known, state=state, **about))

    def _sampler(self, number: int) -> BaseSampler:
        seed, first = self._spec.seed + number, self._spec.random_first
        match self._spec.algorithm:
            case "cmaes":
                return CmaEsSampler(seed=seed, n_startup_trials=first, warn_independent_sampling=False)
            case "bohb":
                warnings.filterwarnings("ignore", category=ExperimentalWarning)
                first = len(self._spec.space) + 2  # as BOHB has it
                return TPESampler(seed=seed, n_startup_trials=first, multivariate=True, group=True, constant_liar=False)
        return TPESampler(seed=seed, n_startup_trials=first)

    def _suggest(self, trial: optuna.Trial, path: str) -> object:
        one = self._spec.space[path]
        if one.choices is not None:
            return one.choices[trial.suggest_categorical(path, range(len(one.choices)))]
        if one.integers is not None:
            return trial.suggest_int(path, *one.integers, step=int(one.step or 1))
        step = None if one.kind == "log" else one.step  # Optuna knows no steps there: the value is rounded to one
        return trial.suggest_float(path, one.low, one.high, step=step, log=one.kind == "log")


def distribution(one: Range) -> BaseDistribution:
    """The range in Optuna's words."""
    if one.choices is not None:
        return CategoricalDistribution(range(len(one.choices)))
    if one.integers is not None:
        low, high = one.integers
        return IntDistribution(low, high, step=int(one.step or 1))
    return FloatDistribution(one.low, one.high, step=None if one.kind == "log" else one.step, log=one.kind == "log")


def _raw(one: Range, value: object) -> object:
    return value if one.choices is None else one.choices.index(value)
