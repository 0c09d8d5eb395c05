"""What runs came to and what they cost, read for all of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine import api
from pages.parts.analysis.elapsed import EPOCH_S, is_by_epochs
from storage import Checkpoint, Extent, Run, Store

ACCURACY = "val/accuracy"
MemoryOf = Literal["GPU", "process", ""]
PEAKS: tuple[tuple[MemoryOf, str], ...] = (("GPU", "/peak_mb"), ("process", "/rss_mb"))  # ends of metrics' names


@dataclass(frozen=True, slots=True)
class RunStats:
    """One run in numbers; None is what is not known (yet)."""

    run: Run
    best: float | None  # of the metric by which all of them are compared
    best_epoch: int | None
    last: float | None
    gap: float | None  # training accuracy above validation accuracy at the best epoch
    seconds: float | None
    images_per_s: float | None  # on average
    memory_mb: float | None  # the most that one process or GPU took
    memory_of: MemoryOf
    parameters: int | None
    learning_parameters: int | None  # in the last epoch
    checkpoint_bytes: int | None  # of the best one
    metrics: tuple[str, ...] = ()  # names of all that it measured


def common_metric(runs: Sequence[Run]) -> str:
    """The metric that all runs were judged by; where they were not judged alike, validation accuracy."""
    metrics = {run.metric for run in runs}
    return metrics.pop() if len(metrics) == 1 else ACCURACY


def run_stats(store: Store, runs: Sequence[Run], metric: str, *, now: float) -> dict[str, RunStats]:
    """By run id, in four queries, and one for each run that was judged by another metric.

    Args:
        store: Where their metrics are.
        runs: In any state.
        metric: The one by which all of them are compared.
        now: Unix seconds, for what is not over.
    """
    ids = [run.id for run in runs]
    extents, kept = store.extents.of(ids), store.checkpoints.best_of(ids)
    bests = {run.id: _best(store, run, metric, extents.get(run.id, {})) for run in runs}
    epochs = {run_id: epoch for run_id, (_, epoch) in bests.items() if epoch is not None}
    trained, validated = (store.extents.at_epochs(epochs, name) for name in ("train/accuracy", ACCURACY))
    by_epochs = any(is_by_epochs(run) for run in runs)  # then all of them: times are compared with each other
    seconds = {run.id: _seconds(run, extents.get(run.id, {}).get(EPOCH_S) if by_epochs else None, now) for run in runs}
    gaps = {run_id: trained[run_id] - validated[run_id] for run_id in trained.keys() & validated.keys()}
    return {
        run.id: _of(
            store,
            run,
            metric,
            bests[run.id],
            extents.get(run.id, {}),
            kept.get(run.id),
            gaps.get(run.id),
            seconds[run.id],
        )
        for run in runs
    }


def _best(store: Store, run: Run, metric: str, extents: Mapping[str, Extent]) -> tuple[float | None, int | None]:
    """Best value of the metric and its epoch."""
    if run.metric == metric:
        return run.best_value, run.best_epoch
    point = store.metrics.best(run.id, metric) if metric in extents else None
    return (point.value, point.epoch) if point else (None, None)


def _of(
    store: Store,
    run: Run,
    metric: str,
    best: tuple[float | None, int | None],
    extents: Mapping[str, Extent],
    kept: Checkpoint | None,
    gap: float | None,
    seconds: float | None,
) -> RunStats:
    memory_of, memory = peak_memory(extents)
    parameters = _last(extents, "model/parameters")
    if parameters is None and kept is not None:
        parameters = _counted(store, kept)
    learning = _last(extents, "model/learning_parameters")
    pace = extents.get("speed/images_per_s")
    return RunStats(
        run=run,
        best=best[0],
        best_epoch=best[1],
        last=_last(extents, metric),
        gap=gap,
        seconds=seconds,
        images_per_s=pace.mean if pace else None,
        memory_mb=memory,
        memory_of=memory_of,
        parameters=None if parameters is None else int(parameters),
        learning_parameters=None if learning is None else int(learning),
        checkpoint_bytes=kept.bytes if kept else None,
        metrics=tuple(extents),
    )


def _seconds(run: Run, epochs: Extent | None, now: float) -> float | None:
    """What its epochs took, those before its first included; from start to end where they are not told."""
    if epochs is not None and epochs.mean is not None:
        return epochs.mean * epochs.points
    return run.duration_s(now)


def _last(extents: Mapping[str, Extent], name: str) -> float | None:
    return extents[name].last if name in extents else None


def peak_memory(extents: Mapping[str, Extent]) -> tuple[MemoryOf, float | None]:
    """In MiB: of the GPU where there is one, else of the process; of the hungriest of several."""
    for kind, ending in PEAKS:
        highs = [one.high for name, one in extents.items() if name.endswith(ending) and one.high is not None]
        if highs:
            return kind, max(highs)
    return "", None


def _counted(store: Store, kept: Checkpoint) -> int | None:
    """Of runs that did not yet tell how many parameters they have."""
    try:
        return api.count_parameters(store, kept)
    except api.Unavailable:
        return None
