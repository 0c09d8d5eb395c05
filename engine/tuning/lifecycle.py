"""The course of a search: whether it goes on, as its user, its budgets and its own trials have it."""

import signal
import time
from dataclasses import dataclass
from types import FrameType
from typing import Any

from engine.protocol.endings import WITH_SEARCH
from engine.protocol.search_reporter import Telling
from engine.tuning.epoch_gate import Word
from engine.tuning.job import Control, Order
from engine.tuning.trial_ledger import Asking


@dataclass(frozen=True, slots=True)
class Closing:
    """How the search ends, once its trials have left."""

    state: str  # finished, stopped, paused, failed, or interrupted: it goes on by itself
    reason: str | None = None
    advice: str | None = None

    @property
    def word(self) -> Word:
        """What trials under way are told."""
        if self.state in ("paused", "interrupted"):
            return Word("interrupted", f"{self.state.capitalize()} with its search; it goes on from here.")
        return Word("stopped", f"{WITH_SEARCH}: {self.reason}" if self.state == "finished" else f"{WITH_SEARCH}.")


class Course:
    """Ask `closing` often, from one thread: it hears the supervisor, counts the time, and passes words on to trials.

    Args:
        order: What was asked for; `spent_s` and `spent_gpu_s` are of drivers before this one.
    """

    def __init__(self, order: Order, asking: Asking, telling: Telling) -> None:
        self._order, self._asking, self._telling = order, asking, telling
        self._control = Control(order.folder)
        self._began = time.monotonic()
        self._closing: Closing | None = None
        self._is_signalled = False
        order.leave.unlink(missing_ok=True)
        self.listen()

    def listen(self) -> None:
        """Have SIGTERM and SIGINT mean: pause. Again after Ray was started, which takes SIGTERM for itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pause)

    @property
    def closing(self) -> Closing | None:
        """None: it goes on."""
        for line in self._control.news():
            self._hear(line)
        if self._is_signalled:
            self._close(Closing("paused"))
        if self._closing is None and (ends := self._cut() or self._budget() or self._doom()):
            self._close(ends)
        return self._closing

    def saw(self, value: float) -> None:
        """A trial has reached this value of the metric."""
        if self._asking.reaches_target(value):
            self._close(Closing("finished", f"A trial reached the target of {self._order.spec.target:g}."))

    @property
    def ending(self) -> Closing:
        """How it ended, once no trial is left to train."""
        return self.closing or Closing("finished")

    def _close(self, closing: Closing) -> None:
        if self._closing is None:
            self._closing = closing
            closing.word.write(self._order.leave)

    def _hear(self, line: dict[str, Any]) -> None:
        match line:
            case {"kind": "stop_trial", "run": str(run)}:
                self._order.stop(run)
            case {"kind": "stop"}:
                self._close(Closing("stopped", "Stopped by its user."))
            case {"kind": "pause"}:
                self._close(Closing("paused"))
            case {"kind": "extend", "trials": int(trials)}:
                self._asking.want(trials)  # in all

    def _budget(self) -> Closing | None:
        spec, told = self._order.spec, self._order.told
        spent_s = time.monotonic() - self._began
        gpu_s = told.get("spent_gpu_s", 0.0) + spent_s * self._order.gpus
        if spec.hours and told.get("spent_s", 0.0) + spent_s >= spec.hours * 3600:
            return Closing("finished", f"Its time budget of {spec.hours:g} h is spent.")
        if spec.gpu_hours and gpu_s >= spec.gpu_hours * 3600:
            return Closing("finished", f"Its budget of {spec.gpu_hours:g} GPU hours is spent.")
        return None

    def _doom(self) -> Closing | None:
        if self._asking.open or not (reason := self._asking.doom):  # what trains may show that not all must fail
            return None
        return Closing("failed", reason, "Change the base run or the space, then continue the search.")

    def _cut(self) -> Closing | None:
        """A trial was interrupted and nobody had asked for it, as where the disk is full: on with another driver."""
        return Closing("interrupted", self._asking.cut) if self._asking.cut else None

    def _pause(self, number: int, frame: FrameType | None) -> None:
        self._is_signalled = True
