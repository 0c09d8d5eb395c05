"""What ends trials early, as Ray's schedulers do it for a search: every one of them really ends some."""

import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.experiment import Trial as RayTrial

from engine.catalog import SCHEDULERS
from engine.protocol.reasons import Reason, Why
from engine.protocol.search_reporter import SearchReporter
from engine.specs import SearchSpec
from engine.tuning.lifecycle import ActiveSearch, SearchLifecycle
from engine.tuning.ray_adapters import CallbackAdapter
from engine.tuning.ray_bridge import RayBridge
from engine.tuning.ray_schedulers import make_scheduler, replay
from engine.tuning.trial_ledger import PastTrial, TrialLedger
from tests.trial_ledgers import make_job

EPOCHS = 9
PRUNING = [name for name in SCHEDULERS if name not in ("none", "pbt")]


def searching(scheduler: str, **values: Any) -> SearchSpec:
    algorithm = "bohb" if scheduler == "bohb" else "random"
    base = {"space": {"optimisation.learning_rate": {"log": [1e-4, 1e-2]}}, "run": {"epochs": EPOCHS}, "trials": 100}
    return SearchSpec.parse({**base, "algorithm": algorithm, "scheduler": scheduler, "grace_epochs": 1, **values})


class FakeTrial:
    """As Ray's, of which a scheduler knows this much; its score tells how good it is from the first epoch on."""

    def __init__(self, number: int, quality: float) -> None:
        self.trial_id, self.quality, self.epoch = str(number), quality, 0
        self.status, self.is_saving = RayTrial.PENDING, False

    @property
    def result(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "score": self.quality * self.epoch}


class Played:
    """Ray's controller, played: trials are suggested and trained as a search has it, without training anything.

    Args:
        failing: The share of epochs that a trial fails in.
    """

    def __init__(self, spec: SearchSpec, *, max_concurrent: int, failing: float) -> None:
        self.trials: list[FakeTrial] = []
        self.search_alg = SimpleNamespace(searcher=SimpleNamespace(on_pause=print, on_unpause=print))
        self._spec, self._max_concurrent, self._failing, self._chances = spec, max_concurrent, failing, random.Random(0)
        self._ends: Any = make_scheduler(spec, lambda trial, settings: settings)
        while any(self._step(trial) for trial in self._running()):
            pass

    def get_trials(self) -> list[FakeTrial]:
        return self.trials

    def get_live_trials(self) -> list[FakeTrial]:
        return [one for one in self.trials if one.status != RayTrial.TERMINATED]

    def stop_trial(self, trial: FakeTrial) -> None:
        if trial.status == RayTrial.RUNNING:
            self._ends.on_trial_complete(self, trial, trial.result)
        else:
            self._ends.on_trial_remove(self, trial)
        trial.status = RayTrial.TERMINATED

    def _count(self, *states: str) -> int:
        return sum(one.status in states for one in self.trials)

    def _running(self) -> Iterator[FakeTrial]:
        cap = 2 * self._max_concurrent if SCHEDULERS[self._spec.scheduler].together else self._max_concurrent
        while len(self.trials) < self._spec.trials and self._count(RayTrial.RUNNING, RayTrial.PENDING) < cap:
            self.trials.append(FakeTrial(len(self.trials), self._chances.random()))
            self._ends.on_trial_add(self, self.trials[-1])
        while self._count(RayTrial.RUNNING) < self._max_concurrent and (one := self._ends.choose_trial_to_run(self)):
            one.status = RayTrial.RUNNING
        return (one for one in list(self.trials) if one.status == RayTrial.RUNNING)

    def _step(self, trial: FakeTrial) -> bool:
        if self._chances.random() < 0.5:
            return True  # some are slower than others
        if self._chances.random() < self._failing:
            self._ends.on_trial_error(self, trial)
            trial.status = RayTrial.TERMINATED
            return True
        trial.epoch += 1
        if trial.epoch == EPOCHS:
            self.stop_trial(trial)
            return True
        decision = self._ends.on_trial_result(self, trial, trial.result)
        if decision == "STOP":
            self.stop_trial(trial)
        elif decision == "PAUSE":
            trial.status = RayTrial.PAUSED
        return True


