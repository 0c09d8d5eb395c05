"""Runs that were trained elsewhere: read from event files, they are finished runs like any other, but for settings."""

from bisect import bisect_left
from pathlib import Path

from engine.api.annotations import checked_name, refuse_unwritable
from engine.api.event_files import Points, Scalars, read_scalars
from engine.api.runs import unused
from engine.errors import Problem, Refused
from engine.protocol.events import EventCode, Happening
from storage import MetricPoint, Run, RunState, Store

JUDGED_BY = ("val/accuracy", "val/loss", "train/accuracy", "train/loss")  # the first that there is


def import_events(store: Store, path: str | Path, *, name: str = "") -> Run:
    """A finished run with the scalars of TensorBoard's event files: one file, or the folder of one run.

    Args:
        name: "": that of the file or folder.

    Raises:
        Unavailable: The `tensorboard` package is not there.
        Refused: Nothing can be read there, or the name is none.
    """
    if not str(path).strip():
        raise Refused([Problem("path", path, "say which event file, or the folder of which run")])
    refuse_unwritable("path", str(path))  # nor does TensorBoard read such a one
    source = Path(path).expanduser().absolute()
    run_name = checked_name(name or source.name)
    read = read_scalars(source)
    ends = _ends_of_epochs(read)
    points = [
        MetricPoint(name=name, step=step, epoch=_epoch(ends, step), value=value, at=at)
        for name, of_name in read.metrics.items()
        for step, at, value in of_name
    ]
    judged_by = next((one for one in JUDGED_BY if one in read.metrics), JUDGED_BY[0])
    steps, epochs = max(one.step for one in points), max(one.epoch for one in points)
    with store.transaction():
        run = store.runs.add(
            name=unused(run_name, store.runs.names()),
            spec={},
            dataset_id="",
            epochs=epochs,
            state=RunState.FINISHED,
            source=f"TensorBoard: {source}",
            started_at=min(one.at for one in points),
            ended_at=max(one.at for one in points),
            step=steps,
            steps=steps,
            epoch=epochs,
            metric=judged_by,
        )
        store.metrics.add(run.id, points)
        best = store.metrics.best(run.id, run.metric, run.mode)
        store.runs.update(run.id, best_value=best and best.value, best_epoch=best and best.epoch)
        counts = {"metrics": len(read.metrics), "points": len(points)}
        store.events.note(run.id, Happening.of(EventCode.READ_IN, source=source, **counts))
        for remark in read.remarks:
            store.events.note(run.id, Happening.of(EventCode.READ_REMARK, detail=remark))
    return store.runs.get(run.id)


def _ends_of_epochs(read: Scalars) -> list[int]:
    """Event files count steps alone. What is measured least often, validation first, is taken to end an epoch."""
    judged = [points for name, points in read.metrics.items() if name.startswith("val/")]
    seldom: Points = min(judged or list(read.metrics.values()), key=len)
    return sorted({step for step, _, _ in seldom})


def _epoch(ends: list[int], step: int) -> int:
    """The epoch under way, from 1; what came after the last end counts to the last."""
    return min(bisect_left(ends, step) + 1, len(ends))
