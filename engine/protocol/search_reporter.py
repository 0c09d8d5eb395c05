"""What a search says: one named method a kind of line, in the search's own events.jsonl."""

import time
from pathlib import Path
from typing import Any

from engine.protocol.json_lines import Lines


class SearchReporter:
    """Writes the search's event lines; each is handed over at once.

    Raises:
        OSError: The file cannot be opened or written.
    """

    def __init__(self, folder: Path) -> None:
        self._lines = Lines(folder / "events.jsonl")
        self._phase, self._told = "", 0.0
        self._message: str | None = None

    def started(self, *, attempt: int, pid: int, device: str, at_once: int, path: str) -> None:
        """The driver lives; `path` is ray or heads: how its trials are trained."""
        self._write("started", attempt=attempt, pid=pid, device=device, at_once=at_once, path=path)

    def trial(
        self, run: str, *, number: int, name: str, attempt: int, config: dict[str, Any], spec: dict[str, Any]
    ) -> None:
        """A trial begins, goes on, or has new settings: `config` is what is searched, `spec` all of its run's."""
        self._write("trial", run=run, number=number, name=name, attempt=attempt, config=config, spec=spec)

    def trial_ended(
        self, run: str, *, state: str, reason: str | None, advice: str | None = None, cost: float | None = None
    ) -> None:
        """Its run's own last line is written. `state` as of runs; interrupted: it goes on with the search."""
        known = {} if cost is None else {"cost": cost}
        self._write("trial_ended", run=run, state=state, reason=reason, advice=advice, **known)

    def progress(self, phase: str, message: str | None = None) -> None:
        """What goes on now: once a second at most where the phase is the same, every ten where the message is too."""
        waits = 0.0 if phase != self._phase else 1.0 if message != self._message else 10.0
        if time.monotonic() - self._told >= waits:
            self._phase, self._message, self._told = phase, message, time.monotonic()
            self._write("progress", phase=phase, message=message)

    def message(self, level: str, text: str) -> None:
        """A sentence for a human; `level` is info, warning or error."""
        self._write("message", level=level, text=text)

    def ended(self, state: str, *, wanted: int | None, reason: str | None = None, advice: str | None = None) -> None:
        """The driver's last line; `state` is finished, stopped, paused, failed, or interrupted: start it again.

        Args:
            wanted: Trials in all, as far as it has heard; None: it has not come so far.
        """
        self._write("ended", state=state, reason=reason, advice=advice, wanted=wanted)

    def close(self) -> None:
        self._lines.close()

    def _write(self, kind: str, **fields: Any) -> None:
        self._lines.write(kind, **fields)
        self._lines.flush()
