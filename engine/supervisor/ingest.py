"""Event lines become rows: each line counts exactly once, because the file's offset commits with its rows."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, assert_never

from engine.protocol.events import EventCode, Happening
from engine.protocol.json_lines import Line, Unknown
from engine.protocol.reasons import Why
from engine.protocol.run_lines import (
    Checkpoint,
    CheckpointDeleted,
    Ended,
    Message,
    Metrics,
    Progress,
    RunLine,
    Started,
    read_run_lines,
)
from storage import Checkpoint as CheckpointRow
from storage import MetricPoint, Run, RunState, Store
from storage.old_words import event_code, reason_code

MOST_LINES = 20_000  # of one batch: a transaction stays short
LEVELS = {RunState.FAILED: "error", RunState.INTERRUPTED: "warning"}

Values = dict[str, Any]  # columns of a row that change
L = TypeVar("L")


def ingest(store: Store, run: Run, *, gone: bool) -> bool:
    """Turn the run's new lines into rows. True when the attempt's last line waits to be taken.

    That line, `Ended`, is taken only once its process is `gone`: a run is over when its processes are.
    """
    while True:
        found = read_run_lines(store.home.run(run.id), run.offset)
        lines, offset, ended = next_batch(found, run.offset, Ended, gone=gone)
        if offset == run.offset:
            return ended
        with store.transaction():
            _apply(store, run, lines)
            store.runs.update(run.id, offset=offset)
        run = store.runs.get(run.id)


def next_batch(
    found: Iterator[tuple[L, int]], offset: int, last: type[Line], *, gone: bool
) -> tuple[list[L], int, bool]:
    """The next lines, as many as one transaction takes.

    Args:
        found: Lines, each with where it ends.
        offset: Where the first one begins.
        last: The kind of an attempt's last line.
        gone: Whether the process is, so that this line is taken too.

    Returns:
        The lines, where they end, and whether the last one waits.
    """
    lines: list[L] = []
    for line, end in found:
        if isinstance(line, last) and not gone:
            return lines, offset, True
        lines.append(line)
        offset = end
        if len(lines) == MOST_LINES:
            break
    return lines, offset, False


def _apply(store: Store, run: Run, lines: Iterable[RunLine | Unknown | None]) -> None:
    points: list[MetricPoint] = []
    values: Values = {}
    unreadable = evaluated = 0
    for line in lines:
        if line is None:
            unreadable += 1
            continue
        if isinstance(line, Metrics):
            points += _points(line)
            evaluated += run.metric in line.values
            values["progress_at"] = line.at
            continue
        if isinstance(line, Started):  # a rewind must not meet points that are still on their way
            store.metrics.add(run.id, points)
            points, evaluated = [], evaluated + 1
        try:
            with store.transaction():
                values |= _take(store, run, line) | {"progress_at": line.at}
        except (ValueError, KeyError):  # a state that no run has
            unreadable += 1
    store.metrics.add(run.id, points)
    if evaluated:
        best = store.metrics.best(run.id, run.metric, run.mode)
        values |= {"best_value": best.value if best else None, "best_epoch": best.epoch if best else None}
    if values:
        store.runs.update(run.id, **values)
    if unreadable:
        store.events.note(run.id, Happening.of(EventCode.UNREADABLE_LINES, lines=unreadable))


def _points(line: Metrics) -> list[MetricPoint]:
    return [
        MetricPoint(name=name, step=line.step, epoch=line.epoch, value=value, at=line.at)
        for name, value in line.values.items()
    ]


def _take(store: Store, run: Run, line: RunLine | Unknown) -> Values:
    """Write the rows beside the run's own; what changes in that one.

    Raises:
        ValueError: It says what cannot be.
    """
    match line:
        case Started():
            return _started(store, run, line)
        case Progress():
            counts = {"step": line.step, "steps": line.steps, "epoch": line.epoch, "epochs": line.epochs}
            known = {name: count for name, count in counts.items() if count is not None}
            return known | {"phase": line.phase, "eta_s": line.eta_s}
        case Checkpoint():
            return _checkpoint(store, run, line)
        case CheckpointDeleted():
            store.checkpoints.forget(run.id, line.path)
        case Message():
            store.events.note(run.id, event_of(line), line.at)
        case Ended():
            _ended(store, run, line)
        case Metrics() | Unknown():
            pass
        case _:
            assert_never(line)
    return {}


def _started(store: Store, run: Run, line: Started) -> Values:
    store.metrics.rewind(run.id, line.step)
    store.runs.move(run.id, RunState.RUNNING, expect={RunState.STARTING})
    code = STARTS[bool(line.going_on_from), line.attempt > 1]
    begun = Happening.of(code, device=line.device, attempt=line.attempt, epoch=line.epoch)
    store.events.note(run.id, begun, line.at)
    return {
        "epoch": line.epoch,
        "step": line.step,
        "epochs": line.epochs,
        "steps": line.steps,
        "device": line.device,
    }


def _checkpoint(store: Store, run: Run, line: Checkpoint) -> Values:
    store.checkpoints.add(
        CheckpointRow(
            run_id=run.id,
            epoch=line.epoch,
            step=line.step,
            path=line.path,
            bytes=line.bytes,
            sha256=line.sha256,
            created_at=line.at,
            metrics=line.metrics,
            is_best=line.best,
        )
    )
    return {"tries": 0}  # it came further: the count of attempts in vain starts again


def _ended(store: Store, run: Run, line: Ended) -> None:
    state = RunState(line.state)
    why = reason_of(line.code, line.reason, line.advice)
    values = columns_of(why)
    if state is RunState.INTERRUPTED:  # it waits for room on the disk, unless it was asked to stop anyway
        if run.state is RunState.STOPPING:
            state = RunState.STOPPED
        elif line.needs_bytes is None:
            raise ValueError("interrupted, though nothing is needed")
        else:
            values["needs_bytes"] = line.needs_bytes
    if store.runs.move(run.id, state, ended_at=line.at, pid=None, slot=None, phase=None, **values):
        store.events.note(run.id, Happening.end(state, why), line.at)


def event_of(line: Message) -> Happening:
    """The event of a message; what was written before there were codes has one by its words."""
    return Happening(line.code or event_code(line.text), line.level, line.text, {})


def reason_of(code: str, reason: str | None, advice: str | None) -> Why | None:
    """The reason that a line tells; what was written before there were codes has one by its words."""
    return Why(code or reason_code(reason) or "", reason, advice or "") if reason else None


def columns_of(why: Why | None) -> Values:
    """A reason as the columns of a row."""
    return {"reason": why.reason, "reason_code": why.code or None, "advice": why.advice or None} if why else {}


STARTS = {  # whether it goes on from a checkpoint, whether there was an attempt before
    (False, False): EventCode.STARTED,
    (False, True): EventCode.STARTED_AGAIN,
    (True, False): EventCode.GOING_ON,
    (True, True): EventCode.GOING_ON_AGAIN,
}
