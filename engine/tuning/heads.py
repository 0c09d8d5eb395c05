"""Searches among heads on frozen stages: many train at once, as one computation over features computed once.

No process is started for a trial, and none of Ray's: the driver trains them itself, block by block.
"""

import copy
import math
import os
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.catalog import ALGORITHMS
from engine.protocol.driver_requests import LEAVE, StopRequest
from engine.protocol.events import EventCode
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Why
from engine.protocol.run_reporter import NullReporter, Reporter
from engine.protocol.search_reporter import SearchReporter
from engine.training import device as devices
from engine.training.epoch_data import EpochData
from engine.training.failures import Stopped, explain, is_disk_full, is_lost_helper, is_out_of_memory
from engine.training.head_ensemble import HeadEnsemble, Member, with_own_head
from engine.training.memory import Memory, free_memory
from engine.training.metric_logger import MetricLogger
from engine.training.preparation import PreparedData, build, build_network, equip, find_weights, prepare_data
from engine.training.randomness import seed_all
from engine.training.retention import Checkpoints
from engine.tuning.epoch_gate import POLL_S, TrialProgress
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import ActiveSearch
from engine.tuning.stepped_training import SteppedTraining, StepResult
from engine.tuning.trial_ledger import Trial, TrialLedger

BLOCK, LEARNING = 32, 8  # heads at a time: where the algorithm draws at random, and where it learns from those before


def train(search: ActiveSearch) -> None:
    """Train the trials, until the search ends."""
    job, ledger = search.job, search.ledger
    block = job.spec.max_concurrent or (LEARNING if ALGORITHMS[job.spec.algorithm].learns else BLOCK)
    _report_start(search, block)
    shared: _SharedNetwork | None = None
    while search.goes_on:
        trials = _next_trials(ledger, block)
        alone = [one for one in trials if _is_begun(job, one)]
        if new := [one for one in trials if one not in alone]:
            try:
                shared = shared or _SharedNetwork(search)
            except Stopped:
                for one in trials:
                    _end_untrained(search, one)
                return
            alone += shared.train(new) if shared.has_features else new
            block = min(block, max(1, shared.max_heads))
        for one in alone:
            if search.lifecycle.poll():
                _end_untrained(search, one)
            else:
                _train_alone(search, one)


def _report_start(search: ActiveSearch, block: int) -> None:
    job, reporter = search.job, search.reporter
    device = devices.describe(_device(job))
    reporter.started(attempt=job.attempt, pid=os.getpid(), device=device, max_concurrent=block, path="heads")
    if job.spec.scheduler != "none":
        reporter.message(EventCode.NONE_PRUNED)


def _next_trials(ledger: TrialLedger, most: int) -> list[Trial]:
    trials: list[Trial] = []
    while len(trials) < most and (one := ledger.next_trial()):
        trials.append(one)
    return trials


def _is_begun(job: SearchJob, trial: Trial) -> bool:
    """Whether an earlier driver left a checkpoint of it."""
    return any(job.run_folder(trial.run).glob("checkpoints/e*"))


def _device(job: SearchJob) -> torch.device:
    return devices.choose(job.device)


