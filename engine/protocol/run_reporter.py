"""The Reporter: what a training process says, one named method a kind of line."""

from typing import Any

from engine.protocol.json_lines import Lines


class Reporter:
    """Writes the run's event lines. Metrics wait in a buffer until `flush`; everything else is handed over at once."""

    def __init__(self, lines: Lines) -> None:
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
        """Training begins after `epoch` completed epochs and `step` steps; what was reported beyond is void."""
        self._write(
            "started",
            attempt=attempt,
            pid=pid,
            device=device,
            epoch=epoch,
            step=step,
            epochs=epochs,
            steps=steps,
            going_on_from=going_on_from,
        )
        self.flush()

    def metrics(self, step: int, epoch: int, values: dict[str, float], *, at: float | None = None) -> None:
        """Values after `step`, in the 1-based `epoch`; `at` when they were taken, if not now (Unix seconds)."""
        self._write("metrics", step=step, epoch=epoch, values=values, **({} if at is None else {"at": at}))

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
        """`epoch` counts completed ones; what is not known yet is left out of the line. `eta_s` is for the phase's end
        before training begins, for the run's end from then on."""
        counts = {"step": step, "steps": steps, "epoch": epoch, "epochs": epochs}
        known = {name: count for name, count in counts.items() if count is not None}
        self._write("progress", phase=phase, **known, eta_s=eta_s, message=message)
        self.flush()

    def checkpoint(
        self, *, epoch: int, step: int, path: str, bytes: int, sha256: str, metrics: dict[str, float], best: bool
    ) -> None:
        """A checkpoint is whole on the disk; `path` is relative to the run, `sha256` that of its weights."""
        self._write(
            "checkpoint", epoch=epoch, step=step, path=path, bytes=bytes, sha256=sha256, metrics=metrics, best=best
        )
        self.flush()

    def checkpoint_deleted(self, path: str) -> None:
        self._write("checkpoint_deleted", path=path)
        self.flush()

    def message(self, level: str, text: str) -> None:
        """A sentence for a human; `level` is info, warning or error."""
        self._write("message", level=level, text=text)
        self.flush()

    def ended(
        self,
        state: str,
        *,
        reason: str | None = None,
        advice: str | None = None,
        detail: str | None = None,
        needs_bytes: int | None = None,
    ) -> None:
        """The run's last line; `state` is finished, failed, stopped, or interrupted until `needs_bytes` are free."""
        needs = {} if needs_bytes is None else {"needs_bytes": needs_bytes}
        self._write("ended", state=state, reason=reason, advice=advice, detail=detail, **needs)
        self.flush()

    def flush(self) -> None:
        self._lines.flush()

    def _write(self, kind: str, **fields: Any) -> None:
        self._lines.write(kind, **fields)


class NullReporter(Reporter):
    """Says nothing: for benchmarks and for measuring what reporting costs."""

    def __init__(self) -> None:
        pass

    def flush(self) -> None:
        pass

    def _write(self, kind: str, **fields: Any) -> None:
        pass
