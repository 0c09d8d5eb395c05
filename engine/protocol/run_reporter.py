"""The Reporter: what a training process says, one named method a kind of line."""

import time

from engine.protocol.events import EventCode, message
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Why, fields_of
from engine.protocol.run_lines import Checkpoint, CheckpointDeleted, Ended, Metrics, Progress, RunLine, Started


class Reporter:
    """Writes the run's event lines. Metrics wait in a buffer until `flush`; everything else is handed over at once."""

    def __init__(self, lines: JsonLines) -> None:
        self._lines = lines

    def started(
        self,
        *,
        attempt: int,
        pid: int,
        device: str,
        epoch: int,
        step: int,
        epochs: int,
        steps: int,
        going_on_from: str | None,
    ) -> None:
        """Training begins after `epoch` completed epochs and `step` steps; what was reported beyond is void.

        Args:
            attempt: 1 for the first process that trains this run.
            pid: Of this process.
            device: As people read it.
            epoch: Completed ones.
            step: Steps done.
            epochs: In the whole run.
            steps: In the whole run.
            going_on_from: A checkpoint, relative to the run's folder.
        """
        line = Started(
            attempt=attempt,
            pid=pid,
            device=device,
            epoch=epoch,
            step=step,
            epochs=epochs,
            steps=steps,
            going_on_from=going_on_from,
        )
        self._write(line)

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        """Values after `step`, in the 1-based `epoch`.

        Args:
            step: Steps done.
            epoch: The one under way.
            values: By path, as "train/loss".
            at: When they were taken, if not now (Unix seconds).
        """
        self._write(Metrics(at=time.time() if at is None else at, step=step, epoch=epoch, values={**values}))

    def progress(
        self,
        phase: str,
        *,
        step: int | None = None,
        steps: int | None = None,
        epoch: int | None = None,
        epochs: int | None = None,
        eta_s: float | None = None,
        message: str | None = None,
    ) -> None:
        """How far it is; what is not known yet is left out of the line.

        Args:
            phase: What goes on.
            step: Steps done.
            steps: In the whole run.
            epoch: Completed ones.
            epochs: In the whole run.
            eta_s: Seconds to the phase's end before training begins, to the run's end from then on.
            message: What goes on in the phase.
        """
        self._write(
            Progress(phase=phase, step=step, steps=steps, epoch=epoch, epochs=epochs, eta_s=eta_s, message=message)
        )

    def checkpoint(
        self, *, epoch: int, step: int, path: str, bytes: int, sha256: str, metrics: dict[str, float], best: bool
    ) -> None:
        """A checkpoint is whole on the disk.

        Args:
            epoch: Completed ones.
            step: Steps done.
            path: Relative to the run's folder.
            bytes: Of all its files.
            sha256: Of its weights.
            metrics: Of its epoch; empty in mid-epoch.
            best: Whether it is the best so far.
        """
        self._write(
            Checkpoint(epoch=epoch, step=step, path=path, bytes=bytes, sha256=sha256, metrics={**metrics}, best=best)
        )

    def checkpoint_deleted(self, path: str) -> None:
        """Before it goes: a list must not offer what is gone."""
        self._write(CheckpointDeleted(path=path))

    def message(self, code: EventCode, /, **details: object) -> None:
        """A line for a human; `details` are what its sentence has a place for."""
        self._write(message(code, **details))

    def ended(
        self,
        state: str,
        why: Why | None = None,
        *,
        detail: str | None = None,
        needs_bytes: int | None = None,
    ) -> None:
        """The run's last line.

        Args:
            state: finished, failed, stopped, or interrupted until `needs_bytes` are free.
            why: None: it went as it should.
            detail: A traceback.
            needs_bytes: Of the disk.
        """
        self._write(Ended(state=state, **fields_of(why), detail=detail, needs_bytes=needs_bytes))

    def flush(self) -> None:
        self._lines.flush()

    def _write(self, line: RunLine) -> None:
        self._lines.write(line)
        if not isinstance(line, Metrics):
            self.flush()


class NullReporter(Reporter):
    """Says nothing: for benchmarks and for measuring what reporting costs."""

    def __init__(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def _write(self, line: RunLine) -> None:
        pass
