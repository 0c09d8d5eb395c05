"""The bucket pyramid agrees with the points below it, whatever order they came in; a peak is never lost."""

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import Home, MetricPoint, Store
from storage.metrics import FACTORS

VALUES = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf]))
BATCHES = st.lists(st.dictionaries(st.integers(0, 700), VALUES, max_size=60), max_size=5)


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(Home.find(tmp_path_factory.mktemp("home")), migrate=True)


def points(values: dict[int, float | None], name: str = "train/loss") -> list[MetricPoint]:
    return [
        MetricPoint(name=name, step=step, epoch=step // 100, value=value, at=float(step))
        for step, value in values.items()
    ]


def new_run(store: Store) -> str:
    return store.runs.add(name="a", spec={}, dataset_id="digits", epochs=1).id


def assert_pyramid_is_right(store: Store, run_id: str, expected: dict[int, float | None]) -> None:
    with store.reading() as db:
        rows = list(
            db.query("SELECT b.* FROM buckets b JOIN series s ON s.id = b.series_id WHERE s.run_id = ?", [run_id])
        )
    assert {(row["factor"], row["bucket"]) for row in rows} == {(f, step // f) for step in expected for f in FACTORS}
    for row in rows:
        inside = {step: value for step, value in expected.items() if step // row["factor"] == row["bucket"]}
        known = [value for value in inside.values() if value is not None]
        assert row["n"] == len(known)
        assert (row["low"], row["high"]) == ((min(known), max(known)) if known else (None, None))
        assert (row["total"] or 0.0) == pytest.approx(sum(known), abs=1e-3)
        assert (row["step"], row["last"]) == (max(inside), inside[max(inside)])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES, rewind_to=st.one_of(st.none(), st.integers(-1, 700)))
def test_buckets_agree_with_points(one_store: Store, batches: list, rewind_to: int | None) -> None:
    run_id = new_run(one_store)
    expected: dict[int, float | None] = {}
    for batch in batches:
        one_store.metrics.add(run_id, points(batch))
        expected |= {
            step: None if value is None or not math.isfinite(value) else value for step, value in batch.items()
        }
    if rewind_to is not None:
        one_store.metrics.rewind(run_id, rewind_to)
        expected = {step: value for step, value in expected.items() if step <= rewind_to}
    assert_pyramid_is_right(one_store, run_id, expected)
    series = one_store.metrics.series(run_id, "train/loss")
    assert dict(zip(series.steps, series.values, strict=True)) == expected
    assert one_store.metrics.count(run_id, "train/loss") == len(expected)


def test_a_long_line_is_read_coarsely_and_keeps_its_peak(store: Store) -> None:
    run_id = new_run(store)
    values: dict[int, float | None] = {step: 1.0 for step in range(100_000)}
    values[54_321] = 99.0
    store.metrics.add(run_id, points(values))
    whole = store.metrics.series(run_id, "train/loss")
    assert 100 < len(whole.steps) <= 1000
    assert whole.factor in FACTORS
    assert max(high for high in whole.highs if high is not None) == 99.0
    near = store.metrics.series(run_id, "train/loss", first_step=54_000, last_step=54_600)
    assert near.factor == 1
    assert near.values[near.steps.index(54_321)] == 99.0
    assert store.metrics.best(run_id, "train/loss") == points(values)[54_321]
    assert store.metrics.best(run_id, "train/loss", "min").step == 0


def test_newest_points_and_names(store: Store) -> None:
    run_id = new_run(store)
    store.metrics.add(run_id, [*points({1: 0.5, 9: math.nan}), *points({4: 0.9}, "val/accuracy")])
    assert store.metrics.names(run_id) == ["train/loss", "val/accuracy"]
    last = store.metrics.last(run_id)
    assert (last["train/loss"].step, last["train/loss"].value) == (9, None)
    assert last["val/accuracy"].value == 0.9
    assert store.metrics.series(run_id, "nothing").steps == []
    assert store.metrics.best(run_id, "nothing") is None


def test_lines_of_two_runs_do_not_meet(store: Store, tmp_path: Path) -> None:
    first, second = new_run(store), new_run(store)
    store.metrics.add(first, points({1: 1.0}))
    store.metrics.add(second, points({1: 2.0, 2: 3.0}))
    store.metrics.rewind(second, 0)
    assert store.metrics.series(first, "train/loss").values == [1.0]
    assert store.metrics.names(second) == []
