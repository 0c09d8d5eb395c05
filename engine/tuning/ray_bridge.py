"""Trials that Ray Tune drives: what its searcher, callbacks and stopper do, in one thread and one place."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ray.exceptions import RayActorError
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import TrialScheduler
from ray.tune.search import Searcher

from engine.catalog.schedulers import SCHEDULERS
from engine.errors import Refused
from engine.faults import FAULTS
from engine.machine import resources
from engine.protocol.search_reporter import SearchReporter
from engine.training.failures import explain
from engine.tuning.epoch_gate import LEAVE, StopRequest
from engine.tuning.job import SearchJob, has_ended
from engine.tuning.lifecycle import SearchLifecycle
from engine.tuning.ray_schedulers import remember, scheduler
from engine.tuning.trial_ledger import Trial, TrialLedger

LEAVE_S = 20.0  # that trials have to save and leave: less than the supervisor gives to all of it
WORD_S = 10.0  # for the last word of a trial that was ended
KILLED = "Its process was killed, and again when it was tried anew."

log = logging.getLogger("thaw")


@dataclass(slots=True)
class EndingTrial:
    """A trial that Ray is done with, whose process may still be saving."""

    state: str
    told: dict[str, Any]  # for `TrialLedger.tell`
    until: float  # monotonic: then its last word is written for it


class RayBridge:
    """
    Args:
        watch: Raises, or never returns, when Ray is no longer there.
    """

    def __init__(
        self,
        job: SearchJob,
        ledger: TrialLedger,
        lifecycle: SearchLifecycle,
        reporter: SearchReporter,
        watch: Callable[[], None],
    ) -> None:
        self._job, self._ledger, self._lifecycle, self._reporter = job, ledger, lifecycle, reporter
        self._watch = watch
        self._ends = SCHEDULERS[job.spec.scheduler]
        self._scheduler: TrialScheduler | None = None
        self._runs: dict[str, str] = {}  # Ray's trial -> our run
        self._trials: list[RayTrial] = []  # Ray's own list, which grows
        self._aside: set[str] = set()  # Ray's trials that were saved and not begun again
        self._leaving: dict[str, EndingTrial] = {}  # by runs
        self._closed_at: float | None = None
        self._kills: dict[str, int] = {}  # by Ray's trial: processes killed for memory here, when it began

    def scheduler(self) -> TrialScheduler:
        """One of Ray's, which knows what trials that are over have shown."""
        self._scheduler = scheduler(self._job.spec, self.change)
        for run in self._ledger.over:
            self._remember(run, run)
        return self._scheduler

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The config of the next trial; None: not now."""
        self.look()
        if self._lifecycle.closing or self._ledger.is_over:
            return None if self._ledger.open and self._lifecycle.closing is None else str(Searcher.FINISHED)
        if self._running() >= self._job.at_once and not self._ends.together:
            return None  # what learns should know as much as it can before it is asked
        asked = self._ledger.ask()
        if asked is None:
            return None if self._ledger.open else str(Searcher.FINISHED)
        self._runs[trial_id], self._kills[trial_id] = asked.run, resources.kills()
        self._remember(trial_id, asked.run)
        return self._config(asked)

    def look(self) -> None:
        """Often: whether Ray lives, what the user asks, whose last word has come."""
        self._watch()
        if self._lifecycle.closing and self._closed_at is None:
            self._closed_at = time.monotonic()
        for run, one in list(self._leaving.items()):
            if has_ended(self._job.run_folder(run)) or time.monotonic() > one.until:
                self._settle(run, one)
        over, wanted = self._ledger.count
        training = sum(trial.status == RayTrial.RUNNING for trial in self._trials)
        self._reporter.progress("searching", f"{over} of {wanted} trials over, {training} training")

    def is_closed(self) -> bool:
        """Whether nothing more is to be expected of trials."""
        if self._closed_at is None:
            return False
        return not self._running() or time.monotonic() - self._closed_at > LEAVE_S

    def on_result(self, trial_id: str, result: dict[str, Any]) -> None:
        run = self._runs[trial_id]
        self._aside.discard(trial_id)
        score = float(result["score"])
        if not math.isnan(score):
            self._ledger.saw(run, int(result["epoch"]), score)
            self._lifecycle.saw(score)

    def on_save(self, trial: RayTrial) -> None:
        if trial.status == RayTrial.PAUSED:
            self._aside.add(trial.trial_id)

    def on_complete(self, trial: RayTrial) -> None:
        """Ray is done with a trial: it has ended, or its scheduler ends it."""
        run, result = self._runs[trial.trial_id], trial.last_result or {}
        told = self._told(result)
        if state := result.get("state"):  # its own last word
            self._leave(run, state, {**told, "reason": result["reason"], "advice": result["advice"]})
            return
        reason = f"Pruned by {self._ends.label} after epoch {result.get('epoch', 0)}."
        StopRequest("stopped", reason).write(self._job.run_folder(run) / LEAVE)
        if trial.trial_id in self._aside:
            self._job.end_run(run, "stopped", reason)
        self._leave(run, "stopped", {**told, "reason": reason})

    def on_recover(self, trial: RayTrial) -> None:
        asked = self._ledger.open[self._runs[trial.trial_id]]
        text = f"The process of trial {asked.number} was killed; it goes on from its last checkpoint."
        self._reporter.message("warning", text)

    def on_error(self, trial: RayTrial) -> None:
        """Its process died too often, or what Ray called in it raised."""
        run, error = self._runs[trial.trial_id], trial.get_error()
        reason, advice = KILLED, FAULTS["killed"].advice
        if error is not None and not isinstance(error, RayActorError):
            failure = explain(getattr(error, "cause", None) or error)
            reason, advice = failure.reason, failure.advice
        elif resources.kills() > self._kills[trial.trial_id]:
            fault = FAULTS["killed for memory"]
            reason, advice = f"{fault.reason}.", fault.advice
        log.error("trial %s: %s", run, error or reason)
        self._job.end_run(run, "failed", reason, advice)
        self._leave(run, "failed", {**self._told(trial.last_result or {}), "reason": reason, "advice": advice})

    def change(self, trial: RayTrial, assignment: dict[str, Any]) -> dict[str, Any]:
        """A trial goes on from another's weights, with new settings; with its own where these do not go together."""
        run = self._runs[trial.trial_id]
        try:
            asked = self._ledger.change(run, assignment)
        except Refused:
            return dict(trial.config)
        return self._config(asked)

    def finish(self) -> None:
        """Ray is gone: see that every trial has its last word."""
        for run, one in list(self._leaving.items()):
            self._settle(run, one)
        word = self._lifecycle.ending.word
        state = word.state or "stopped"
        for run in list(self._ledger.open):
            self._job.end_run(run, state, word.reason)
            self._ledger.tell(run, state, reason=word.reason)

    def _config(self, asked: Trial) -> dict[str, Any]:
        folder = self._job.lay_out(asked)
        about = {"folder": str(folder), "leave": str(self._job.leave), "score": self._job.spec.metric}
        return {**about, **asked.assignment}

    def _remember(self, trial_id: str, run: str) -> None:
        if self._scheduler and self._ends.remembers:
            remember(self._scheduler, trial_id, self._ledger.seen(run))

    def _running(self) -> int:
        return sum(trial.status in (RayTrial.RUNNING, RayTrial.PENDING) for trial in self._trials)

    def _told(self, result: dict[str, Any]) -> dict[str, Any]:
        best, cost = result.get("best"), self._job.spec.cost
        value = float(best) if best is not None and best == best else None
        return {"value": value, "cost": None if cost == "none" else float(result.get(cost) or 0) or None}

    def _leave(self, run: str, state: str, told: dict[str, Any]) -> None:
        if run in self._ledger.open and run not in self._leaving:
            self._leaving[run] = EndingTrial(state, told, time.monotonic() + WORD_S)
            self.look()

    def _settle(self, run: str, one: EndingTrial) -> None:
        del self._leaving[run]
        self._job.end_run(run, one.state, one.told.get("reason"))
        self._ledger.tell(run, one.state, **one.told)


