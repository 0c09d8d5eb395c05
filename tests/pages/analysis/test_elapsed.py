"""How long runs took that lay still in between, or began with the curves of another."""

from dataclasses import replace

from pages.parts.analysis.comparison.compared_runs import focused
from pages.parts.analysis.elapsed import EPOCH_S, moving
from pages.parts.analysis.run_stats import run_stats
from pages.parts.compare.curves import ChartView, line_series
from pages.parts.figures.compare.series import of_run, window_of
from pages.parts.palette import LIGHT
from storage import MetricPoint, Run, RunState, Store
from tests.pages.compared_runs import SIX, compared, series

NIGHT = 36_000.0
RESUMED = replace(SIX[0], attempt=2)  # started at 60.0
STEP = 10  # steps an epoch


def trained(store: Store, epochs: int, *, begin: int = 1, at: float = 60.0, run_id: str = "") -> str:
    """Epochs of a minute each, one after the other."""
    run_id = run_id or store.runs.add(name="a", spec={}, dataset_id="digits", epochs=12, started_at=at).id
    points = [
        MetricPoint(name=name, step=STEP * epoch, epoch=epoch, value=value, at=at + 60 * (epoch - begin + 1))
        for epoch in range(begin, begin + epochs)
        for name, value in ((EPOCH_S, 60.0), ("val/accuracy", epoch / 100))
    ]
    store.metrics.add(run_id, points)
    return run_id


def minutes(store: Store, run: Run, window: tuple[float, float] | None = None) -> list[float]:
    """Where the points of a run stand over time, as the page draws them."""
    all_ = compared([run])
    view = ChartView("val/accuracy", "minutes", 0.0, False, window)
    return [float(x or 0) for x, _ in line_series(store, focused(all_, [run], [], {}, LIGHT), view)[0].mean]


def test_a_run_that_goes_on_from_another_takes_its_time_along(store: Store) -> None:
    parent = trained(store, 10)
    child = store.runs.add(name="b", spec={}, dataset_id="digits", epochs=11, parent_id=parent).id
    store.metrics.copy(parent, child, last_step=100)
    store.runs.update(child, started_at=NIGHT, ended_at=NIGHT + 60)
    trained(store, 1, begin=11, at=NIGHT, run_id=child)
    for attempt in (1, 2):
        store.runs.update(child, attempt=attempt)
        run = store.runs.get(child)
        assert minutes(store, run) == [float(epoch) for epoch in range(1, 12)]
        assert run_stats(store, [run], "val/accuracy", now=0.0)[child].seconds == 660


def test_a_night_in_which_a_run_lay_still_is_no_gap_and_a_zoom_finds_its_steps(store: Store) -> None:
    run_id = trained(store, 3)
    trained(store, 3, begin=4, at=NIGHT, run_id=run_id)
    store.runs.move(run_id, RunState.STARTING, attempt=2)
    run = store.runs.get(run_id)
    assert minutes(store, run) == [1, 2, 3, 4, 5, 6]
    assert minutes(store, run, (2.5, 3.5)) == [2, 3, 4]


def test_a_point_stands_at_the_same_time_at_any_level_of_detail() -> None:
    took = series({10: 60.0, 20: 120.0, 30: 60.0})
    fine = moving(RESUMED, series({step: 0.5 for step in range(1, 31)}), took)
    coarse = moving(RESUMED, series({8: 0.5, 16: 0.5, 24: 0.5, 30: 0.5}, factor=8), took)
    known = dict(zip(fine.steps, fine.at, strict=True))
    assert coarse.at == [known[step] for step in coarse.steps]
    assert coarse.at[-1] == 60 + 240


def test_buckets_of_many_epochs_come_to_the_same_time() -> None:
    in_buckets = replace(series({30: 80.0, 40: 60.0}), epochs=[3, 4])  # means of three epochs and of one
    assert moving(RESUMED, series({30: 0.5, 40: 0.5}), in_buckets).at == [60 + 240, 60 + 300]


def test_the_epoch_under_way_goes_at_the_pace_of_the_one_before() -> None:
    line = moving(RESUMED, series({20: 0.5, 25: 0.5}), series({10: 60.0, 20: 120.0}))
    assert line.at == [60 + 180, 60 + 240]
    assert window_of(RESUMED, line, "minutes", 3.5, 9) == (20, 25)


def test_what_tells_no_epochs_stands_where_the_clock_stood() -> None:
    line = series({10: 0.5, 20: 0.6})
    assert of_run("a", "#112233", SIX[0], moving(SIX[0], line, None), "minutes").mean == [[1.0, 0.5], [2.0, 0.6]]
