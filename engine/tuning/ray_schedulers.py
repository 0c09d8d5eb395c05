"""Ray's schedulers, as a search asks for them: what may end a trial early, or change its settings on the way."""

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

Change = Callable[[Any, dict[str, Any]], dict[str, Any]]  # (Ray's trial, settings) -> the config it goes on with


def scheduler(spec: SearchSpec, change: Change) -> TrialScheduler:
    """
    Args:
        change: Told of new settings that a trial is to go on with.
    """
    goal = {"metric": "score", "mode": spec.mode, "time_attr": "epoch"}
    made: TrialScheduler = named(SCHEDULERS[spec.scheduler].make)(spec, goal, change)
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What stands for a trial of an earlier driver."""

    trial_id: str


def remember(made: TrialScheduler, trial_id: str, seen: Mapping[int, float]) -> None:
    """Have trials compared with what this one has shown: `on_trial_complete` notes a result and decides nothing.

    Args:
        seen: The metric after each epoch.
    """
    past: Any = Past(trial_id)
    nobody: Any = None
    for epoch, score in sorted(seen.items()):
        made.on_trial_add(nobody, past)
        made.on_trial_complete(nobody, past, {"score": score, "epoch": epoch})


def none(spec: SearchSpec, goal: dict[str, Any], change: Change) -> TrialScheduler:
    return FIFOScheduler()


def asha(spec: SearchSpec, goal: dict[str, Any], change: Change) -> TrialScheduler:
    longest = spec.most_epochs
    return ASHAScheduler(
        max_t=longest, grace_period=min(spec.grace_epochs, longest), reduction_factor=spec.reduction, **goal
    )


def median(spec: SearchSpec, goal: dict[str, Any], change: Change) -> TrialScheduler:
    return MedianStoppingRule(grace_period=spec.grace_epochs, min_samples_required=3, **goal)


class ClosedBracketHyperBand(HyperBandForBOHB):
    """HyperBand in which a trial waits, once it came far enough, until its round is full and its worst are ended.

    Ray's own lets newcomers in where trials of a round that was cut have ended: nobody would compare these any more.
    """

    def __init__(self, spec: SearchSpec, goal: dict[str, Any], change: Change) -> None:
        super().__init__(  # the last of a round train to their own ends, which its multiples of epochs may not meet
            max_t=spec.most_epochs, reduction_factor=spec.reduction, stop_last_trials=False, **goal
        )

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        if self._state["bracket"] and not _takes_more(self._state["bracket"]):
            self._state["bracket"] = None
        super().on_trial_add(tune_controller, trial)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:
        """The place of one that ended by itself is taken by another, or its round goes on without it."""
        bracket, _ = self._trial_info[trial]
        bracket.cleanup_trial(trial)
        if not _takes_more(bracket):
            bracket._n = min(bracket._n, len(bracket.current_trials()))


def _takes_more(bracket: Any) -> bool:
    """Whether a round was not cut yet; one that never is takes as many as it is for."""
    return not bracket.is_being_processed and (bracket._halves > 0 or len(bracket._all_trials) < bracket._n0)


class ConstrainedPBT(PopulationBasedTraining):
    """A trial that takes over from another stays the run that it is, with settings of the searched space."""

    def __init__(self, spec: SearchSpec, goal: dict[str, Any], change: Change) -> None:
        drawn = {path: in_tune(one) for path, one in spec.space.items()}
        super().__init__(
            perturbation_interval=spec.perturb_epochs, hyperparam_mutations=drawn, log_config=False, **goal
        )
        self._paths, self._change = tuple(spec.space), change

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        nameless: Any = SimpleNamespace(search_alg=None)  # it refuses any searcher, also one by chance
        super().on_trial_add(nameless, trial)

    def _get_new_config(self, trial: Any, trial_to_clone: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        new, how = super()._get_new_config(trial, trial_to_clone)
        return self._change(trial, {path: new[path] for path in self._paths if path in new}), how


def in_tune(one: Range) -> Any:
    """The range in Ray's words; what lies off its steps or beyond its ends is put right by who asked."""
    if one.count is not None and one.kind != "log":
        return list(one.values)
    return tune.loguniform(one.low, one.high) if one.kind == "log" else tune.uniform(one.low, one.high)
