"""Many series at once: the same values as one by one, no peak lost, and nothing moves as points arrive."""

import math
import random

import pytest

from storage import Checkpoint, MetricPoint, Store
from storage.metrics import FACTORS


def run_with(store: Store, values: dict[str, dict[int, float]]) -> str:
    run_id = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=4).id
    add(store, run_id, values)
    return run_id


def add(store: Store, run_id: str, values: dict[str, dict[int, float]]) -> None:
    store.metrics.add(
        run_id,
        [
            MetricPoint(name=name, step=step, epoch=1 + step // 1000, value=value, at=step / 10)
            for name, points in values.items()
            for step, value in points.items()
        ],
    )


def noise(steps: int, seed: int = 0) -> dict[int, float]:
    chance = random.Random(seed)
    return {step: chance.gauss(1, 0.1) for step in range(1, steps + 1)}


@pytest.mark.parametrize("limit", [50, 400, 1000])
def test_lines_of_many_are_those_of_each(store: Store, limit: int) -> None:
    ids = [run_with(store, {"train/loss": noise(length, length)}) for length in (3, 900, 7000)]
    ids.append(run_with(store, {"val/loss": noise(9)}))
    lines = store.metrics.lines(ids, "train/loss", limit=limit)
    assert list(lines) == ids[:3]
    for run_id, line in lines.items():
        assert line == store.metrics.series(run_id, "train/loss", limit=limit)
        assert len(line.steps) <= limit


def test_a_few_points_far_apart_are_all_drawn(store: Store) -> None:
    run_id = run_with(store, {"val/accuracy": {500 * epoch: epoch / 100 for epoch in range(1, 61)}})
    line = store.metrics.lines([run_id], "val/accuracy", limit=100)[run_id]
    assert (line.factor, len(line.steps)) == (1, 60)


def test_values_that_are_no_numbers_take_their_share_of_points(store: Store) -> None:
    run_id = run_with(store, {"train/loss": {step: math.nan if step % 2 else 1.0 for step in range(1, 2001)}})
    line = store.metrics.lines([run_id], "train/loss", limit=1000)[run_id]
    assert line == store.metrics.series(run_id, "train/loss", limit=1000)
    assert len(line.steps) <= 1000


def test_a_window_is_read_finely_for_those_that_ask(store: Store) -> None:
    ids = [run_with(store, {"train/loss": noise(20_000, seed)}) for seed in (1, 2)]
    lines = store.metrics.lines(ids, "train/loss", windows={ids[0]: (5000, 5299)}, limit=400)
    assert (lines[ids[0]].factor, lines[ids[0]].steps) == (1, list(range(5000, 5300)))
    assert lines[ids[1]].factor == 64


def test_every_peak_is_among_lows_and_highs_of_every_level(store: Store) -> None:
    values = noise(30_000)
    values |= {17_003: 9.0, 17_004: -9.0}
    run_id = run_with(store, {"train/loss": values})
    for limit in (5000, 1000, 100, 10):
        line = store.metrics.lines([run_id], "train/loss", limit=limit)[run_id]
        place = next(place for place, step in enumerate(line.steps) if step >= 17_004)
        assert (min(line.lows), max(line.highs)) == (-9.0, 9.0)
        assert (line.lows[place], line.highs[place]) == (-9.0, 9.0)  # where they were, not somewhere


def test_what_was_drawn_stays_as_points_arrive(store: Store) -> None:
    values = noise(6000)
    run_id = run_with(store, {"train/loss": {1: values[1]}})
    held: dict[int, dict[int, tuple[float | None, float | None, float | None]]] = {}
    for end in range(250, 6001, 250):
        add(store, run_id, {"train/loss": {step: values[step] for step in range(end - 249, end + 1)}})
        line = store.metrics.lines([run_id], "train/loss", limit=300)[run_id]
        whole = [step for step in line.steps if line.factor == 1 or (step + 1) % line.factor == 0]
        now = {
            step: (line.lows[place], line.values[place], line.highs[place])
            for place, step in enumerate(line.steps)
            if step in whole
        }
        before = held.get(line.factor, {})
        assert {step: now[step] for step in before} == before
        held[line.factor] = now
    assert set(held) == {1, *FACTORS[:2]}


def test_extents_tell_of_whole_series(store: Store) -> None:
    values = noise(9000)
    run_id = run_with(store, {"train/loss": values, "val/accuracy": {4500: 0.5, 9000: 0.7}})
    silent = run_with(store, {"train/loss": {1: math.nan}})
    found = store.extents.of([run_id, silent, "gone"])
    loss = found[run_id]["train/loss"]
    assert (loss.points, loss.low, loss.high) == (9000, min(values.values()), max(values.values()))
    assert loss.mean == pytest.approx(sum(values.values()) / 9000)
    assert (loss.last, loss.last_step) == (values[9000], 9000)
    assert found[run_id]["val/accuracy"].last == 0.7
    assert (found[silent]["train/loss"].points, found[silent]["train/loss"].mean) == (0, None)
    assert "gone" not in found


def test_a_value_at_an_epoch_is_that_epochs_last(store: Store) -> None:
    run_id = run_with(store, {"train/accuracy": {999: 0.6, 1500: 0.7, 1999: 0.8, 2999: 0.9}})
    assert store.extents.at_epochs({run_id: 9}, "train/accuracy") == {}
    assert store.extents.at_epochs({run_id: 2, "gone": 2}, "train/accuracy") == {run_id: 0.8}


def test_some_runs_come_in_the_order_asked_for_without_those_that_are_gone(store: Store) -> None:
    ids = [run_with(store, {}) for _ in range(3)]
    assert [run.id for run in store.runs.some([ids[2], "gone", ids[0], ids[2]])] == [ids[2], ids[0]]
    assert store.runs.some([]) == []


def test_titles_are_of_the_newest_runs_and_no_trials(store: Store) -> None:
    search = store.searches.add(name="s", spec={})
    for name, search_id in (("old", None), ("trial", search.id), ("new", None)):
        store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1, search_id=search_id)
    assert list(store.runs.titles(9).values()) == ["new", "old"]
    assert list(store.runs.titles(1).values()) == ["new"]


def test_the_best_checkpoint_of_each_or_its_last(store: Store) -> None:
    ids = [run_with(store, {}) for _ in range(3)]
    for run_id, best in ((ids[0], 1), (ids[1], None)):
        for epoch in (1, 2):
            store.checkpoints.add(
                Checkpoint(
                    run_id=run_id,
                    epoch=epoch,
                    step=epoch,
                    path=f"checkpoints/e{epoch:04d}",
                    bytes=epoch,
                    sha256="",
                    created_at=0.0,
                    is_best=epoch == best,
                )
            )
    assert {run_id: one.epoch for run_id, one in store.checkpoints.best_of(ids).items()} == {ids[0]: 1, ids[1]: 2}