class _SharedNetwork:
    """What all trials share, made once: images, network, features.

    Raises:
        Stopped: The search was asked to end meanwhile.
        Unavailable: Images or weights are not to be had.
    """

    def __init__(self, search: ActiveSearch) -> None:
        self._search, self._job = search, search.job
        self._device = _device(search.job)
        devices.prepare(self._device)
        base, file = self._job.spec.run, self._job.file
        path, cache = file.weights_paths.get(base.model.weights_from), Path(file.cache)
        reporter, stop = _SetupReporter(search.reporter), lambda: search.lifecycle.poll() is not None
        seed_all(base.seed)
        found = find_weights(base, path, reporter, stop)
        self._data: PreparedData = prepare_data(
            file.dataset, base, cache, reporter, stop, norm_stats=found.norm_stats if found else None
        )
        self._network: nn.Module = build_network(base, self._data.about, found, reporter)
        training, recipe, images = build(base, self._data, self._device, self._network)
        self._training_data, _ = equip(
            base, self._data, training, recipe, images, cache=cache, reporter=reporter, stop=stop
        )
        self._training_data.is_shared = True
        self.has_features = self._training_data.for_epoch(0).cut is not None  # not where there is no room for them
        self.max_heads = BLOCK  # that memory is known to be enough for, at most
        self._polled_at = 0.0  # monotonic
        self._stop_requests: dict[str, StopRequest | None] = {}  # by runs of the heads that train

    def train(self, trials: list[Trial]) -> list[Trial]:
        """Train new trials together, each to its own end. Returns those that memory was not enough for."""
        if len(trials) > 1:
            self._search.reporter.message(EventCode.HEADS_AT_ONCE, heads=len(trials))
        heads = [_HeadTrial(one, self._search) for one in trials]
        self._stop_requests = dict.fromkeys((one.run for one in trials), None)
        try:
            for size in sorted({one.spec.optimisation.batch_size for one in trials}):  # those that see the same batches
                self._fit([head for head in heads if head.trial.spec.optimisation.batch_size == size])
        except Stopped:
            for head in heads:
                head.stop_request = self._search.lifecycle.conclude().stop_request
                head.end(False, None)
        except Exception as error:  # what all of them share went wrong
            for head in heads:
                head.end(False, error)
        finally:
            for head in heads:
                head.close()
        return [head.trial for head in heads if not head.is_over]

    def _fit(self, heads: list["_HeadTrial"]) -> None:
        training_data, members = copy.copy(self._training_data), []
        for head in heads:
            try:
                member, training_data.images = self._member(head)
                members.append(member)
            except Exception as error:  # its own settings
                head.end(False, error)
        try:
            if members:
                HeadEnsemble(members, training_data).fit()
        except Exception as error:
            if not is_out_of_memory(error) or len(members) == 1:
                raise
            self.max_heads = min(self.max_heads, len(members) // 2)
            self._search.reporter.message(EventCode.HEADS_ONE_BY_ONE, heads=len(members))
            members.clear()
            free_memory()

    def _member(self, head: "_HeadTrial") -> tuple[Member, EpochData]:
        spec, about = head.trial.spec, self._data.about | {"spec": head.trial.spec.model_dump(mode="json")}
        own = with_own_head(self._network, spec.model)
        training, recipe, images = build(spec, self._data, self._device, own)
        training.choices = copy.deepcopy(self._training_data.choices)
        steps = spec.epochs * len(images.train)
        head.reporter.started(
            attempt=head.trial.attempt,
            pid=os.getpid(),
            device=devices.describe(self._device),
            epoch=0,
            step=0,
            epochs=spec.epochs,
            steps=steps,
            going_on_from=None,
        )
        logger = MetricLogger(
            head.reporter, training.progress, epochs=spec.epochs, steps=steps, memory=Memory(self._device)
        )
        best_by, val_samples = self._job.spec.metric, self._data.val_samples
        checkpoints = Checkpoints(head.folder, about, val_samples=val_samples, best_by=best_by, reporter=head.reporter)
        leaves = partial(self._should_stop, head)
        return Member(training, recipe, logger, checkpoints, leaves=leaves, ended=head.end), images

    def _should_stop(self, head: "_HeadTrial") -> bool:
        if time.monotonic() - self._polled_at >= POLL_S:  # for all of them at once
            self._polled_at = time.monotonic()
            ending = self._search.lifecycle.poll()
            for run, request in self._stop_requests.items():
                own = self._job.run_folder(run) / LEAVE
                self._stop_requests[run] = request or (ending.stop_request if ending else StopRequest.read(own))
            num_heads = len(self._stop_requests)
            self._search.reporter.progress("searching", f"up to {num_heads} heads train at once")
        head.stop_request = self._stop_requests[head.trial.run]
        return head.stop_request is not None


class _HeadTrial:
    """A trial among others: its lines, and its end."""

    def __init__(self, trial: Trial, search: ActiveSearch) -> None:
        self.trial, self.folder = trial, search.job.prepare_run(trial)
        self.stop_request: StopRequest | None = None
        self._ledger, self._metric = search.ledger, search.job.spec.metric
        self._lines = JsonLines.events(self.folder)
        self.reporter = _HeadReporter(self._lines, trial, search)
        self.is_over = False

    def end(self, finished: bool, error: Exception | None) -> None:
        """Write its last line, once."""
        if self.is_over:
            return
        self.is_over = True
        state, why, detail = "finished", None, None
        if error and (is_disk_full(error) or is_lost_helper(error)):
            state, why = "interrupted", replace(explain(error, self.trial.spec), advice="")
        elif error:
            state, why = "failed", explain(error, self.trial.spec)
            detail = "".join(traceback.format_exception(error))
        elif not finished:
            request = self.stop_request or StopRequest()
            state, why = request.state or "interrupted", request.why
        needed = 0 if state == "interrupted" else None
        self.reporter.ended(state, why, detail=detail, needs_bytes=needed)
        best = self.reporter.trial_progress.bests.get(self._metric)
        self._ledger.end(self.trial.run, state, value=best, why=why)

    def close(self) -> None:
        self._lines.close()


class _HeadReporter(Reporter):
    """A run's reporter that also reports every epoch to the search."""

    def __init__(self, lines: JsonLines, trial: Trial, search: ActiveSearch) -> None:
        super().__init__(lines)
        self.trial_progress = TrialProgress()
        self._run, self._search, self._metric = trial.run, search, search.job.spec.metric

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        super().metrics(step, epoch, values, at=at)
        if self._metric in values:
            self.trial_progress.update(epoch, values)
            _report_epoch(self._search, self._run, epoch, values[self._metric])


class _SetupReporter(NullReporter):
    """What is made for all trials is reported among the search's own lines."""

    def __init__(self, reporter: SearchReporter) -> None:
        super().__init__()
        self._reporter = reporter

    def progress(self, phase: str, *, message: str | None = None, **_: Any) -> None:
        self._reporter.progress(phase, message)

    def message(self, code: EventCode, /, **details: object) -> None:
        self._reporter.message(code, **details)


def _report_epoch(search: ActiveSearch, run: str, epoch: int, value: float) -> None:
    search.ledger.report(run, epoch, value)
    search.lifecycle.report(value)


def _end_untrained(search: ActiveSearch, trial: Trial) -> None:
    """The search ends before this trial was begun, or went on."""
    request = search.lifecycle.conclude().stop_request
    search.job.end_run(trial.run, request.state or "stopped", request.why)
    search.ledger.end(trial.run, request.state or "stopped", why=request.why)


def _train_alone(search: ActiveSearch, trial: Trial) -> None:
    """What an earlier driver began, or memory was not enough for among others."""
    job, lifecycle = search.job, search.lifecycle
    folder = job.prepare_run(trial)
    result: StepResult | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="training") as thread, ThreadPoolExecutor(1) as stepper:
        training = SteppedTraining(folder, stop_file=job.stop_file, metric=job.spec.metric, thread=thread)
        while result is None or not result["done"]:
            step = stepper.submit(training.step)
            while not step.done():
                wait([step], POLL_S)
                lifecycle.poll()  # requests that come meanwhile reach the trial by it
                search.reporter.progress("searching", f"Trial {trial.number} goes on from where it was left.")
            result = step.result()
            if lifecycle.poll() is None and not math.isnan(result["best"]):  # it has trained an epoch at least
                _report_epoch(search, trial.run, result["epoch"], result["score"])
    best = None if math.isnan(result["best"]) else result["best"]
    search.ledger.end(trial.run, result["state"], value=best, why=Why.read(result))
