"""Searches among heads on frozen stages: many train at once, as one computation over features computed once.

No process is started for a trial, and none of Ray's: the driver trains them itself, block by block.
"""

import copy
import os
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from engine.catalog import ALGORITHMS
from engine.protocol.json_lines import Lines
from engine.protocol.run_reporter import NullReporter, Reporter
from engine.protocol.search_reporter import SearchReporter
from engine.training import device as devices
from engine.training.epoch_data import EpochData
from engine.training.failures import Stopped, explain, is_disk_full, is_lost_helper, is_out_of_memory
from engine.training.head_ensemble import HeadEnsemble, Member, with_own_head
from engine.training.memory import Memory
from engine.training.metric_logger import MetricLogger
from engine.training.preparation import PreparedData, build, build_network, equip, find_weights, prepare_data
from engine.training.randomness import seed_all
from engine.training.retention import Checkpoints
from engine.training.step import free_memory
from engine.tuning.epoch_gate import LEAVE, LOOK_S, StopRequest, TrialProgress
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import SearchLifecycle
from engine.tuning.stepped_training import SteppedTraining
from engine.tuning.trial_ledger import Trial, TrialLedger

BLOCK, LEARNING = 32, 8  # heads at once: where the algorithm draws by chance, and where it learns from those before


def conduct(order: SearchJob, asking: TrialLedger, course: SearchLifecycle, telling: SearchReporter) -> None:
    """Train the trials, until the course of the search ends."""
    block = order.spec.at_once or (LEARNING if ALGORITHMS[order.spec.algorithm].learns else BLOCK)
    device = devices.choose("cuda" if order.gpus else order.told["device"])
    telling.started(
        attempt=order.attempt, pid=os.getpid(), device=devices.describe(device), at_once=block, path="heads"
    )
    if order.spec.scheduler != "none":
        telling.message("info", "No trial is ended early: to its last epoch a head costs less than a look at it.")
    heads: _Heads | None = None
    while not asking.is_over and course.closing is None:
        asked: list[Trial] = []
        while len(asked) < block and (one := asking.ask()):
            asked.append(one)
        begun = [one for one in asked if any(order.run_folder(one.run).glob("checkpoints/e*"))]
        if new := [one for one in asked if one not in begun]:
            try:
                heads = heads or _Heads(order, asking, course, telling)
            except Stopped:
                for one in asked:
                    _leave(one, order, asking, course, telling)
                return
            begun += heads.train(new) if heads.can_share else new
            block = min(block, max(1, heads.fit_at_once))
        for one in begun:
            (_leave if course.closing else _go_on)(one, order, asking, course, telling)