@pytest.mark.parametrize("failing", [0, 0.05])
@pytest.mark.parametrize("max_concurrent", [1, 2, 8])
@pytest.mark.parametrize("name", PRUNING)
def test_every_scheduler_ends_the_worst_early(name: str, max_concurrent: int, failing: float) -> None:
    trials = Played(searching(name), max_concurrent=max_concurrent, failing=failing).trials
    assert len(trials) == 100 and all(one.status == RayTrial.TERMINATED for one in trials)
    whole = [one.quality for one in trials if one.epoch == EPOCHS]
    assert 3 <= len(whole) <= 60
    assert sum(whole) / len(whole) > 0.55  # of all: 0.5


@pytest.mark.parametrize("epochs", [10, 20, 30])
def test_the_best_of_a_round_train_to_their_last_epoch(epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.engine.tuning.test_ray_schedulers.EPOCHS", epochs)
    trials = Played(searching("hyperband", run={"epochs": epochs}), max_concurrent=2, failing=0).trials
    assert max(trials, key=lambda one: one.quality).epoch == epochs


@pytest.mark.parametrize("name", [name for name in SCHEDULERS if SCHEDULERS[name].remembers])
def test_trials_are_compared_with_those_of_earlier_drivers(name: str) -> None:
    made: Any = make_scheduler(searching(name), lambda trial, settings: settings)
    for number in range(6):
        replay(made, f"r{number}", {epoch: 0.8 + number / 100 for epoch in range(1, EPOCHS + 1)})
    worse, controller = FakeTrial(1, 0.1), SimpleNamespace(get_live_trials=list)
    made.on_trial_add(controller, worse)
    worse.epoch = 1
    assert made.on_trial_result(controller, worse, worse.result) == "STOP"


def bridge_of(folder: Path, spec: SearchSpec, past: list[PastTrial]) -> tuple[RayBridge, ActiveSearch]:
    job, reporter = make_job(folder, spec), SearchReporter(folder)
    ledger = TrialLedger(spec, reporter, past=past, num_trials=spec.num_trials)
    search = ActiveSearch(job, ledger, SearchLifecycle(job, ledger), reporter)
    return RayBridge(search, check_ray=lambda: None), search


def test_the_last_epoch_reaches_the_target_too(tmp_path: Path, no_signal_handlers: None) -> None:
    bridge, search = bridge_of(tmp_path, searching("none", target=0.9), [])
    bridge.suggest("t1")
    trial: Any = SimpleNamespace(trial_id="t1")
    CallbackAdapter(bridge).on_trial_result(1, [], trial, {"epoch": EPOCHS, "score": 0.95, "done": True})
    assert search.ledger.intermediate_values(next(iter(search.ledger.open))) == {EPOCHS: 0.95}
    ending = search.lifecycle.poll()
    assert ending and ending.why == Why.of(Reason.TARGET_REACHED, target=0.9)


def test_a_trial_that_goes_on_is_compared_from_its_first_epoch_on(tmp_path: Path, no_signal_handlers: None) -> None:
    history = [[epoch, 0.8] for epoch in range(1, EPOCHS + 1)]
    past = [PastTrial(f"r{number}", number, "finished", {}, 0.8, history=history) for number in range(1, 7)]
    half = PastTrial("r7", 7, "interrupted", {"optimisation.learning_rate": 1e-3}, 0.9, history=[[1, 0.9], [2, 0.9]])
    bridge, _ = bridge_of(tmp_path, searching("asha"), [*past, half])
    made: Any = bridge.make_scheduler()
    bridge.suggest("t7")
    rungs = {milestone: scores for milestone, scores in made._brackets[0]._rungs}
    assert len(rungs[1]) == 7 and rungs[1]["t7"] == 0.9 and "t7" not in rungs[3]
