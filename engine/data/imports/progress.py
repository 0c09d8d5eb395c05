"""How far an import is, in event lines."""

import signal
import time

from engine.protocol.json_lines import Lines
from engine.protocol.run_lines import Progress as Line

EVERY_S = 0.2


class Cancelled(Exception):
    """By SIGTERM or Ctrl-C."""


class Progress:
    """Progress lines, at most five a second. Once the process was asked to end, the next call raises `Cancelled`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._is_cancelled = False
        self._began: float | None = None
        self._told = 0.0
        self._words = "{:,} of {:,} images checked"
        self._passes, self._pass = 1, 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._cancel)

    def say(self, message: str) -> None:
        """A phase whose length is not known."""
        self._check()
        self._write(0, None, None, message)

    def begin(self, words: str, *, passes: int, number: int) -> None:
        """Pass `number`, from 0, of so many over the same images: one bar for all of them.

        Args:
            words: With {:,} for how many are done, and for all.
        """
        self._words, self._passes, self._pass = words, passes, number
        self._began = None

    def tell(self, step: int, steps: int, eta_s: float | None, message: str) -> None:
        """A phase that is `step` of `steps` far, in whatever unit; `eta_s` more seconds, None when nobody knows."""
        self._check()
        self._write(step, steps, eta_s, message)

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are; 1 or more."""
        self._check()
        now = time.monotonic()
        if self._began is None:
            self._began = self._told = now
        if now - self._told >= EVERY_S or done == total:
            self._told = now
            left = total - done + (self._passes - self._pass - 1) * total
            eta_s = (now - self._began) / done * left
            at = self._pass * total + done
            self._write(at, self._passes * total, eta_s, self._words.format(done, total))

    def _check(self) -> None:
        if self._is_cancelled:
            raise Cancelled

    def _write(self, done: int, total: int | None, eta_s: float | None, message: str) -> None:
        self._lines.write(Line(phase="importing", step=done, steps=total, eta_s=eta_s, message=message))
        self._lines.flush()

    def _cancel(self, *_: object) -> None:
        self._is_cancelled = True
