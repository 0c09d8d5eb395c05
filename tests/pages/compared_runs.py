"""Runs to compare, without a store: as records, and what they came to as numbers."""

from dataclasses import replace
from typing import Any

from engine import api
from pages.parts.analysis.comparison.compared_runs import Compared
from pages.parts.analysis.comparison.differences import differences, line_names, setups
from pages.parts.analysis.comparison.groups import EACH, groups
from pages.parts.analysis.quantities import quantities
from pages.parts.analysis.run_stats import RunStats, common_metric
from storage import Run, RunState, Series


def run(name: str, best: float | None = None, **spec: Any) -> Run:
    parsed = api.RunSpec.parse({"name": name, "data": {"dataset": "digits"}, **spec})
    return Run(
        id=name.replace(" ", "").replace(",", ""),
        name=name,
        state=RunState.FINISHED,
        spec=parsed.model_dump(mode="json"),
        dataset_id="digits",
        created_at=0.0,
        started_at=60.0,
        ended_at=180.0,
        steps=40,
        epochs=4,
        best_value=best,
        best_epoch=3,
    )


HEAD = {"freeze": {"policy": "head"}}
GRADUAL = {"freeze": {"policy": "gradual", "every_epochs": 2}}
SIX = [
    run("head only, seed 0", 0.80, seed=0, **HEAD),
    run("from scratch, seed 0", 0.70, seed=0),
    run("head only, seed 1", 0.84, seed=1, **HEAD),
    run("from scratch, seed 1", 0.72, seed=1),
    run("gradual 1", 0.81, seed=0, **GRADUAL),
    run("gradual 2", 0.83, seed=1, **GRADUAL),
]


def stats(one: Run, **more: Any) -> RunStats:
    known: dict[str, Any] = {
        "best": one.best_value,
        "best_epoch": one.best_epoch,
        "last": one.best_value,
        "gap": None,
        "seconds": one.duration_s(),
        "images_per_s": None,
        "memory_mb": None,
        "memory_of": "",
        "parameters": None,
        "learning_parameters": None,
        "checkpoint_bytes": None,
    }
    return RunStats(run=one, **(known | more))


def compared(runs: list[Run], by: str = EACH, costs: dict[str, dict[str, Any]] | None = None) -> Compared:
    """`costs` are fields of `RunStats` by run id."""
    names, apart, metric = line_names(runs), differences(runs), common_metric(runs)
    return Compared(
        runs=tuple(runs),
        names={one.id: name for one, name in zip(runs, names, strict=True)},
        metric=metric,
        rows=quantities(metric),
        apart=tuple(apart),
        stats={one.id: stats(one, **(costs or {}).get(one.id, {})) for one in runs},
        setups=setups(runs, apart),
        sources={},
        by=by,
        groups=tuple(groups(runs, names, apart, by)),
        token=0,
    )


def elsewhere(one: Run) -> Run:
    """The same run on other images."""
    return replace(one, dataset_id="shapes", dataset_fingerprint="f")


def series(values: dict[int, float | None], *, factor: int = 1, lows: Any = None, highs: Any = None) -> Series:
    """A line with a point a step; step 10 is the end of an epoch, and a minute long."""
    return Series(
        name="val/accuracy",
        factor=factor,
        steps=list(values),
        values=list(values.values()),
        lows=lows or list(values.values()),
        highs=highs or list(values.values()),
        epochs=[1 + (step - 1) // 10 for step in values],
        at=[60.0 + 6 * step for step in values],
    )
