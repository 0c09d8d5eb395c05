"""Optuna samples: TPE, also with two objectives; CMA-ES; and the model of BOHB.

BOHB's own package must be compiled where it is installed. Its model is a TPE of all settings at once, which ranks
trials by how long they trained before it compares them: Optuna's, when every epoch is reported to it.
"""

import copy
import math
import warnings
from collections.abc import Container, Sequence

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, CmaEsSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial

from engine.specs import SearchSpec
from engine.specs.ranges import Range
from engine.tuning.samplers.sampler import Outcome, Params, Sampler, is_in_space

WARM = 10  # trials of earlier drivers, at least, that CMA-ES can begin from: it takes the best tenth


class RunningAsPruned(InMemoryStorage):
    """Trials under way stand among the pruned ones, as far as they came: BOHB learns from those that wait for the rest
    of their bracket."""

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        found = [_as_pruned(one) for one in super().get_all_trials(study_id, deepcopy)]
        return [one for one in found if states is None or one.state in states]


def _as_pruned(trial: FrozenTrial) -> FrozenTrial:
    if trial.state is not TrialState.RUNNING or not trial.intermediate_values:
        return trial
    trial = copy.copy(trial)
    trial.state = TrialState.PRUNED
    return trial


class OptunaSampler(Sampler):
    """Choices are handed over by their index: Optuna takes no tuples."""

    def __init__(self, spec: SearchSpec) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._spec, self._open = spec, dict[int, optuna.Trial]()
        self._distributions = {path: optuna_distribution(one) for path, one in spec.space.items()}
        directions = [StudyDirection.MAXIMIZE if spec.mode == "max" else StudyDirection.MINIMIZE]
        directions += [StudyDirection.MINIMIZE] if spec.cost != "none" else []
        self._worst = [-math.inf if one is StudyDirection.MAXIMIZE else math.inf for one in directions]
        storage = RunningAsPruned() if spec.algorithm == "bohb" else InMemoryStorage()
        self._study = optuna.create_study(directions=directions, storage=storage)
        self._is_seeded = False

    def suggest(self, number: int) -> Params | None:
        if not self._is_seeded:  # by what is known: a search that goes on must not draw its first trials again
            self._study.sampler, self._is_seeded = self._sampler(number), True
        trial, drawn = self._study.ask(), dict[str, object]()
        for path, parents in self._spec.conditions.items():
            if all(drawn.get(parent) in values for parent, values in parents.items()):
                drawn[path] = self._suggest(trial, path)
        self._open[number] = trial
        return drawn

    def on_trial_result(self, number: int, epoch: int, value: float) -> None:
        if number in self._open and self._spec.cost == "none":  # of two objectives Optuna takes no single epochs
            self._open[number].report(value, epoch)

    def on_trial_complete(self, number: int, params: Params, outcome: Outcome) -> None:
        state, values = self._state_and_values(outcome)
        if trial := self._open.pop(number, None):
            for constraint in self._constraints(outcome).items():
                trial.set_constraint(*constraint)
            self._study.tell(trial, values, state)
        elif outcome.state != "unknown" and self._can_learn_from(params):
            known = create_trial(
                params={path: _encoded(self._spec.space[path], value) for path, value in params.items()},
                distributions={path: self._distributions[path] for path in params},
                state=state,
                values=values,
                intermediate_values=dict(outcome.intermediate_values) if self._spec.cost == "none" else None,
                constraints=self._constraints(outcome),
            )
            self._study.add_trial(known)

    def _state_and_values(self, outcome: Outcome) -> tuple[TrialState, Sequence[float] | None]:
        """TPE ranks trials that were pruned behind those that ended, and infeasible ones behind all. CMA-ES ranks by
        values alone: there a pruned trial counts as far as it came."""
        if outcome.state == "unknown":
            return TrialState.FAIL, None
        if outcome.state == "failed":
            return TrialState.COMPLETE, self._worst
        if outcome.state == "pruned" and self._spec.cost == "none" and self._spec.algorithm != "cmaes":
            return TrialState.PRUNED, None
        return TrialState.COMPLETE, outcome.values

    def _constraints(self, outcome: Outcome) -> dict[str, float]:
        """Optuna's constraints that the trial violates, each above 0."""
        return {"trained": 1.0} if outcome.state == "failed" and self._spec.algorithm != "cmaes" else {}

    def _can_learn_from(self, params: Params) -> bool:
        """CMA-ES would draw a field by chance for ever that one trial lacks, as those before the space was changed."""
        is_whole = self._spec.algorithm != "cmaes" or params.keys() == self._spec.space.keys()
        return is_whole and is_in_space(self._spec.space, params)

    def _sampler(self, number: int) -> BaseSampler:
        seed, num_random = self._spec.seed + number, self._spec.random_first
        match self._spec.algorithm:
            case "cmaes":
                warnings.filterwarnings("ignore", category=ExperimentalWarning)
                known = self._study.get_trials(states=[TrialState.COMPLETE])  # it begins where the best of them lie
                return CmaEsSampler(
                    seed=seed,
                    n_startup_trials=num_random,
                    warn_independent_sampling=False,
                    source_trials=known if len(known) >= WARM else None,
                )
            case "bohb":
                warnings.filterwarnings("ignore", category=ExperimentalWarning)
                num_random = len(self._spec.space) + 2  # as BOHB has it
                return TPESampler(seed=seed, n_startup_trials=num_random, multivariate=True, group=True)
        return TPESampler(seed=seed, n_startup_trials=num_random)

    def _suggest(self, trial: optuna.Trial, path: str) -> object:
        one = self._spec.space[path]
        if one.choices is not None:
            return one.choices[trial.suggest_categorical(path, range(len(one.choices)))]
        if one.integers is not None:
            return trial.suggest_int(path, *one.integers, step=int(one.step or 1))
        step = None if one.kind == "log" else one.step  # Optuna knows no steps there: the value is rounded to one
        return trial.suggest_float(path, one.low, one.high, step=step, log=one.kind == "log")


def optuna_distribution(one: Range) -> BaseDistribution:
    """The range in Optuna's terms."""
    if one.choices is not None:
        return CategoricalDistribution(range(len(one.choices)))
    if one.integers is not None:
        low, high = one.integers
        return IntDistribution(low, high, step=int(one.step or 1))
    return FloatDistribution(one.low, one.high, step=None if one.kind == "log" else one.step, log=one.kind == "log")


def _encoded(one: Range, value: object) -> object:
    """The base run's own value may lie between two steps: Optuna takes that for the nearer one."""
    return one.nearest(value) if one.choices is None else one.choices.index(value)
