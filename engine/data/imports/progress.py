"""How far an import is, in event lines."""

import signal
import time

from engine.protocol.json_lines import JsonLines
from engine.protocol.run_lines import Progress as Line

EVERY_S = 0.2


class Cancelled(Exception):
    """By SIGTERM or Ctrl-C."""


class Progress:
    """Progress lines, at most five a second. Once the process was asked to end, the next call raises `Cancelled`."""

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines
        self._is_cancelled = False
        self._began: float | None = None
        self._reported = 0.0
        self._template = "{:,} of {:,} images checked"
        self._passes, self._pass = 1, 0
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._cancel)

    def say(self, message: str) -> None:
        """A phase whose length is not known."""
        self._check()
        self._write(0, None, None, message)

    def begin(self, template: str, *, passes: int, number: int) -> None:
        """Pass `number`, from 0, of so many over the same images: one bar for all of them.

        Args:
            template: With {:,} for how many are done, and for all.
            passes: How many there are.
            number: This one's, from 0.
        """
        self._template, self._passes, self._pass = template, passes, number
        self._began = None

    def report_step(self, step: int, steps: int, eta_s: float | None, message: str) -> None:
        """How far a phase is.

        Args:
            step: Done so far, in whatever unit.
            steps: In all.
            eta_s: Seconds that are left; None when nobody knows.
            message: For people.
        """
        self._check()
        self._write(step, steps, eta_s, message)

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are; 1 or more."""
        self._check()
        now = time.monotonic()
        if self._began is None:
            self._began = self._reported = now
        if now - self._reported >= EVERY_S or done == total:
            self._reported = now
            left = total - done + (self._passes - self._pass - 1) * total
            eta_s = (now - self._began) / done * left
            at = self._pass * total + done
            self._write(at, self._passes * total, eta_s, self._template.format(done, total))

    def _check(self) -> None:
        if self._is_cancelled:
            raise Cancelled

    def _write(self, done: int, total: int | None, eta_s: float | None, message: str) -> None:
        self._lines.write(Line(phase="importing", step=done, steps=total, eta_s=eta_s, message=message))
        self._lines.flush()

    def _cancel(self, *_: object) -> None:
        self._is_cancelled = True
