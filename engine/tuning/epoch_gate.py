"""Where a training waits between epochs until its trial may go on, and learns that it must leave."""

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.protocol.json_file import write_json
from engine.protocol.json_lines import Lines
from engine.protocol.run_reporter import Reporter

LEAVE = "leave.json"  # in a run's folder: the search's word to that trial; in the search's own: to all
LOOK_S = 0.2  # between two looks for a word to leave


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Why a training leaves, and the state that its run ends in; None: it is only put aside, and not over."""

    state: str | None = "stopped"  # or interrupted: it goes on with its search
    reason: str = ""

    @classmethod
    def read(cls, path: Path) -> "StopRequest | None":
        try:
            told = json.loads(path.read_text())
        except (OSError, ValueError):
            return None
        return cls(told["state"], told["reason"])

    def write(self, path: Path) -> None:
        write_json(path, {"state": self.state, "reason": self.reason}, durable=False)  # for a training that lives


@dataclass(slots=True)
class TrialProgress:
    """How far a training has come, as a trial reports it."""

    epoch: int = 0
    values: dict[str, float] = field(default_factory=dict)  # of the newest epoch
    bests: dict[str, float] = field(default_factory=dict)  # val/accuracy and val/loss: the best of any epoch
    epoch_s: list[float] = field(default_factory=list)
    ended: dict[str, Any] | None = None  # state, reason and advice, once it has

    def take(self, epoch: int, values: dict[str, float]) -> None:
        self.epoch, self.values = epoch, values
        for name, better in (("val/accuracy", max), ("val/loss", min)):
            self.bests[name] = better(values[name], self.bests.get(name, values[name]))
        self.epoch_s.append(values["speed/epoch_s"])


class EpochGate:
    """The training's thread asks `stop` at every batch, the trial's thread calls `next`: one of both waits.

    Args:
        words: Files that tell to leave once they are there, each with a `StopRequest`: of the trial, of the search.
    """

    def __init__(self, *words: Path) -> None:
        self._words = words
        self._turn = threading.Condition()
        self._goes, self._waits, self._is_over = False, False, False
        self._word: StopRequest | None = None
        self._looked = 0.0
        self._news = False
        self.reached = TrialProgress()

    @property
    def word(self) -> StopRequest | None:
        return self._word

    def epoch(self, epoch: int, values: dict[str, float]) -> None:
        """The training has completed an epoch; at the next batch it waits."""
        self.reached.take(epoch, values)
        self._news = True

    def stop(self) -> bool:
        """Whether the training must leave; after an epoch it waits here for its turn."""
        self._look()
        if self._news and self._word is None:
            with self._turn:
                self._news, self._goes, self._waits = False, False, True
                self._turn.notify_all()
                while not self._goes and self._word is None:
                    self._turn.wait(LOOK_S)
                    self._look()
                self._waits = False
        return self._word is not None

    def over(self) -> None:
        """The training's thread is done, one way or the other."""
        with self._turn:
            self._is_over = True
            self._turn.notify_all()

    def next(self) -> bool:
        """Let the training go on, and wait until it has completed an epoch (True) or is over (False)."""
        with self._turn:
            self._goes, self._waits = True, False
            self._turn.notify_all()
            while not self._waits and not self._is_over:
                self._turn.wait()
            return not self._is_over

    def leave(self, word: StopRequest) -> None:
        """Tell the training to save and leave, and wait until it has."""
        with self._turn:
            self._word = self._word or word
            self._turn.notify_all()
            while not self._is_over:
                self._turn.wait()

    def _look(self) -> None:
        now = time.monotonic()
        if self._word is None and now - self._looked >= LOOK_S:
            self._looked = now
            self._word = next((word for path in self._words if (word := StopRequest.read(path))), None)


class TrialReporter(Reporter):
    """A run's reporter that opens the gate, and gives its last word the state that the search asks for."""

    def __init__(self, lines: Lines, gate: EpochGate) -> None:
        super().__init__(lines)
        self._gate = gate

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        super().metrics(step, epoch, values, at=at)
        if "val/accuracy" in values:
            self._gate.epoch(epoch, values)

    def ended(self, state: str, **told: Any) -> None:
        word = self._gate.word
        if state == "stopped" and word:
            if word.state is None:  # put aside: the run goes on later, perhaps in another process
                self.flush()
                return
            state, told = word.state, {**told, "reason": word.reason or told.get("reason")}
            if state == "interrupted":
                told["needs_bytes"] = 0
        self._gate.reached.ended = {"state": state, "reason": told.get("reason"), "advice": told.get("advice")}
        super().ended(state, **told)
