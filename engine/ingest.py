"""Event lines become rows: each line counts exactly once, because the file's offset commits with its rows."""

import json
from pathlib import Path
from typing import Any

from storage import Checkpoint, MetricPoint, Run, RunState, Store

MOST_BYTES = 4 * 2**20  # of one bite: a transaction stays short


def ingest(store: Store, run: Run, *, gone: bool) -> bool:
    """Turn the run's new lines into rows. True when there was anything.

    The last word of a process, `ended`, is taken only once it is `gone`: a run is over when its processes are.
    """
    path = store.home.run(run.id) / "events.jsonl"
    read_any = False
    while True:
        lines, offset = _new_lines(path, run.offset, run.attempt if not gone else None)
        if offset == run.offset:
            return read_any
        with store.transaction():
            _apply(store, run, lines)
            store.runs.update(run.id, offset=offset)
        read_any = True
        run = store.runs.get(run.id)


def has_ended_line(store: Store, run: Run) -> bool:
    """Whether a line that ends this attempt waits to be taken."""
    path = store.home.run(run.id) / "events.jsonl"
    if not path.exists():
        return False
    with path.open("rb") as file:
        file.seek(run.offset)
        return any((_parsed(line) or {}).get("kind") == "ended" for line in file)


def _new_lines(path: Path, offset: int, waiting_for: int | None) -> tuple[list[dict[str, Any] | None], int]:
    """Whole lines from `offset` on and where they end; None for one that cannot be read."""
    if not path.exists():
        return [], offset
    lines: list[dict[str, Any] | None] = []
    with path.open("rb") as file:
        file.seek(offset)
        while file.tell() - offset < MOST_BYTES or not lines:
            raw = file.readline()
            if not raw.endswith(b"\n"):  # the end, or half a line: the rest is still to come
                break
            line = _parsed(raw)
            if waiting_for is not None and line is not None and line.get("kind") == "ended":
                break
            lines.append(line)
            offset += len(raw)
            if len(lines) >= 20_000:
                break
    return lines, offset


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "kind" in line and "at" in line else None


def _apply(store: Store, run: Run, lines: list[dict[str, Any] | None]) -> None:
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
                    values |= {"progress_at": line["at"]} | TAKERS.get(line["kind"], _unknown)(store, run, line)
        except (KeyError, TypeError, ValueError, AttributeError):  # JSON, but not what its kind says
            unreadable += 1
    store.metrics.add(run.id, points)
    if judged:
        best = store.metrics.best(run.id, run.metric)
        values |= {"best_value": best.value if best else None, "best_epoch": best.epoch if best else None}
    if values:
        store.runs.update(run.id, **values)
    if unreadable:
        store.events.add(run.id, "warning", f"Left out of the run's report, being unreadable: {unreadable} lines.")


def _points(line: dict[str, Any]) -> list[MetricPoint]:
    return [
        MetricPoint(
            name=str(name),
            step=int(line["step"]),
            epoch=int(line["epoch"]),
            value=None if value is None else float(value),
            at=float(line["at"]),
        )
        for name, value in line["values"].items()
    ]


def _started(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    store.metrics.rewind(run.id, line["step"])
    store.runs.move(run.id, RunState.RUNNING, expect={RunState.STARTING})
    going_on = f", going on after epoch {line['epoch']}" if line.get("going_on_from") else ""
    attempt = f" (attempt {line['attempt']})" if line["attempt"] > 1 else ""
    store.events.add(run.id, "info", f"Training on {line['device']}{attempt}{going_on}.", line["at"])
    return {name: line[name] for name in ("device", "epoch", "step", "epochs", "steps")}


def _progress(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("phase", "step", "steps", "epoch", "epochs", "eta_s") if name in line}


def _checkpoint(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    store.checkpoints.add(
        Checkpoint(
            run_id=run.id,
            epoch=line["epoch"],
            step=line["step"],
            path=line["path"],
            bytes=line["bytes"],
            sha256=line["sha256"],
            created_at=line["at"],
            metrics=line["metrics"],
            is_best=line["best"],
        )
    )
    return {"tries": 0}  # it came further: the count of attempts in vain starts again


def _checkpoint_deleted(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    store.checkpoints.forget(run.id, line["path"])
    return {}


def _message(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    store.events.add(run.id, line["level"], line["text"], line["at"])
    return {}


def _ended(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    state = RunState(line["state"])
    said = {"reason": line.get("reason"), "advice": line.get("advice")}
    if store.runs.move(run.id, state, ended_at=line["at"], pid=None, slot=None, phase=None, **said):
        level = "error" if state is RunState.FAILED else "info"
        why = " ".join(filter(None, said.values()))
        text = f"{state.capitalize()}: {why}" if why else f"{state.capitalize()}."
        store.events.add(run.id, level, text, line["at"])
    return {}


def _unknown(store: Store, run: Run, line: dict[str, Any]) -> dict[str, Any]:
    return {}  # a newer worker's line; nothing here depends on it


TAKERS = {
    "started": _started,
    "progress": _progress,
    "checkpoint": _checkpoint,
    "checkpoint_deleted": _checkpoint_deleted,
    "message": _message,
    "ended": _ended,
}