class _Heads:
    """What all trials share, made once: images, network, features.

    Raises:
        Stopped: The search was asked to end meanwhile.
        Unavailable: Images or weights are not to be had.
    """

    def __init__(self, order: SearchJob, asking: TrialLedger, course: SearchLifecycle, telling: SearchReporter) -> None:
        self._order, self._asking, self._course, self._telling = order, asking, course, telling
        self._device = devices.choose("cuda" if order.gpus else order.told["device"])
        devices.prepare(self._device)
        base, told = order.spec.run, order.told
        path, cache = told.get("weights_paths", {}).get(base.model.weights_from), Path(told["cache"])
        reporter, stop = _AsSearch(telling), lambda: course.closing is not None
        seed_all(base.seed)
        found = find_weights(base, path, reporter, stop)
        self._data: PreparedData = prepare_data(
            told["dataset"], base, cache, reporter, stop, norm_stats=found.norm_stats if found else None
        )
        self._network: nn.Module = build_network(base, self._data.about, found, reporter)
        training, recipe, images = build(base, self._data, self._device, self._network)
        self._training_data, _ = equip(
            base, self._data, training, recipe, images, cache=cache, reporter=reporter, stop=stop
        )
        self._training_data.again = True
        self.can_share = self._training_data.for_epoch(0).cut is not None  # not where there is no room for the features
        self.fit_at_once = BLOCK  # heads that memory is known to be enough for, at most
        self._looked = 0.0
        self._words: dict[str, StopRequest | None] = {}

    def train(self, asked: list[Trial]) -> list[Trial]:
        """Train new trials together, each to its own end. Returns those that memory was not enough for."""
        if len(asked) > 1:
            self._telling.message("info", f"{len(asked)} heads train at once, over features computed once.")
        runs = [_Run(one, self._order, self._asking, self._course) for one in asked]
        self._words = dict.fromkeys((one.run for one in asked), None)
        sizes = sorted({one.spec.optimisation.batch_size for one in asked})
        try:
            for size in sizes:  # those that see the same batches
                self._together([run for run in runs if run.asked.spec.optimisation.batch_size == size])
        except Stopped:
            for run in runs:
                run.word = self._course.ending.word
                run.ended(False, None)
        except Exception as error:  # what all of them share went wrong
            for run in runs:
                run.ended(False, error)
        finally:
            for run in runs:
                run.close()
        return [run.asked for run in runs if not run.is_over]

    def _together(self, runs: list["_Run"]) -> None:
        training_data, members = copy.copy(self._training_data), []
        for run in runs:
            try:
                member, training_data.images = self._member(run)
                members.append(member)
            except Exception as error:  # its own settings
                run.ended(False, error)
        try:
            if members:
                HeadEnsemble(members, training_data).fit()
        except Exception as error:
            if not is_out_of_memory(error) or len(members) == 1:
                raise
            self.fit_at_once = min(self.fit_at_once, len(members) // 2)
            told = f"{len(members)} heads at once need more memory than there is: these go on one by one."
            self._telling.message("warning", told)
            members.clear()
            free_memory()

    def _member(self, run: "_Run") -> tuple[Member, EpochData]:
        spec, about = run.asked.spec, self._data.about | {"spec": run.asked.spec.model_dump(mode="json")}
        own = with_own_head(self._network, spec.model)
        training, recipe, images = build(spec, self._data, self._device, own)
        training.choices = copy.deepcopy(self._training_data.choices)
        steps = spec.epochs * len(images.train)
        run.reporter.started(
            attempt=run.asked.attempt,
            pid=os.getpid(),
            device=devices.describe(self._device),
            epoch=0,
            step=0,
            epochs=spec.epochs,
            steps=steps,
            going_on_from=None,
        )
        logger = MetricLogger(
            run.reporter, training.progress, epochs=spec.epochs, steps=steps, memory=Memory(self._device)
        )
        best_by, val_samples = self._order.spec.metric, self._data.val_samples
        checkpoints = Checkpoints(run.folder, about, val_samples=val_samples, best_by=best_by, reporter=run.reporter)
        leaves = partial(self._leaves, run)
        return Member(training, recipe, logger, checkpoints, leaves=leaves, ended=run.ended), images

    def _leaves(self, run: "_Run") -> bool:
        if time.monotonic() - self._looked >= LOOK_S:  # for all of them at once
            self._looked = time.monotonic()
            closing = self._course.closing
            for id, word in self._words.items():
                self._words[id] = word or (
                    closing.word if closing else StopRequest.read(self._order.run_folder(id) / LEAVE)
                )
            self._telling.progress("searching", f"up to {len(self._words)} heads train at once")
        run.word = self._words[run.asked.run]
        return run.word is not None


class _Run:
    """A trial on its way: its lines, and its end."""

    def __init__(self, asked: Trial, order: SearchJob, asking: TrialLedger, course: SearchLifecycle) -> None:
        self.asked, self.folder = asked, order.lay_out(asked)
        self.word: StopRequest | None = None  # to leave
        self._asking, self._metric = asking, order.spec.metric
        self._lines = Lines(self.folder / "events.jsonl")
        self.reporter = _AsTrial(self._lines, partial(asking.saw, asked.run), course, self._metric)
        self.is_over = False

    def ended(self, finished: bool, error: Exception | None) -> None:
        """Its last word, once."""
        if self.is_over:
            return
        self.is_over = True
        state, reason, advice, detail = "finished", None, None, None
        if error and (is_disk_full(error) or is_lost_helper(error)):
            state, reason = "interrupted", explain(error, self.asked.spec).reason
        elif error:
            failure = explain(error, self.asked.spec)
            state, reason, advice = "failed", failure.reason, failure.advice
            detail = "".join(traceback.format_exception(error))
        elif not finished:
            word = self.word or StopRequest()
            state, reason = word.state or "interrupted", word.reason
        needed = 0 if state == "interrupted" else None
        self.reporter.ended(state, reason=reason, advice=advice, detail=detail, needs_bytes=needed)
        best = self.reporter.reached.bests.get(self._metric)
        self._asking.tell(self.asked.run, state, value=best, reason=reason, advice=advice)

    def close(self) -> None:
        self._lines.close()


class _AsTrial(Reporter):
    """A run's reporter that also lets its search know of every epoch."""

    def __init__(self, lines: Lines, saw: Callable[[int, float], None], course: SearchLifecycle, metric: str) -> None:
        super().__init__(lines)
        self.reached = TrialProgress()
        self._saw, self._course, self._metric = saw, course, metric

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        super().metrics(step, epoch, values, at=at)
        if self._metric in values:
            self.reached.take(epoch, values)
            self._saw(epoch, values[self._metric])
            self._course.saw(values[self._metric])


class _AsSearch(NullReporter):
    """What is made for all trials is told among the search's own lines."""

    def __init__(self, telling: SearchReporter) -> None:
        super().__init__()
        self._telling = telling

    def progress(self, phase: str, *, message: str | None = None, **_: Any) -> None:
        self._telling.progress(phase, message)

    def message(self, level: str, text: str, code: str = "") -> None:
        self._telling.message(level, text, code)


def _leave(
    asked: Trial, order: SearchJob, asking: TrialLedger, course: SearchLifecycle, telling: SearchReporter
) -> None:
    """The search ends before this trial was begun, or went on."""
    word = course.ending.word
    order.end_run(asked.run, word.state or "stopped", word.reason)
    asking.tell(asked.run, word.state or "stopped", reason=word.reason)


def _go_on(
    asked: Trial, order: SearchJob, asking: TrialLedger, course: SearchLifecycle, telling: SearchReporter
) -> None:
    """Train on, alone, what an earlier driver began."""
    folder = order.lay_out(asked)
    with ThreadPoolExecutor(1, thread_name_prefix="training") as thread, ThreadPoolExecutor(1) as asks:
        config = {"folder": str(folder), "leave": str(order.leave), "score": order.spec.metric}
        training, told = SteppedTraining(config, thread), dict[str, Any]()
        while not told.get("done"):
            step = asks.submit(training.step)
            while not step.done():
                wait([step], LOOK_S)
                _ = course.closing  # hears what is asked meanwhile, and hands it on
                telling.progress("searching", f"Trial {asked.number} goes on from where it was left.")
            told = step.result()
            if course.closing is None and told["best"] == told["best"]:  # it has trained an epoch at least
                asking.saw(asked.run, told["epoch"], told["score"])
                course.saw(told["score"])
    best = told["best"] if told["best"] == told["best"] else None
    asking.tell(asked.run, told["state"], value=best, reason=told["reason"], advice=told["advice"])
