"""What Ray Tune asks and reports while it drives the trials of a search, as entries of the search's ledger."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ray.exceptions import RayActorError
from ray.tune.experiment import Trial as RayTrial
from ray.tune.schedulers import TrialScheduler

from engine.catalog.schedulers import SCHEDULERS
from engine.errors import Refused
from engine.faults import FAULTS
from engine.machine import resources
from engine.protocol.driver_requests import LEAVE, StopRequest
from engine.protocol.events import EventCode
from engine.protocol.reasons import Reason, Why
from engine.protocol.run_lines import has_ended
from engine.specs.space import Assignment
from engine.training.failures import explain
from engine.tuning.lifecycle import ActiveSearch
from engine.tuning.ray_schedulers import make_scheduler, replay
from engine.tuning.ray_trial import trainable_config
from engine.tuning.trial_ledger import Trial

LEAVE_S = 20.0  # that trials have to save and leave: less than the supervisor gives to all of it
LAST_LINE_S = 10.0  # for the last line of a trial that was ended

log = logging.getLogger("thaw")


@dataclass(frozen=True, slots=True)
class EndingTrial:
    """A trial that Ray is done with, whose process may still be saving."""

    state: str
    until: float  # monotonic: then its last line is written for it
    value: float | None
    cost: float | None
    why: Why | None


class RayBridge:
    """Ray's adapters call it, all in one thread.

    Args:
        check_ray: Never returns when Ray is no longer there.
    """

    def __init__(self, search: ActiveSearch, check_ray: Callable[[], None]) -> None:
        self._search, self._check_ray = search, check_ray
        self._job, self._ledger, self._lifecycle = search.job, search.ledger, search.lifecycle
        self._scheduler_row = SCHEDULERS[search.job.spec.scheduler]
        self._scheduler: TrialScheduler | None = None
        self._runs: dict[str, str] = {}  # Ray's trial -> our run
        self._ray_trials: list[RayTrial] = []  # Ray's own list, which grows
        self._paused: set[str] = set()  # Ray's trials that were saved and not begun again
        self._ending: dict[str, EndingTrial] = {}  # by runs
        self._ended_at: float | None = None  # monotonic: when the search was seen to end
        self._kills: dict[str, int] = {}  # by Ray's trial: processes killed for memory here, when it began

    @property
    def mode(self) -> str:
        """ "max" or "min": which end of the metric is best."""
        return self._job.spec.mode

    @property
    def is_exhausted(self) -> bool:
        """Whether no further trial is to be expected of `suggest`."""
        return not self._search.goes_on

    @property
    def all_have_left(self) -> bool:
        """Whether the search ends, and no trial trains any more or has had long enough to leave."""
        if self._ended_at is None:
            return False
        return not self._num_running() or time.monotonic() - self._ended_at > LEAVE_S

    def make_scheduler(self) -> TrialScheduler:
        """One of Ray's, which knows what trials that are over have shown."""
        self._scheduler = make_scheduler(self._job.spec, self._new_config)
        for run in self._ledger.over:
            self._replay(run, run)
        return self._scheduler

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """The config of the next trial; None: not now."""
        self._poll()
        if self.is_exhausted:
            return None
        if self._num_running() >= self._job.max_concurrent and not self._scheduler_row.together:
            return None  # a sampler should know as much as it can before it suggests
        trial = self._ledger.next_trial()
        if trial is None:
            return None
        self._runs[trial_id], self._kills[trial_id] = trial.run, resources.kills()
        self._replay(trial_id, trial.run)
        return self._config(trial)

    def on_step(self, ray_trials: list[RayTrial]) -> None:
        self._ray_trials = ray_trials
        self._poll()

    def on_result(self, trial_id: str, result: dict[str, Any]) -> None:
        run = self._runs[trial_id]
        self._paused.discard(trial_id)
        score = float(result["score"])
        if not math.isnan(score):
            self._ledger.report(run, int(result["epoch"]), score)
            self._lifecycle.report(score)

    def on_save(self, ray_trial: RayTrial) -> None:
        if ray_trial.status == RayTrial.PAUSED:
            self._paused.add(ray_trial.trial_id)

    def on_complete(self, ray_trial: RayTrial) -> None:
        """Ray is done with a trial: it has ended, or its scheduler ends it."""
        run, result = self._runs[ray_trial.trial_id], ray_trial.last_result or {}
        if state := result.get("state"):  # its own last report
            self._end(run, state, result, Why.read(result))
            return
        why = Why.of(Reason.PRUNED, scheduler=self._scheduler_row.label, epoch=result.get("epoch", 0))
        StopRequest.of("stopped", why).write(self._job.run_folder(run) / LEAVE)
        if ray_trial.trial_id in self._paused:
            self._job.end_run(run, "stopped", why)
        self._end(run, "stopped", result, why)

    def on_recover(self, ray_trial: RayTrial) -> None:
        trial = self._ledger.open[self._runs[ray_trial.trial_id]]
        self._search.reporter.message(EventCode.TRIAL_RECOVERED, number=trial.number)

    def on_error(self, ray_trial: RayTrial) -> None:
        """Its process died too often, or what Ray called in it raised."""
        run, error = self._runs[ray_trial.trial_id], ray_trial.get_error()
        why = Why.of(Reason.KILLED_AGAIN, advice=FAULTS[Reason.KILLED_AGAIN].advice)
        if error is not None and not isinstance(error, RayActorError):
            why = explain(getattr(error, "cause", None) or error)
        elif resources.kills() > self._kills[ray_trial.trial_id]:
            why = Why.of(Reason.KILLED_FOR_MEMORY, advice=FAULTS[Reason.KILLED_FOR_MEMORY].advice)
        log.error("trial %s: %s", run, error or why.reason)
        self._job.end_run(run, "failed", why)
        self._end(run, "failed", ray_trial.last_result or {}, why)

    def finish(self) -> None:
        """Ray is gone: see that every trial has its last line."""
        for run in list(self._ending):
            self._settle(run)
        request = self._lifecycle.conclude().stop_request
        state = request.state or "stopped"
        for run in list(self._ledger.open):
            self._job.end_run(run, state, request.why)
            self._ledger.end(run, state, why=request.why)

    def _poll(self) -> None:
        """Often: whether Ray lives, what the user asks, whose last line has come."""
        self._check_ray()
        if self._lifecycle.poll() and self._ended_at is None:
            self._ended_at = time.monotonic()
        for run, one in list(self._ending.items()):
            if has_ended(self._job.run_folder(run)) or time.monotonic() > one.until:
                self._settle(run)
        num_over, num_trials = self._ledger.progress
        training = sum(one.status == RayTrial.RUNNING for one in self._ray_trials)
        self._search.reporter.progress("searching", f"{num_over} of {num_trials} trials over, {training} training")

    def _new_config(self, ray_trial: RayTrial, params: Assignment) -> dict[str, Any]:
        """A trial goes on from another's weights, with new settings; with its own where these do not go together."""
        try:
            trial = self._ledger.change_params(self._runs[ray_trial.trial_id], params)
        except Refused:
            return dict(ray_trial.config)
        return self._config(trial)

    def _config(self, trial: Trial) -> dict[str, Any]:
        folder, job = self._job.prepare_run(trial), self._job
        return trainable_config(folder, stop_file=job.stop_file, metric=job.spec.metric, params=trial.params)

    def _replay(self, trial_id: str, run: str) -> None:
        if self._scheduler and self._scheduler_row.remembers:
            replay(self._scheduler, trial_id, self._ledger.intermediate_values(run))

    def _num_running(self) -> int:
        return sum(one.status in (RayTrial.RUNNING, RayTrial.PENDING) for one in self._ray_trials)

    def _end(self, run: str, state: str, result: dict[str, Any], why: Why | None) -> None:
        """Wait for the run's own last line, with what the trial's last `result` says of its value and cost."""
        if run not in self._ledger.open or run in self._ending:
            return
        best, objective = result.get("best"), self._job.spec.cost
        value = float(best) if best is not None and best == best else None
        cost = None if objective == "none" else float(result.get(objective) or 0) or None
        self._ending[run] = EndingTrial(state, time.monotonic() + LAST_LINE_S, value, cost, why)
        self._poll()

    def _settle(self, run: str) -> None:
        one = self._ending.pop(run)
        self._job.end_run(run, one.state, one.why)
        self._ledger.end(run, one.state, value=one.value, cost=one.cost, why=one.why)
