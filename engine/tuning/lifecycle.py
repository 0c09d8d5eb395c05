"""The course of a search: whether it goes on, as its user, its budgets and its own trials have it."""

import signal
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any

from engine.protocol.endings import WITH_SEARCH
from engine.protocol.search_reporter import SearchReporter
from engine.tuning.epoch_gate import StopRequest
from engine.tuning.job import Control, SearchJob
from engine.tuning.trial_ledger import TrialLedger


@dataclass(frozen=True, slots=True)
class SearchEnding:
    """How the search ends, once its trials have left."""

    state: str  # finished, stopped, paused, failed, or interrupted: it goes on by itself
    reason: str | None = None
    advice: str | None = None

    @property
    def word(self) -> StopRequest:
        """What trials under way are told."""
        if self.state in ("paused", "interrupted"):
            return StopRequest("interrupted", f"{self.state.capitalize()} with its search; it goes on from here.")
        return StopRequest(
            "stopped", f"{WITH_SEARCH}: {self.reason}" if self.state == "finished" else f"{WITH_SEARCH}."
        )


class SearchLifecycle:
    """Ask `closing` often, from one thread: it hears the supervisor, counts the time, and passes words on to trials.

    Args:
        order: What was asked for; `spent_s` and `spent_gpu_s` are of drivers before this one.
    """

    def __init__(self, job: SearchJob, ledger: TrialLedger, reporter: SearchReporter) -> None:
        self._job, self._ledger, self._reporter = job, ledger, reporter
        self._control = Control(job.folder)
        self._began = time.monotonic()
        self._closing: SearchEnding | None = None
        self._is_signalled = False
        job.leave.unlink(missing_ok=True)
        self.listen()

    def listen(self) -> None:
        """Have SIGTERM and SIGINT mean: pause. Again after Ray was started, which takes SIGTERM for itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pause)

    @property
    def closing(self) -> SearchEnding | None:
        """None: it goes on."""
        for line in self._control.news():
            self._hear(line)
        if self._is_signalled:
            self._close(SearchEnding("paused"))
        if self._closing is None and (ends := self._cut() or self._budget() or self._doom()):
            self._close(ends)
        return self._closing

    def saw(self, value: float) -> None:
        """A trial has reached this value of the metric."""
        if self._ledger.reaches_target(value):
            self._close(SearchEnding("finished", f"A trial reached the target of {self._job.spec.target:g}."))

    @property
    def ending(self) -> SearchEnding:
        """How it ended, once no trial is left to train."""
        return self.closing or SearchEnding("finished")

    def _close(self, closing: SearchEnding) -> None:
        if self._closing is None:
            self._closing = closing
            closing.word.write(self._job.leave)

    def _hear(self, line: dict[str, Any]) -> None:
        match line:
            case {"kind": "stop_trial", "run": str(run)}:
                self._job.stop(run)
            case {"kind": "stop"}:
                self._close(SearchEnding("stopped", "Stopped by its user."))
            case {"kind": "pause"}:
                self._close(SearchEnding("paused"))
            case {"kind": "extend", "trials": int(trials)}:
                self._ledger.want(trials)  # in all

    def _budget(self) -> SearchEnding | None:
        spec, told = self._job.spec, self._job.told
        spent_s = time.monotonic() - self._began
        gpu_s = told.get("spent_gpu_s", 0.0) + spent_s * self._job.gpus
        if spec.hours and told.get("spent_s", 0.0) + spent_s >= spec.hours * 3600:
            return SearchEnding("finished", f"Its time budget of {spec.hours:g} h is spent.")
        if spec.gpu_hours and gpu_s >= spec.gpu_hours * 3600:
            return SearchEnding("finished", f"Its budget of {spec.gpu_hours:g} GPU hours is spent.")
        return None

    def _doom(self) -> SearchEnding | None:
        if self._ledger.open or not (reason := self._ledger.doom):  # what trains may show that not all must fail
            return None
        return SearchEnding("failed", reason, "Change the base run or the space, then continue the search.")

    def _cut(self) -> SearchEnding | None:
        """A trial was interrupted and nobody had asked for it, as where the disk is full: on with another driver."""
        return SearchEnding("interrupted", self._ledger.cut) if self._ledger.cut else None

    def _pause(self, number: int, frame: FrameType | None) -> None:
        self._is_signalled = True
