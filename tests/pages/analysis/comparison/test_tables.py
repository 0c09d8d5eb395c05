"""What runs came to, read from a real store and told in tables."""

from dataclasses import replace

import pandas as pd
import pytest

from engine.api import RunSpec
from pages.parts.analysis.comparison.groups import SEEDS
from pages.parts.analysis.comparison.tables import groups_compared, measures, runs_compared, scaled
from pages.parts.analysis.quantities import known, of_settings, quantities
from pages.parts.analysis.run_stats import run_stats
from pages.parts.compare.tables import order
from storage import Checkpoint, MetricPoint, RunState, Store
from tests.pages.compared_runs import SIX, compared, elsewhere, run


def trained(store: Store, metrics: dict[str, list[float]], **columns: object) -> str:
    """A finished run whose metrics have a point an epoch."""
    spec = RunSpec.parse({"data": {"dataset": "digits"}}).model_dump(mode="json")
    made = store.runs.add(name="a", spec=spec, dataset_id="digits", epochs=9)
    store.runs.move(made.id, RunState.STARTING, started_at=100.0)
    store.metrics.add(
        made.id,
        [
            MetricPoint(name=name, step=epoch, epoch=epoch, value=value, at=100.0 + epoch)
            for name, values in metrics.items()
            for epoch, value in enumerate(values, start=1)
        ],
    )
    store.runs.move(made.id, RunState.FINISHED, ended_at=160.0)
    store.runs.update(made.id, **columns)
    return made.id


def test_all_of_it_is_measured_from_the_store(store: Store) -> None:
    run_id = trained(
        store,
        {
            "val/accuracy": [0.5, 0.9, 0.8],
            "train/accuracy": [0.6, 0.95, 0.99],
            "speed/images_per_s": [100.0, 200.0, 300.0],
            "gpu0/peak_mb": [500.0, 700.0, 600.0],
            "gpu1/peak_mb": [900.0, 400.0, 400.0],
            "memory/rss_mb": [5000.0],
            "model/parameters": [1000.0, 1000.0, 1000.0],
            "model/learning_parameters": [10.0, 10.0, 500.0],
        },
        best_value=0.9,
        best_epoch=2,
    )
    store.checkpoints.add(
        Checkpoint(
            run_id=run_id, epoch=2, step=2, path="checkpoints/e0002", bytes=4242, sha256="", created_at=0, is_best=True
        )
    )
    one = run_stats(store, [store.runs.get(run_id)], "val/accuracy", now=0.0)[run_id]
    assert (one.best, one.best_epoch, one.last) == (0.9, 2, 0.8)
    assert one.gap == pytest.approx(0.05)
    assert (one.seconds, one.images_per_s) == (60.0, 200.0)
    assert (one.memory_of, one.memory_mb) == ("GPU", 900.0)
    assert (one.parameters, one.learning_parameters, one.checkpoint_bytes) == (1000, 500, 4242)
    assert "train/accuracy" in one.metrics


def test_a_run_judged_by_another_metric_is_measured_by_the_one_they_share(store: Store) -> None:
    values = {"val/accuracy": [0.5, 0.9, 0.8], "val/loss": [3.0, 2.0, 1.0], "train/accuracy": [0.5, 0.94, 1.0]}
    run_id = trained(store, values, metric="val/loss", best_value=1.0, best_epoch=3)
    one = run_stats(store, [store.runs.get(run_id)], "val/accuracy", now=0.0)[run_id]
    assert (one.best, one.best_epoch) == (0.9, 2)
    assert one.gap == pytest.approx(0.04), "of the epoch shown"


def test_days_that_a_run_lay_still_are_no_time_of_its(store: Store) -> None:
    pace = {"val/accuracy": [0.5, 0.6], "speed/epoch_s": [3.0, 5.0]}
    ids = [trained(store, pace, attempt=attempt) for attempt in (1, 2)]

    def minutes(*run_ids: str) -> list[float | None]:
        return [one.seconds for one in run_stats(store, store.runs.some(run_ids), "val/accuracy", now=0.0).values()]

    assert (minutes(ids[0]), minutes(ids[1])) == ([60.0], [8.0])
    assert minutes(*ids) == [8.0, 8.0], "compared with each other they are timed alike"