class SearcherAdapter(Searcher):
    """Ray's searcher: hands everything on. Ray keeps copies of its state, which are not wanted."""

    def __init__(self, bridge: RayBridge) -> None:
        super().__init__(metric="score", mode=bridge._job.spec.mode)
        self._bridge = bridge

    def suggest(self, trial_id: str) -> Any:
        return self._bridge.suggest(trial_id)

    def set_search_properties(self, metric: Any, mode: Any, config: Any, **spec: Any) -> bool:
        return True

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        pass  # the callback hears it with more

    def on_pause(self, trial_id: str) -> None:
        """Called by BOHB's HyperBand."""

    def on_unpause(self, trial_id: str) -> None:
        """Called by BOHB's HyperBand."""

    def save(self, checkpoint_path: str) -> None:
        pass

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass

    def restore(self, checkpoint_path: str) -> None:
        pass

    def get_state(self) -> dict[str, Any]:
        return {}

    def __reduce__(self) -> Any:
        return (object, ())


class CallbackAdapter(Callback):
    """Ray's callback: hands on what happens to trials."""

    def __init__(self, bridge: RayBridge) -> None:
        self._bridge = bridge

    def on_step_begin(self, iteration: int, trials: list[RayTrial], **info: Any) -> None:
        self._bridge._trials = trials
        self._bridge.look()

    def on_trial_result(
        self, iteration: int, trials: list[RayTrial], trial: RayTrial, result: dict[str, Any], **info: Any
    ) -> None:
        self._bridge.on_result(trial.trial_id, result)  # a searcher hears of no trial's last epoch

    def on_trial_save(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_save(trial)

    def on_trial_complete(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_complete(trial)

    def on_trial_recover(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_recover(trial)

    def on_trial_error(self, iteration: int, trials: list[RayTrial], trial: RayTrial, **info: Any) -> None:
        self._bridge.on_error(trial)

    def __reduce__(self) -> Any:
        return (object, ())


class StopperAdapter(Stopper):
    """Ray's stopper: ends the whole once every trial has left."""

    def __init__(self, bridge: RayBridge) -> None:
        self._bridge = bridge

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False

    def stop_all(self) -> bool:
        return self._bridge.is_closed()

    def __reduce__(self) -> Any:
        return (object, ())
