"""What a search says: one named method a kind of line, in the search's own events.jsonl."""

import time
from pathlib import Path

from engine.protocol.events import EventCode, message
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Why, fields_of
from engine.protocol.search_lines import Ended, Progress, SearchLine, Started, Trial, TrialEnded
from engine.protocol.serialization import JsonObject


class SearchReporter:
    """Writes the search's event lines; each is handed over at once.

    Raises:
        OSError: The file cannot be opened or written.
    """

    def __init__(self, folder: Path) -> None:
        self._lines = JsonLines.events(folder)
        self._phase, self._written_at = "", 0.0  # of the last progress line; monotonic
        self._message: str | None = None

    def started(self, *, attempt: int, pid: int, device: str, max_concurrent: int, path: str) -> None:
        """The driver lives.

        Args:
            attempt: 1 for the first driver of this search.
            pid: Of this process.
            device: As people read it.
            max_concurrent: Trials.
            path: How its trials are trained: ray or heads.
        """
        self._write(Started(attempt=attempt, pid=pid, device=device, max_concurrent=max_concurrent, path=path))

    def trial(self, run: str, *, number: int, name: str, attempt: int, config: JsonObject, spec: JsonObject) -> None:
        """A trial begins, goes on, or has new settings.

        Args:
            run: The id of its run.
            number: Within the search; 1 is the base run.
            name: Of its run.
            attempt: 1 for the first driver that trains it.
            config: What is searched: field path -> value.
            spec: All of its run's settings.
        """
        self._write(Trial(run=run, number=number, name=name, attempt=attempt, config=config, spec=spec))

    def trial_ended(
        self,
        run: str,
        *,
        state: str,
        why: Why | None = None,
        cost: float | None = None,
    ) -> None:
        """A trial left, and its run's own last line is written.

        Args:
            run: The id of its run.
            state: As of runs; interrupted: it goes on with the search.
            why: None: it went as it should.
            cost: What the metric is weighed against.
        """
        self._write(TrialEnded(run=run, state=state, **fields_of(why), cost=cost))

    def progress(self, phase: str, message: str | None = None) -> None:
        """What goes on now: once a second at most where the phase is the same, every ten where the message is too."""
        waits = 0.0 if phase != self._phase else 1.0 if message != self._message else 10.0
        if time.monotonic() - self._written_at >= waits:
            self._phase, self._message, self._written_at = phase, message, time.monotonic()
            self._write(Progress(phase=phase, message=message))

    def message(self, code: EventCode, /, **details: object) -> None:
        """A line for a human; `details` are what its sentence has a place for."""
        self._write(message(code, **details))

    def ended(self, state: str, why: Why | None = None, *, num_trials: int | None) -> None:
        """The driver's last line.

        Args:
            state: finished, stopped, paused, failed, or interrupted: start it again.
            num_trials: Trials in all, as far as it knows; None: it has not come so far.
            reason: One sentence.
            advice: What to do next.
            code: What the reason is made from.
        """
        self._write(Ended(state=state, num_trials=num_trials, **fields_of(why)))

    def close(self) -> None:
        self._lines.close()

    def _write(self, line: SearchLine) -> None:
        self._lines.write(line)
        self._lines.flush()