def test_a_run_that_measured_nothing_is_known_by_its_row_alone(store: Store) -> None:
    queued = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=1)
    one = run_stats(store, [queued], "val/accuracy", now=0.0)[queued.id]
    assert (one.best, one.last, one.gap, one.seconds, one.memory_mb, one.parameters) == (None,) * 6
    assert one.metrics == ()


def test_quantities_are_in_the_unit_that_suits_most() -> None:
    rows = quantities("val/accuracy")
    assert scaled(rows["seconds"], [7200.0, 10_800.0, 36.0]) == ([2.0, 3.0, 0.01], "h")
    assert scaled(rows["seconds"], [10.0, 20.0, 99_999.0])[1] == "s"
    assert scaled(rows["memory"], [2000.0, None])[0] == [2.0, None]
    assert scaled(rows["best"], [90.0]) == ([90.0], "%")
    assert quantities("val/loss")["best"].lowest
    assert not rows["best"].lowest


def test_settings_that_are_numbers_are_quantities_too() -> None:
    runs = [
        run(f"run {place}", 0.5, optimisation={"batch_size": 32 * place}, freeze={"policy": policy})
        for place, policy in ((1, "head"), (2, "none"))
    ]
    all_ = compared(runs)
    found = of_settings(runs, all_.apart)
    assert set(found) == {"optimisation.batch_size"}
    assert [found["optimisation.batch_size"].value(all_.stats[one.id]) for one in runs] == [32, 64]
    both = known([*all_.rows.values()], [*all_.stats.values()])
    assert {one.key for one in both} == {"best", "last", "seconds", "epoch"}


def test_a_row_a_run_with_what_sets_it_apart() -> None:
    all_ = compared(SIX, costs={SIX[0].id: {"gap": 0.1, "parameters": 10, "learning_parameters": 10}})
    order = [2, 0]
    rows = [all_.stats[SIX[place].id] for place in order]
    table = runs_compared(rows, all_.names, all_.rows, all_.apart, order, link=lambda one: f"/run?run={one.id}")
    assert table["run"].tolist() == [["head only, seed 1"], ["head only, seed 0"]]
    assert table["best"].round(1).tolist() == [84.0, 80.0]
    assert table["gap"].tolist()[1] == 10.0
    assert table["Seed"].tolist() == [1, 0]
    assert table["Freezing"].tolist() == ["Head only", "Head only"]
    assert table["open"][0] == f"/run?run={SIX[2].id}"
    assert "state" not in table  # all are finished
    assert "learning" not in measures(rows, all_.rows)  # nothing is frozen


def test_a_row_a_group_with_the_spread_of_its_runs() -> None:
    all_ = compared([*SIX, run("no value", seed=3)], SEEDS)
    table = groups_compared(all_.groups, all_.stats, all_.rows)
    assert table[["runs", "mean", "lowest", "highest"]].round(1).values.tolist()[0] == [2, 82.0, 80.0, 84.0]
    alone = compared([run("no value"), run("none either", seed=1)], SEEDS)
    assert groups_compared(alone.groups, alone.stats, alone.rows)["mean"].isna().all()


def test_no_mean_is_made_of_two_kinds() -> None:
    way = [run("a 1", 0.8), replace(run("a 2", 0.9, seed=1), device="cuda:0")]
    setups = {"a1": {"memory_mb": 100.0, "memory_of": "process"}, "a2": {"memory_mb": 900.0, "memory_of": "GPU"}}
    all_ = compared([*way, *SIX[:1]], SEEDS, setups)
    table = groups_compared(all_.groups, all_.stats, all_.rows).set_index(pd.Index(["a", "head only"]))
    assert (table["mean"].round(1).tolist(), table["runs"].tolist()) == ([85.0, 80.0], [2, 1])
    assert "memory" not in table
    assert table["seconds"].isna().tolist() == [True, False]


def test_a_table_of_runs_judged_by_different_images_claims_no_best() -> None:
    assert order(compared(SIX)) == "best first"
    assert order(compared([SIX[0], elsewhere(SIX[1])])) == "highest value first"
