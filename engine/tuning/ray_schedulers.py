"""Ray's schedulers, as searches use them: what may end a trial early, or change its settings on the way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ray import tune
from ray.tune.schedulers import (
    ASHAScheduler,
    FIFOScheduler,
    HyperBandForBOHB,
    MedianStoppingRule,
    PopulationBasedTraining,
    TrialScheduler,
)

from engine.catalog import SCHEDULERS
from engine.catalog.named import named
from engine.specs import SearchSpec
from engine.specs.ranges import Range
from engine.specs.space import Assignment

NewConfig = Callable[[Any, Assignment], dict[str, Any]]  # (Ray's trial, params) -> the config it goes on with
Objective = dict[str, Any]  # what every scheduler of Ray's is given: metric, mode, time_attr
NewScheduler = Callable[[SearchSpec, Objective, NewConfig], TrialScheduler]  # what the catalog names


def make_scheduler(spec: SearchSpec, new_config: NewConfig) -> TrialScheduler:
    """The scheduler of the search.

    Args:
        new_config: Called where a trial is to go on with new settings.
    """
    objective = {"metric": "score", "mode": spec.mode, "time_attr": "epoch"}
    make: NewScheduler = named(SCHEDULERS[spec.scheduler].make)
    return make(spec, objective, new_config)


@dataclass(frozen=True, slots=True, eq=False)
class PastRayTrial:
    """What stands for a trial of an earlier driver."""

    trial_id: str


def replay(scheduler: TrialScheduler, trial_id: str, values: Mapping[int, float]) -> None:
    """Have trials compared with this one: `on_trial_complete` notes a result and decides nothing.

    Args:
        values: The metric after each epoch.
    """
    past: Any = PastRayTrial(trial_id)
    controller: Any = None
    for epoch, score in sorted(values.items()):
        scheduler.on_trial_add(controller, past)
        scheduler.on_trial_complete(controller, past, {"score": score, "epoch": epoch})


def no_scheduler(spec: SearchSpec, objective: Objective, new_config: NewConfig) -> TrialScheduler:
    return FIFOScheduler()


def asha(spec: SearchSpec, objective: Objective, new_config: NewConfig) -> TrialScheduler:
    longest = spec.most_epochs
    return ASHAScheduler(
        max_t=longest, grace_period=min(spec.grace_epochs, longest), reduction_factor=spec.reduction, **objective
    )


def median_stopping(spec: SearchSpec, objective: Objective, new_config: NewConfig) -> TrialScheduler:
    return MedianStoppingRule(grace_period=spec.grace_epochs, min_samples_required=3, **objective)


class ClosedBracketHyperBand(HyperBandForBOHB):
    """HyperBand in which a trial waits, once it came far enough, until its bracket is full and its worst are ended.

    Ray's own lets newcomers in where trials of a bracket that was cut have ended: nobody would compare these any more.
    """

    def __init__(self, spec: SearchSpec, objective: Objective, new_config: NewConfig) -> None:
        super().__init__(  # the last of a bracket train to their own ends, which its multiples of epochs may not meet
            max_t=spec.most_epochs, reduction_factor=spec.reduction, stop_last_trials=False, **objective
        )

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        if self._state["bracket"] and not _has_room(self._state["bracket"]):
            self._state["bracket"] = None
        super().on_trial_add(tune_controller, trial)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """The place of one that ended by itself is taken by another, or its bracket goes on without it."""
        bracket, _ = self._trial_info[trial]
        bracket.cleanup_trial(trial)
        if not _has_room(bracket):
            bracket._n = min(bracket._n, len(bracket.current_trials()))


def _has_room(bracket: Any) -> bool:
    """Whether a bracket was not cut yet; one that never is takes as many as it is for."""
    return not bracket.is_being_processed and (bracket._halves > 0 or len(bracket._all_trials) < bracket._n0)


class ConstrainedPBT(PopulationBasedTraining):
    """Population based training (Jaderberg et al. 2017) whose trials keep to the space, and each to its own run."""

    def __init__(self, spec: SearchSpec, objective: Objective, new_config: NewConfig) -> None:
        domains = {path: tune_domain(one) for path, one in spec.space.items()}
        super().__init__(
            perturbation_interval=spec.perturb_epochs, hyperparam_mutations=domains, log_config=False, **objective
        )
        self._paths, self._new_config = tuple(spec.space), new_config

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        controller: Any = SimpleNamespace(search_alg=None)  # it refuses any searcher, also one by chance
        super().on_trial_add(controller, trial)

    def _get_new_config(self, trial: Any, trial_to_clone: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        new, how = super()._get_new_config(trial, trial_to_clone)
        return self._new_config(trial, {path: new[path] for path in self._paths if path in new}), how


def tune_domain(one: Range) -> Any:
    """The range in Ray's terms; `SearchSpec.assigned` puts right what lies off its steps or beyond its ends."""
    if one.count is not None and one.kind != "log":
        return list(one.values)
    return tune.loguniform(one.low, one.high) if one.kind == "log" else tune.uniform(one.low, one.high)
