"""The data that the charts of a search draw; their looks are in docs/images."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pages.parts.analysis.trials import Dimension, Trial, best_first, dimensions, failures, lanes, tally
from pages.parts.figures.searches.best_so_far import best_so_far, staircase
from pages.parts.figures.searches.contour import contour, surface
from pages.parts.figures.searches.importance import importance
from pages.parts.figures.searches.parallel import drawn, parallel
from pages.parts.figures.searches.slices import slices
from pages.parts.figures.searches.timeline import timeline
from pages.parts.figures.searches.trade_off import Dot, Scale, front, trade_off
from pages.parts.figures.searches.trial_curves import trial_curves
from pages.parts.palette import DARK, LIGHT
from storage import Run, RunState

RATE = "optimisation.learning_rate"
BATCH = "optimisation.batch_size"
SPACE = {RATE: {"log": [1e-4, 1e-1]}, BATCH: {"choices": [32, 64]}, "epochs": {"integers": [4, 9]}}
LABELS = {RATE: "Learning rate", BATCH: "Batch size", "epochs": "Epochs"}
PRUNED = "pruned"  # the code of such a reason


def trial(
    number: int,
    value: float | None,
    *,
    state: RunState = RunState.FINISHED,
    rate: float = 0.001,
    batch: int = 32,
    begun: float | None = None,
    ended: float | None = None,
    reason: str | None = None,
    reason_code: str | None = None,
) -> Trial:
    run = Run(
        id=f"run{number}",
        name=f"search, trial {number}",
        state=state,
        spec={},
        dataset_id="digits",
        created_at=0.0,
        started_at=begun,
        ended_at=ended,
        reason=reason,
        reason_code=reason_code,
        best_value=value,
    )
    return Trial(run, number, {RATE: rate, BATCH: batch, "epochs": 4 + number % 6})


def axis(path: str, trials: list[Trial] | None = None) -> Dimension:
    return next(one for one in dimensions(SPACE, LABELS, trials or []) if one.path == path)


def named(option: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in option["series"] if one["name"] == name)


def test_best_so_far_never_gets_worse_and_skips_trials_without_a_value() -> None:
    trials = [trial(1, 0.9), trial(2, None, state=RunState.FAILED), trial(3, 0.8), trial(4, 0.95)]
    assert staircase(trials, lowest=False, began=None) == [(1, 0.9), (3, 0.9), (4, 0.95)]
    assert staircase(trials, lowest=True, began=None) == [(1, 0.9), (3, 0.8), (4, 0.8)]
    option = best_so_far(trials, lowest=False, percent=True, began=None, palette=LIGHT)
    assert named(option, "best so far")["data"] == [[1, 90], [3, 90], [4, 95]]


def test_over_time_a_trial_stands_where_it_ended() -> None:
    trials = [trial(1, 0.9, ended=220.0), trial(2, 0.8, ended=160.0)]
    option = best_so_far(trials, lowest=False, percent=False, began=100.0, palette=LIGHT)
    assert named(option, "best so far")["data"] == [[1, 0.8], [2, 0.9]]


def test_pruned_trials_are_told_apart_in_every_chart() -> None:
    trials = [trial(1, 0.9), trial(2, 0.5, state=RunState.STOPPED, reason_code=PRUNED)]
    assert [one["name"] for one in named(_best(trials), "pruned")["data"]] == ["Trial 2"]
    curves = {"run1": [(1.0, 0.7), (2.0, 0.9)], "run2": [(1.0, 0.5)]}
    option = trial_curves(trials, curves, best="run1", percent=True, palette=DARK)
    assert named(option, "best")["data"] == [[1, 70], [2, 90]]
    assert named(option, "pruned")["lineStyle"]["opacity"] < named(option, "best")["lineStyle"]["opacity"]


def test_curves_of_many_trials_are_a_line_a_kind_with_gaps() -> None:
    trials = [trial(number, 0.5) for number in range(1, 501)]
    curves = {one.run.id: [(1.0, 0.1), (2.0, 0.5)] for one in trials}
    option = trial_curves(trials, curves, best="run1", percent=False, palette=LIGHT)
    assert len(option["series"]) == 2
    assert named(option, "trials")["data"][:4] == [[1, 0.1], [2, 0.5], [None, None], [1, 0.1]]
    assert len(json.dumps(option)) < 40_000


def test_parallel_draws_a_line_a_trial_with_a_value_and_tells_it_by_its_place() -> None:
    trials = [trial(1, 0.9), trial(2, None), trial(3, 0.7, batch=64, rate=0.01)]
    option = parallel(trials, dimensions(SPACE, LABELS), metric="Accuracy", percent=True, lowest=False, palette=LIGHT)
    assert [one.number for one in drawn(trials)] == [1, 3]
    assert option["series"][0]["data"] == [[0.001, 0, 5, 90], [0.01, 1, 7, 70]]
    assert [one["type"] for one in option["parallelAxis"]] == ["log", "category", "value", "value"]
    assert option["brush"]["brushLink"] == "all"  # without it a brushed axis selects nothing


def test_a_trial_without_a_setting_crosses_its_axis_at_a_place_of_none() -> None:
    space = {"a": {"uniform": [0, 1]}, "b": {"log": [0.001, 0.1]}, "c": {"choices": ["x", "y"]}, "d": {"log": [1, 2]}}
    made = [trial(number, 0.5 + number / 10) for number in range(3)]
    given = [{"a": 0.0, "b": 0.01, "c": "x", "d": 1}, {"a": 1.0, "b": 0.1, "c": "y", "d": 2}, {"d": 1.5}]
    trials = [replace(one, assignment=values) for one, values in zip(made, given, strict=True)]
    option = parallel(trials, dimensions(space, {}), metric="Loss", percent=False, lowest=True, palette=LIGHT)
    a, b, c, *_ = zip(*option["series"][0]["data"], strict=True)
    axes = option["parallelAxis"]
    assert a[2] == axes[0]["min"] < 0
    assert 0.001 < b[2] == axes[1]["min"] < 0.01
    assert axes[2]["data"][c[2]] == "–"
    assert [axes[2]["data"][place] for place in c[:2]] == ["x", "y"]
    assert "min" not in axes[3]
    assert [one["left"] for one in option["title"]] == ["8%", "28.5%"], "a dash below the axes of numbers that lack one"
    assert "smooth" not in option["series"][0]


def test_the_best_has_the_same_colour_in_all_charts() -> None:
    trials = [trial(1, 0.9), trial(2, 0.7)]
    curves = {one.run.id: [(1.0, one.value)] for one in trials}
    best = named(trial_curves(trials, curves, best="run1", percent=True, palette=LIGHT), "best")["itemStyle"]["color"]
    for lowest, place in ((False, -1), (True, 0)):
        option = parallel(trials, dimensions(SPACE, LABELS), metric="x", percent=False, lowest=lowest, palette=LIGHT)
        assert option["visualMap"]["inRange"]["color"][place] == best
        assert option["visualMap"]["text"][place + 1].startswith("best: ")


def test_a_trial_stopped_by_hand_is_not_called_pruned() -> None:
    trials = [trial(1, 0.9), trial(2, 0.5, state=RunState.STOPPED)]
    option = trial_curves(trials, {"run2": [(1.0, 0.5)]}, best="run1", percent=True, palette=DARK)
    assert [one["name"] for one in option["series"]] == ["stopped or failed"]


def test_the_base_outside_of_the_space_is_on_the_axes_all_the_same() -> None:
    base = trial(1, 0.9, batch=50, rate=0.0)
    assert axis(BATCH, [base]).choices == ("32", "64", "50")
    assert axis(RATE).place(base.assignment) is None  # 0 has no place on a logarithmic axis


def test_a_setting_that_meant_nothing_to_a_trial_has_no_place() -> None:
    assert axis(RATE).place({}) is None
    assert axis(BATCH).place({BATCH: 64}) == "64"


def test_best_first_in_either_direction_and_those_without_a_value_last() -> None:
    trials = [trial(1, None), trial(2, 0.5), trial(3, 0.9), trial(4, 0.9)]
    assert [one.number for one in best_first(trials, lowest=False)] == [3, 4, 2, 1]
    assert [one.number for one in best_first(trials, lowest=True)] == [2, 3, 4, 1]


def test_failures_are_grouped_by_cause_whatever_their_numbers() -> None:
    trials = [
        trial(1, None, state=RunState.FAILED, reason="Out of memory: 512 MB were asked for."),
        trial(2, None, state=RunState.FAILED, reason="diverged: the loss became NaN at step 7."),
        trial(3, None, state=RunState.FAILED, reason="diverged: the loss became NaN at step 1234."),
        trial(4, 0.9),
    ]
    trials[2] = trial(3, None, state=RunState.FAILED, reason="diverged: the loss became NaN at step 9.")
    found = failures(trials)
    assert [[one.number for one in group.trials] for group in found] == [[2, 3], [1]]
    assert tally(trials) == "1 finished · 3 failed"


def test_the_timeline_has_as_few_rows_as_trials_at_once() -> None:
    trials = [trial(1, 0.9, begun=0, ended=60), trial(2, 0.8, begun=10, ended=30), trial(3, 0.7, begun=30, ended=90)]
    assert lanes(trials, now=90) == {"run1": 0, "run2": 1, "run3": 1}
    option = timeline(trials, began=0, now=90, palette=LIGHT)
    bars = next(one for one in option["series"] if one["type"] == "line")
    assert bars["data"][:3] == [[0, 0], [1, 0], [None, None]]
    assert "Trial 1: Finished, 60 s" in json.dumps(option)


def test_a_slice_shows_each_trial_where_its_setting_was() -> None:
    trials = [trial(1, 0.9), trial(2, 0.4, rate=0.01, state=RunState.STOPPED, reason_code=PRUNED), trial(3, None)]
    figure = slices(trials, axis(RATE), metric="Accuracy", percent=True, palette=LIGHT)
    by_name = {one.name: (list(one.x), list(one.y)) for one in figure.data}
    assert by_name == {"trials": ([0.001], [90.0]), "pruned": ([0.01], [40.0])}
    assert figure.layout.xaxis.type == "log"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
@pytest.mark.parametrize("other", [BATCH, "epochs"])
def test_a_contour_is_drawn_through_however_many_trials(count: int, other: str) -> None:
    trials = [
        trial(number, 0.5 + number / 100, rate=10 ** -(1 + number % 4), batch=(32, 64)[number % 2])
        for number in range(1, count + 1)
    ]
    figure = contour(trials, axis(RATE), axis(other), percent=True, lowest=False, palette=LIGHT)
    assert len(figure.data) == (2 if count > 2 else 1)
    assert len(figure.data[-1].x) == count
    if count > 2:
        assert np.isfinite(figure.data[0].z).all()


def test_the_surface_goes_through_lone_trials() -> None:
    made = surface([0.0, 1.0], [0.0, 1.0], [10.0, 20.0], [0.0, 1.0], [0.0, 1.0])
    assert made[0, 0] == pytest.approx(10)
    assert made[1, 1] == pytest.approx(20)
    assert made[0, 1] == pytest.approx(15)


def test_importance_puts_the_strongest_on_top_and_shows_names_letter_for_letter() -> None:
    figure = importance({"Rate": 0.7, "<b>Batch</b>": 0.3}, palette=LIGHT)
    assert list(figure.data[0].y) == ["&lt;b&gt;Batch&lt;/b&gt;", "Rate"]
    assert list(figure.data[0].text) == ["30 %", "70 %"]


@pytest.mark.parametrize("count", [0, 1, 500])
def test_every_live_chart_is_plain_json_with_any_number_of_trials(count: int) -> None:
    trials = [trial(number, 0.5, begun=number, ended=number + 2.0) for number in range(1, count + 1)]
    options = (
        _best(trials),
        timeline(trials, began=0, now=600, palette=DARK),
        trial_curves(trials, {}, best=None, percent=True, palette=DARK),
        parallel(trials, dimensions(SPACE, LABELS), metric="Loss", percent=False, lowest=True, palette=DARK),
    )
    for option in options:
        json.dumps(option, allow_nan=False)


def _best(trials: list[Trial]) -> dict[str, Any]:
    return best_so_far(trials, lowest=False, percent=True, began=None, palette=LIGHT)


@pytest.mark.parametrize("up_lowest", [False, True])
@pytest.mark.parametrize("across_lowest", [False, True])
def test_the_front_holds_what_nothing_beats(across_lowest: bool, up_lowest: bool) -> None:
    chance = np.random.default_rng(3)
    across, up = chance.integers(1, 9, 60) / 2, chance.integers(0, 9, 60) / 8
    dots = [Dot(f"Trial {place}", *pair) for place, pair in enumerate(zip(across, up, strict=True))]

    def beats(one: Dot, other: Dot) -> bool:
        no_worse = one.x <= other.x if across_lowest else one.x >= other.x
        no_worse &= one.y <= other.y if up_lowest else one.y >= other.y
        return bool(no_worse) and (one.x, one.y) != (other.x, other.y)

    unbeaten = {(one.x, one.y) for one in dots if not any(beats(other, one) for other in dots)}
    found = front(dots, Scale("Time", lowest=across_lowest), Scale("Value", lowest=up_lowest))
    assert {(one.x, one.y) for one in found} == unbeaten
    assert [one.x for one in found] == sorted(one.x for one in found)


def test_on_the_front_are_all_equal_ones_and_none_that_may_come_to_more() -> None:
    dots = [Dot("a", 2, 90), Dot("b", 2, 90), Dot("c", 3, 80), Dot("going", 1, 95, is_whole=False)]
    time, value = Scale("Time", lowest=True), Scale("Value")
    assert [one.name for one in front(dots, time, value)] == ["a", "b"]
    assert front(dots, Scale("Batch size", lowest=None), value) == []


def test_a_trade_off_draws_each_dot_once() -> None:
    dots = [Dot("a", 1, 50), Dot("b", 2, 90), Dot("c", 3, 80), Dot("<d>", 2, 20, is_whole=False)]
    line, *groups = trade_off(dots, Scale("Weights", lowest=True), Scale("Accuracy", "%"), palette=LIGHT).data
    assert list(line.y) == [50, 90]
    assert {one.name: list(one.text) for one in groups} == {
        "best for its cost": ["a", "b"],
        "beaten": ["c"],
        "not finished": ["&lt;d&gt;"],
    }


def test_a_run_keeps_its_colour_among_dots_of_many() -> None:
    dots = [Dot("a", 1, 50, "#112233"), Dot("b", 2, 90), Dot("c", 3, 80, "#445566")]
    _, *groups = trade_off(dots, Scale("Weights", lowest=True), Scale("Accuracy", "%"), palette=LIGHT).data
    colours = {name: tint for one in groups for name, tint in zip(one.text, one.marker.color, strict=True)}
    assert (colours["a"], colours["c"]) == ("#112233", "#445566")
