"""Event lines become rows: each line counts exactly once, because the file's offset commits with its rows."""

import json
from pathlib import Path
from typing import Any

from storage import Checkpoint, MetricPoint, Run, RunState, Store

MOST_LINES = 20_000  # of one bite: a transaction stays short

Line = dict[str, Any]


def ingest(store: Store, run: Run, *, gone: bool) -> bool:
    """Turn the run's new lines into rows. True when the attempt's last line waits to be taken.

    The last word of a process, `ended`, is taken only once it is `gone`: a run is over when its processes are.
    """
    path = store.home.run(run.id) / "events.jsonl"
    while True:
        lines, offset, ended = new_lines(path, run.offset, take_ended=gone)
        if offset == run.offset:
            return ended
        with store.transaction():
            _apply(store, run, lines)
            store.runs.update(run.id, offset=offset)
        run = store.runs.get(run.id)


def new_lines(path: Path, offset: int, *, take_ended: bool) -> tuple[list[Line | None], int, bool]:
    """Whole lines from `offset` on (None for one that cannot be read), where they end, whether an `ended` waits."""
    if not path.exists():
        return [], offset, False
    lines: list[Line | None] = []
    with path.open("rb") as file:
        file.seek(offset)
        while len(lines) < MOST_LINES:
            raw = file.readline()
            if not raw.endswith(b"\n"):  # the end, or half a line: the rest is still to come
                break
            line = _parsed(raw)
            if line is not None and line["kind"] == "ended" and not take_ended:
                return lines, offset, True
            lines.append(line)
            offset += len(raw)
    return lines, offset, False


def _parsed(raw: bytes) -> Line | None:
    try:
        line = json.loads(raw)
        return line | {"at": float(line["at"]), "kind": as_text(line["kind"])}
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None


def _apply(store: Store, run: Run, lines: list[Line | None]) -> None:
    points: list[MetricPoint] = []
    values: dict[str, Any] = {}
    unreadable = judged = 0
    for line in lines:
        try:
            match line:
                case None:
                    unreadable += 1
                case {"kind": "metrics"}:
                    points += _points(line)
                    judged += run.metric in line["values"]
                    values["progress_at"] = line["at"]
                case _:
                    if line["kind"] == "started":  # a rewind must not meet points that are still on their way
                        store.metrics.add(run.id, points)
                        points, judged = [], judged + 1
                    with store.transaction():
                        values |= TAKERS.get(line["kind"], _unknown)(store, run, line) | {"progress_at": line["at"]}
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):  # JSON, but not what its kind says
            unreadable += 1
    store.metrics.add(run.id, points)
    if judged:
        best = store.metrics.best(run.id, run.metric, run.mode)
        values |= {"best_value": best.value if best else None, "best_epoch": best.epoch if best else None}
    if values:
        store.runs.update(run.id, **values)
    if unreadable:
        store.events.add(run.id, "warning", f"Left out of the run's report, being unreadable: {unreadable} lines.")


def _points(line: Line) -> list[MetricPoint]:
    step, epoch = as_count(line["step"]), as_count(line["epoch"])
    return [
        MetricPoint(name=as_text(name), step=step, epoch=epoch, value=as_number(value), at=line["at"])
        for name, value in line["values"].items()
    ]


def _started(store: Store, run: Run, line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {name: as_count(line[name]) for name in ("epoch", "step", "epochs", "steps")}
    device, attempt = as_text(line["device"]), as_count(line["attempt"])
    store.metrics.rewind(run.id, told["step"])
    store.runs.move(run.id, RunState.RUNNING, expect={RunState.STARTING})
    again = f" (attempt {attempt})" if attempt > 1 else ""
    going_on = f", going on after epoch {told['epoch']}" if line.get("going_on_from") else ""
    store.events.add(run.id, "info", f"Training on {device}{again}{going_on}.", line["at"])
    return told | {"device": device}


def _progress(store: Store, run: Run, line: Line) -> dict[str, Any]:
    counts = {name: as_count(line[name]) for name in ("step", "steps", "epoch", "epochs") if name in line}
    return counts | {"phase": as_text(line["phase"]), "eta_s": as_number(line.get("eta_s"))}


def _checkpoint(store: Store, run: Run, line: Line) -> dict[str, Any]:
    store.checkpoints.add(
        Checkpoint(
            run_id=run.id,
            epoch=as_count(line["epoch"]),
            step=as_count(line["step"]),
            path=as_text(line["path"]),
            bytes=as_count(line["bytes"]),
            sha256=as_text(line["sha256"]),
            created_at=line["at"],
            metrics={as_text(name): as_number(value) for name, value in line["metrics"].items()},
            is_best=bool(line["best"]),
        )
    )
    return {"tries": 0}  # it came further: the count of attempts in vain starts again


def _checkpoint_deleted(store: Store, run: Run, line: Line) -> dict[str, Any]:
    store.checkpoints.forget(run.id, as_text(line["path"]))
    return {}


def _message(store: Store, run: Run, line: Line) -> dict[str, Any]:
    store.events.add(run.id, as_text(line["level"]), as_text(line["text"]), line["at"])
    return {}


def _ended(store: Store, run: Run, line: Line) -> dict[str, Any]:
    state = RunState(line["state"])
    said: dict[str, Any] = {name: as_text(line[name]) for name in ("reason", "advice") if line.get(name)}
    if state is RunState.INTERRUPTED:  # it waits for room on the disk, unless it was asked to stop anyway
        if run.state is RunState.STOPPING:
            state = RunState.STOPPED
        else:
            said["needs_bytes"] = as_count(line["needs_bytes"])
    if store.runs.move(run.id, state, ended_at=line["at"], pid=None, slot=None, phase=None, **said):
        why = " ".join(said.values())
        begins = state.capitalize()
        text = why if why.startswith(begins) else f"{begins}: {why}" if why else f"{begins}."
        store.events.add(run.id, LEVELS.get(state, "info"), text, line["at"])
    return {}


def _unknown(store: Store, run: Run, line: Line) -> dict[str, Any]:
    return {}  # a newer worker's line; nothing here depends on it


def as_count(value: Any) -> int:
    """
    Raises:
        ValueError: No whole number that SQLite can hold.
    """
    if not 0 <= (count := int(value)) < 2**62:
        raise ValueError(value)
    return count


def as_number(value: Any) -> float | None:
    return None if value is None else float(value)


def as_text(value: Any) -> str:
    """
    Raises:
        ValueError: No text, or text that cannot be written down (half a surrogate pair).
    """
    if not isinstance(value, str):
        raise ValueError(value)
    value.encode()
    return value


LEVELS = {RunState.FAILED: "error", RunState.INTERRUPTED: "warning"}

TAKERS = {
    "started": _started,
    "progress": _progress,
    "checkpoint": _checkpoint,
    "checkpoint_deleted": _checkpoint_deleted,
    "message": _message,
    "ended": _ended,
}
