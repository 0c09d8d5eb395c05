"""Optuna proposes: TPE, also with two goals; CMA-ES; and the model of BOHB.

BOHB's own package must be compiled where it is installed. Its model is a TPE of all settings at once, which ranks
trials by how long they were let train before it compares them: Optuna's, when it is told of every epoch.
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
from engine.tuning.samplers.sampler import Drawn, Outcome, Sampler, fits

WARM = 10  # trials of earlier drivers, at least, that CMA-ES can begin from: it takes the best tenth


class RunningAsPruned(InMemoryStorage):
    """Trials under way stand among the pruned ones, as far as they came: BOHB learns from those that wait for the rest
    of their round."""

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
    """Choices are handed over by their place in the list: Optuna takes no tuples."""

    def __init__(self, spec: SearchSpec) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._spec, self._open = spec, dict[int, optuna.Trial]()
        self._distributions = {path: distribution(one) for path, one in spec.space.items()}
        goals = [StudyDirection.MAXIMIZE if spec.mode == "max" else StudyDirection.MINIMIZE]
        goals += [StudyDirection.MINIMIZE] if spec.cost != "none" else []
        self._worst = [-math.inf if goal is StudyDirection.MAXIMIZE else math.inf for goal in goals]
        storage = RunningAsPruned() if spec.algorithm == "bohb" else InMemoryStorage()
        self._study = optuna.create_study(directions=goals, storage=storage)
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

    def saw(self, number: int, epoch: int, value: float) -> None:
        if number in self._open and self._spec.cost == "none":  # of two goals Optuna knows whole trials alone
            self._open[number].report(value, epoch)

    def told(self, number: int, assignment: Drawn, outcome: Outcome) -> None:
        state, values = self._in_optuna(outcome)
        if trial := self._open.pop(number, None):
            for broken in self._broken(outcome).items():
                trial.set_constraint(*broken)
            self._study.tell(trial, values, state)
        elif outcome.end != "unknown" and self._takes(assignment):
            known = create_trial(
                params={path: _raw(self._spec.space[path], value) for path, value in assignment.items()},
                distributions={path: self._distributions[path] for path in assignment},
                state=state,
                values=values,
                intermediate_values=dict(outcome.seen) if self._spec.cost == "none" else None,
                constraints=self._broken(outcome),
            )
            self._study.add_trial(known)

    def _in_optuna(self, outcome: Outcome) -> tuple[TrialState, Sequence[float] | None]:
        """TPE ranks trials that were pruned behind those that ended, and infeasible ones behind all. CMA-ES ranks by
        values alone: there a trial that was ended early counts as far as it came."""
        if outcome.end == "unknown":
            return TrialState.FAIL, None
        if outcome.end == "failed":
            return TrialState.COMPLETE, self._worst
        if outcome.end == "early" and self._spec.cost == "none" and self._spec.algorithm != "cmaes":
            return TrialState.PRUNED, None
        return TrialState.COMPLETE, outcome.values

    def _broken(self, outcome: Outcome) -> dict[str, float]:
        """Constraints that do not hold, each above 0."""
        return {"trained": 1.0} if outcome.end == "failed" and self._spec.algorithm != "cmaes" else {}

    def _takes(self, assignment: Drawn) -> bool:
        """CMA-ES would draw a field by chance for ever that one trial lacks, as those before the space was changed."""
        is_whole = self._spec.algorithm != "cmaes" or assignment.keys() == self._spec.space.keys()
        return is_whole and fits(self._spec.space, assignment)

    def _sampler(self, number: int) -> BaseSampler:
        seed, first = self._spec.seed + number, self._spec.random_first
        match self._spec.algorithm:
            case "cmaes":
                warnings.filterwarnings("ignore", category=ExperimentalWarning)
                known = self._study.get_trials(states=[TrialState.COMPLETE])  # it begins where the best of them lie
                return CmaEsSampler(
                    seed=seed,
                    n_startup_trials=first,
                    warn_independent_sampling=False,
                    source_trials=known if len(known) >= WARM else None,
                )
            case "bohb":
                warnings.filterwarnings("ignore", category=ExperimentalWarning)
                first = len(self._spec.space) + 2  # as BOHB has it
                return TPESampler(seed=seed, n_startup_trials=first, multivariate=True, group=True)
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
    """The base run's own value may lie between two steps: Optuna takes that for the nearer one."""
    return one.nearest(value) if one.choices is None else one.choices.index(value)
