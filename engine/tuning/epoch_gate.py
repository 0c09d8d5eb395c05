"""Where a training waits between epochs until its trial may go on, and learns that it must leave."""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.protocol.driver_requests import StopRequest
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Why, fields_of
from engine.protocol.run_reporter import Reporter

POLL_S = 0.2  # between two checks for a request to stop


@dataclass(slots=True)
class TrialProgress:
    """How far a training has come, as a trial reports it."""

    epoch: int = 0
    values: dict[str, float] = field(default_factory=dict)  # of the newest epoch
    bests: dict[str, float] = field(default_factory=dict)  # val/accuracy and val/loss: the best of any epoch
    epoch_s: list[float] = field(default_factory=list)  # seconds of each epoch
    ended: dict[str, Any] | None = None  # state, code, reason and advice, once it has

    def update(self, epoch: int, values: dict[str, float]) -> None:
        self.epoch, self.values = epoch, values
        for name, better in (("val/accuracy", max), ("val/loss", min)):
            self.bests[name] = better(values[name], self.bests.get(name, values[name]))
        self.epoch_s.append(values["speed/epoch_s"])


class EpochGate:
    """The training's thread calls `should_stop` at every batch, the trial's thread `run_epoch`: one of both waits.

    Args:
        stop_files: Where a `StopRequest` may appear: for the trial, for the whole search.
    """

    def __init__(self, *stop_files: Path) -> None:
        self._stop_files = stop_files
        self._turn = threading.Condition()
        self._goes, self._waits, self._is_over = False, False, False
        self._stop_request: StopRequest | None = None
        self._polled_at = 0.0  # monotonic
        self._has_new_epoch = False
        self.progress = TrialProgress()

    @property
    def stop_request(self) -> StopRequest | None:
        return self._stop_request

    def on_epoch_end(self, epoch: int, values: dict[str, float]) -> None:
        """The training has completed an epoch; at the next batch it waits."""
        self.progress.update(epoch, values)
        self._has_new_epoch = True

    def should_stop(self) -> bool:
        """Whether the training must leave; after an epoch it waits here for its turn."""
        self._poll()
        if self._has_new_epoch and self._stop_request is None:
            with self._turn:
                self._has_new_epoch, self._goes, self._waits = False, False, True
                self._turn.notify_all()
                while not self._goes and self._stop_request is None:
                    self._turn.wait(POLL_S)
                    self._poll()
                self._waits = False
        return self._stop_request is not None

    def close(self) -> None:
        """The training's thread is done, one way or the other."""
        with self._turn:
            self._is_over = True
            self._turn.notify_all()

    def run_epoch(self) -> bool:
        """Let the training go on, and wait until it has completed an epoch (True) or is over (False)."""
        with self._turn:
            self._goes, self._waits = True, False
            self._turn.notify_all()
            while not self._waits and not self._is_over:
                self._turn.wait()
            return not self._is_over

    def stop(self, request: StopRequest) -> None:
        """Have the training save and leave, and wait until it has."""
        with self._turn:
            self._stop_request = self._stop_request or request
            self._turn.notify_all()
            while not self._is_over:
                self._turn.wait()

    def _poll(self) -> None:
        now = time.monotonic()
        if self._stop_request is None and now - self._polled_at >= POLL_S:
            self._polled_at = now
            self._stop_request = next((one for path in self._stop_files if (one := StopRequest.read(path))), None)


class TrialReporter(Reporter):
    """A run's reporter that opens the gate, and has the run end in the state that a request to stop names."""

    def __init__(self, lines: JsonLines, gate: EpochGate) -> None:
        super().__init__(lines)
        self._gate = gate

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        super().metrics(step, epoch, values, at=at)
        if "val/accuracy" in values:
            self._gate.on_epoch_end(epoch, values)

    def ended(
        self, state: str, why: Why | None = None, *, detail: str | None = None, needs_bytes: int | None = None
    ) -> None:
        request = self._gate.stop_request
        if state == "stopped" and request:
            if request.state is None:  # put aside: the run goes on later, perhaps in another process
                self.flush()
                return
            state, why = request.state, request.why or why
            needs_bytes = 0 if state == "interrupted" else needs_bytes
        self._gate.progress.ended = {"state": state, **fields_of(why)}
        super().ended(state, why, detail=detail, needs_bytes=needs_bytes)
