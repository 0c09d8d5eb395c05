"""The life of a search: whether it goes on, as its user, its budgets and its own trials have it."""

import signal
import time
from dataclasses import dataclass
from types import FrameType

from engine.protocol.driver_requests import DriverRequest, Extend, Inbox, Pause, Stop, StopRequest, StopTrial
from engine.protocol.reasons import Reason, Why
from engine.protocol.search_reporter import SearchReporter
from engine.tuning.job import SearchJob
from engine.tuning.trial_ledger import TrialLedger

WAITS = {"paused": Reason.PAUSED_WITH_SEARCH, "interrupted": Reason.INTERRUPTED_WITH_SEARCH}  # state -> of its trials


@dataclass(frozen=True, slots=True)
class SearchEnding:
    """How the search ends, once its trials have left."""

    state: str  # finished, stopped, paused, failed, or interrupted: it goes on by itself
    why: Why | None = None

    @property
    def stop_request(self) -> StopRequest:
        """For trials under way."""
        if self.state in WAITS:
            return StopRequest.of("interrupted", Why.of(WAITS[self.state]))
        if self.state == "finished" and self.why:
            return StopRequest.of("stopped", Why.of(Reason.WITH_FINISHED_SEARCH, why=self.why.reason))
        return StopRequest.of("stopped", Why.of(Reason.WITH_SEARCH))


class SearchLifecycle:
    """Call `poll` often, from one thread: it reads the supervisor's requests, counts the time, and stops trials.

    Args:
        job: Its `spent_s` and `spent_gpu_s` are of drivers before this one.
    """

    def __init__(self, job: SearchJob, ledger: TrialLedger) -> None:
        self._job, self._ledger = job, ledger
        self._inbox = Inbox(job.folder)
        self._began = time.monotonic()
        self._ending: SearchEnding | None = None
        self._is_signalled = False
        job.stop_file.unlink(missing_ok=True)
        self.handle_signals()

    def handle_signals(self) -> None:
        """Have SIGTERM and SIGINT mean: pause. Again after Ray was started, which takes SIGTERM for itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def poll(self) -> SearchEnding | None:
        """How it ends, once that is settled; None: it goes on."""
        for request in self._inbox.new_requests():
            self._obey(request)
        if self._is_signalled:
            self._end(SearchEnding("paused"))
        if self._ending is None and (ending := self._interruption() or self._budget() or self._failure()):
            self._end(ending)
        return self._ending

    def report(self, value: float) -> None:
        """A trial has reached this value of the metric."""
        if self._ledger.reaches_target(value):
            self._end(SearchEnding("finished", Why.of(Reason.TARGET_REACHED, target=self._job.spec.target)))

    def conclude(self) -> SearchEnding:
        """How it ended, once no trial is left to train."""
        return self.poll() or SearchEnding("finished")

    def _end(self, ending: SearchEnding) -> None:
        if self._ending is None:
            self._ending = ending
            ending.stop_request.write(self._job.stop_file)

    def _obey(self, request: DriverRequest) -> None:
        match request:
            case StopTrial():
                self._job.stop_trial(request.run)
            case Stop():
                self._end(SearchEnding("stopped", Why.of(Reason.STOPPED_BY_USER)))
            case Pause():
                self._end(SearchEnding("paused"))
            case Extend():
                self._ledger.num_trials = request.trials

    def _budget(self) -> SearchEnding | None:
        spec, file = self._job.spec, self._job.file
        spent_s = time.monotonic() - self._began
        gpu_s = file.spent_gpu_s + spent_s * self._job.gpus
        if spec.hours and file.spent_s + spent_s >= spec.hours * 3600:
            return SearchEnding("finished", Why.of(Reason.TIME_SPENT, hours=spec.hours))
        if spec.gpu_hours and gpu_s >= spec.gpu_hours * 3600:
            return SearchEnding("finished", Why.of(Reason.GPU_TIME_SPENT, hours=spec.gpu_hours))
        return None

    def _failure(self) -> SearchEnding | None:
        if self._ledger.open or not (why := self._ledger.failure):  # one that trains may yet succeed
            return None
        return SearchEnding("failed", why)

    def _interruption(self) -> SearchEnding | None:
        """A trial was interrupted unasked, as where the disk is full: on with another driver."""
        return SearchEnding("interrupted", self._ledger.interruption) if self._ledger.interruption else None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_signalled = True


@dataclass(frozen=True, slots=True)
class ActiveSearch:
    """A search under way, as those take it who train its trials."""

    job: SearchJob
    ledger: TrialLedger
    lifecycle: SearchLifecycle
    reporter: SearchReporter

    @classmethod
    def of(cls, job: SearchJob, reporter: SearchReporter) -> "ActiveSearch":
        ledger = TrialLedger(job.spec, reporter, past=job.past_trials, num_trials=job.file.num_trials)
        return cls(job, ledger, SearchLifecycle(job, ledger), reporter)

    @property
    def goes_on(self) -> bool:
        """Whether there are trials to train."""
        return not self.ledger.is_over and self.lifecycle.poll() is None
