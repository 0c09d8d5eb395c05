"""The data that the charts of the Compare page draw; their looks are in docs/images."""

import json
from dataclasses import replace
from typing import Any

import pytest

from pages.parts.analysis.comparison.compared_runs import Focus, dress, focused
from pages.parts.analysis.comparison.settings_table import settings_table
from pages.parts.analysis.setting_axes import axes
from pages.parts.compare.plots import columns_of, dots_of, no_front, parallel_of
from pages.parts.figures.compare.curves import compared as drawn
from pages.parts.figures.compare.series import LineSeries, of_group, of_run, places, window_of
from pages.parts.figures.compare.still_curves import compared_still
from pages.parts.figures.searches.parallel_still import parallel_still
from pages.parts.figures.searches.trade_off import front
from pages.parts.palette import DARK, LIGHT, line_colours
from storage import MetricPoint, Run, RunState, Store
from tests.pages.compared_runs import SIX, compared, elsewhere, run, series

RUN = SIX[0]  # 4 epochs of 10 steps, a minute each


def named(option: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in option["series"] if one["name"] == name)


def live(line_series: list[LineSeries], **more: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"axis": "epoch", "unit": "%", "lowest": False, "palette": LIGHT}
    option = drawn(line_series, **(options | more))
    json.dumps(option, allow_nan=False)
    return option


@pytest.mark.parametrize(("axis", "expected"), [("epoch", [1.0, 2.0]), ("step", [10.0, 20.0]), ("minutes", [1.0, 2.0])])
def test_places_on_the_axis_are_epochs_steps_or_minutes(axis: Any, expected: list[float]) -> None:
    assert places(RUN, series({10: 0.5, 20: 0.6}), axis) == expected


def test_epochs_of_other_programs_are_where_their_ends_were_found() -> None:
    keras = replace(RUN, source="/logs/keras", steps=4, epochs=5)  # it counts them from 0
    line = replace(series(dict.fromkeys(range(5), 0.5)), epochs=[1, 2, 3, 4, 5])
    assert places(keras, line, "epoch") == [1, 2, 3, 4, 5]


def test_a_group_is_the_mean_of_its_runs_with_their_spread_where_all_have_values() -> None:
    members = [(SIX[0], series({10: 0.5, 20: 0.6, 30: 0.7})), (SIX[2], series({10: 0.7, 20: 0.8}))]
    course = of_group("head only", "#112233", members, "epoch", 100)
    assert course.mean == [[1.0, 60.0], [2.0, 70.0]]
    assert (course.low, course.high) == ([[1.0, 50.0], [2.0, 60.0]], [[1.0, 70.0], [2.0, 80.0]])


def test_the_band_of_a_group_reaches_to_every_peak() -> None:
    values = {7: 1.0, 15: 1.0}
    spiky = series(values, factor=8, lows=[0.5, -3.0], highs=[1.5, 9.0])
    course = of_group("both", "#112233", [(SIX[0], spiky), (SIX[2], series(values))], "step")
    assert [y for _, y in course.low] == [0.5, -3.0]
    assert [y for _, y in course.high] == [1.5, 9.0]


def test_members_whose_places_differ_are_joined_in_between() -> None:
    slow = replace(SIX[2], steps=80)  # half the pace: its epochs are 20 steps
    members = [(SIX[0], series({10: 0.0, 20: 1.0})), (slow, series({20: 1.0, 30: 2.0, 40: 3.0}))]
    course = of_group("both", "#112233", members, "epoch")
    assert (course.mean[0], course.mean[-1]) == ([1.0, 0.5], [2.0, 2.0])


def test_no_peak_falls_between_the_places_of_a_group() -> None:
    spiky = series({step: 0.5 for step in range(1, 2001)} | {777: 9.0, 1234: -9.0})
    course = of_group("both", "#112233", [(SIX[0], spiky), (SIX[2], series({1: 0.5, 2000: 0.5}))], "step")
    assert (min(y for _, y in course.low), max(y for _, y in course.high)) == (-9.0, 9.0)


def test_runs_that_ended_early_do_not_cut_a_group_short() -> None:
    pruned = replace(SIX[2], state=RunState.STOPPED)
    members = [(SIX[0], series({10: 0.5, 20: 0.6})), (pruned, series({10: 0.1}))]
    assert of_group("both", "#112233", members, "epoch").mean == [[1.0, 0.5], [2.0, 0.6]]
    assert of_group("both", "#112233", [members[1]], "epoch").mean == [[1.0, 0.1]]


def test_no_point_of_a_group_but_the_last_moves_as_points_arrive() -> None:
    def drawn_after(steps: int) -> dict[float, float]:
        line = {step: (step * 7919 % 1000) / 1000 for step in range(1, steps + 1)}
        slower = {step: value for step, value in line.items() if step <= 0.7 * steps}
        members = [(replace(RUN, steps=1000), series(line)), (replace(SIX[2], steps=700), series(slower))]
        return {float(x or 0): float(y or 0) for x, y in of_group("both", "#112233", members, "epoch").mean[:-1]}

    for steps in (53, 90, 300, 999):
        before, after = drawn_after(50), drawn_after(steps)
        kept = before.keys() & after.keys()
        assert len(kept) >= 2
        assert {x: before[x] for x in kept} == {x: after[x] for x in kept}
        assert all(x in before for x in after if x <= max(before))


def test_a_member_that_has_just_begun_does_not_cut_a_group_short() -> None:
    begun = replace(SIX[2], state=RunState.RUNNING, step=10), series({10: 0.1})
    line = series({10: 0.5, 20: 0.6, 30: 0.7})
    whole = [[1.0, 0.5], [2.0, 0.6], [3.0, 0.7]]
    assert of_group("both", "#112233", [(SIX[0], line), begun], "epoch").mean == whole
    under_way = replace(SIX[0], state=RunState.RUNNING, step=30)
    assert of_group("both", "#112233", [(under_way, line), begun], "epoch").mean == whole
    near = replace(begun[0], step=20), series({10: 0.1, 20: 0.2})
    assert of_group("both", "#112233", [(under_way, line), near], "epoch").mean == [[1.0, 0.3], [2.0, 0.4]]


def test_members_that_share_no_place_have_no_mean() -> None:
    members = [(SIX[0], series({10: 0.5, 20: 0.6})), (SIX[2], series({30: 0.7, 40: 0.8}))]
    assert of_group("both", "#112233", members, "epoch").mean == []


def test_every_lowest_and_highest_value_of_a_bucket_is_drawn() -> None:
    line = series({7: 1.0, 15: 0.5, 23: 0.6}, factor=8, lows=[0.9, -7.0, 0.4], highs=[1.1, 0.7, 9.0])
    course = of_run("a", "#112233", RUN, line, "step")
    assert sorted(y for _, y in course.raw) == [-7.0, 0.4, 0.7, 0.9, 1.1, 9.0]
    assert [y for _, y in course.raw[2:4]] == [0.7, -7.0]  # it falls there
    assert course.best(lowest=True) == (15, -7.0)
    assert [point for point in named(live([course], axis="step"), "a")["data"] if point[1] in (-7.0, 9.0)]


def test_what_is_drawn_stays_as_points_arrive(store: Store) -> None:
    run_id = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=1).id
    drawn_before: list[Any] = []
    for begin in range(0, 4800, 800):
        points = [
            MetricPoint(name="train/loss", step=step, epoch=1, value=(step * 7919 % 1000) / 1000, at=float(step))
            for step in range(begin, begin + 800)
        ]
        store.metrics.add(run_id, points)
        line = store.metrics.lines([run_id], "train/loss", limit=300)[run_id]
        if line.factor != 64:
            continue
        raw = of_run("a", "#112233", replace(RUN, steps=None), line, "step").raw
        assert raw[: len(drawn_before)] == drawn_before
        drawn_before = raw[: len(raw) - 2 * (line.steps[-1] % 64 != 63)]
    assert len(drawn_before) == 2 * 4800 // 64


def test_smoothing_is_tensorboards_debiased_average_with_the_raw_line_behind() -> None:
    course = of_run("a", "#112233", RUN, series({10: 1.0, 20: 0.0, 30: 0.0}), "step")
    option = live([course], axis="step", smoothing=0.5)
    assert [y for _, y in named(option, "a")["data"]] == pytest.approx([1.0, 1 / 3, 1 / 7], rel=1e-5)
    assert [y for _, y in named(option, "a, raw")["data"]] == [1.0, 0.0, 0.0]
    assert named(option, "a, raw")["lineStyle"]["opacity"] < 1


def test_the_best_value_wears_a_star_of_many_lines_only_that_of_the_best() -> None:
    few = [
        of_run(name, "#112233", RUN, series({10: 0.5, 20: top, 30: 0.4}), "epoch", 100)
        for name, top in (("a", 0.9), ("b", 0.8))
    ]
    stars = {name: named(live(few), name)["markPoint"]["data"][0]["coord"] for name in ("a", "b")}
    assert stars == {"a": [2.0, 90.0], "b": [2.0, 80.0]}
    many = [of_run(f"run {place}", "#112233", RUN, series({10: place / 20}), "epoch", 100) for place in range(15)]
    assert [one["name"] for one in live(many)["series"] if "markPoint" in one] == ["run 14"]
    assert not any("markPoint" in one for one in live(few, lowest=None)["series"])


def test_a_logarithmic_axis_leaves_out_what_has_no_place_on_it() -> None:
    course = of_run("a", "#112233", RUN, series({10: 0.5, 20: 0.0, 30: -1.0, 40: None}), "step")
    option = live([course], axis="step", log=True, lowest=True)
    assert [y for _, y in named(option, "a")["data"]] == [0.5, None, None, None]
    assert option["yAxis"]["type"] == "log"


def test_a_line_of_one_point_is_seen() -> None:
    for step in (0, 30):
        option = live([of_run("r", "#112233", RUN, series({step: 0.5}), "step", 100)], axis="step")
        assert named(option, "r")["showSymbol"]
        assert option["xAxis"]["max"] == step + 1  # else the axis were as long as a point
    two = live([of_run("r", "#112233", RUN, series({0: 0.5, 30: 0.6}), "step", 100)], axis="step")
    assert two["xAxis"]["max"] == "dataMax"


def test_the_others_are_one_faint_line_with_gaps() -> None:
    others = [[[1.0, 10.0], [2.0, 20.0]], [[1.0, 5.0]]]
    option = live([of_run("a", "#112233", RUN, series({10: 0.5}), "epoch")], others=others)
    ground = named(option, "others")
    assert ground["data"] == [[1.0, 10.0], [2.0, 20.0], [None, None], [1.0, 5.0], [None, None]]
    assert ground["silent"]


def test_a_window_asks_for_the_steps_inside_and_one_beyond() -> None:
    line = series({10: 0.1, 20: 0.2, 30: 0.3, 40: 0.4})
    assert window_of(RUN, line, "epoch", 1.5, 2.5) == (10, 30)
    assert window_of(RUN, line, "epoch", 0, 99) == (10, 40)
    option = live([of_run("a", "#112233", RUN, line, "epoch")], window=(1.5, 2.5))
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (1.5, 2.5)


def focus_of(names: list[str], ticked: list[str] | None = None, worn: dict[str, int] | None = None) -> Focus:
    runs = [run(name, 0.5 + place / 100) for place, name in enumerate(names)]
    return focused(compared(runs), runs, ticked or [], {} if worn is None else worn, LIGHT)


def test_a_run_keeps_its_colour_whatever_comes_and_goes() -> None:
    worn: dict[str, int] = {}
    first = focus_of(["a", "b", "c"], worn=worn).of_runs
    assert len(set(first.values())) == 3
    later = focus_of(["c", "d", "b", "e"], worn=worn).of_runs
    assert (later["b"], later["c"]) == (first["b"], first["c"])
    assert len(set(later.values())) == 4
    assert focus_of(["a", "b", "c"], worn=worn).of_runs["b"] == first["b"]


def test_up_to_24_runs_have_a_colour_each_and_of_more_the_best_few() -> None:
    assert len(set(line_colours(LIGHT))) == len(set(line_colours(DARK))) == 24
    assert len(set(focus_of([f"run{place}" for place in range(24)]).of_runs.values())) == 24
    best = focus_of([f"run{place}" for place in range(30)])
    assert set(best.of_runs) == {f"run{place}" for place in range(18, 30)}
    chosen = focus_of([f"run{place}" for place in range(30)], ticked=["run3", "run4"])
    assert ({group.key for group in chosen.groups}, chosen.is_chosen) == ({"run3", "run4"}, True)
    assert {"run3", "run4", "run29"} <= set(chosen.of_runs)  # the others stay in their colours elsewhere on the page


def test_colours_that_are_near_each_other_are_told_apart_by_their_dashes() -> None:
    focus = focus_of([f"run{place}" for place in range(24)])
    assert [focus.dashes[f"run{place}"] for place in (0, 7, 8, 15, 16, 23)] == [
        *("solid", "solid", "dashed", "dashed", "dotted", "dotted")
    ]


def test_two_that_wore_one_colour_part_when_they_meet() -> None:
    worn = {"a": 3, "b": 3}
    dress(["a", "b", "c"], worn, 24)
    assert worn == {"a": 3, "b": 0, "c": 1}


def test_runs_are_dots_over_any_two_quantities_in_their_colours() -> None:
    runs = [SIX[0], SIX[1], run("no value")]
    all_ = compared(runs)
    focus = focused(all_, runs, [], {}, LIGHT)
    dots, (across, up) = dots_of(all_, focus, runs, all_.rows["seconds"], all_.rows["best"])
    assert [(one.name, one.x, one.y) for one in dots] == [(SIX[0].name, 2.0, 80.0), (SIX[1].name, 2.0, 70.0)]
    assert (across.unit, across.lowest, up.unit, up.lowest) == ("min", True, "%", False)
    assert [one.colour for one in dots] == [focus.of_runs[SIX[0].id], focus.of_runs[SIX[1].id]]


def fronted(runs: list[Run], across: str, **costs: dict[str, Any]) -> tuple[list[str], str]:
    """Names on the front against the best value, and why there is none."""
    all_ = compared(runs, costs=costs)
    both = all_.rows[across], all_.rows["best"]
    dots, scales = dots_of(all_, focused(all_, runs, [], {}, LIGHT), runs, *both)
    return [one.name for one in front(dots, *scales)], no_front(all_, runs, *both)


def test_what_cannot_be_compared_has_no_front() -> None:
    a, b = run("a", 0.9), run("b", 0.8, seed=1)
    gpu, process = {"memory_mb": 800.0, "memory_of": "GPU"}, {"memory_mb": 300.0, "memory_of": "process"}
    assert fronted([a, b], "seconds") == (["a"], "")
    assert fronted([a, elsewhere(b)], "seconds") == ([], "No front: they were judged by different images.")
    assert fronted([a, b], "memory", a=gpu, b=gpu | {"memory_mb": 300.0}) == (["b", "a"], "")
    assert fronted([a, b], "memory", a=gpu, b=process)[0] == []
    assert "memory of a GPU" in fronted([a, b], "memory", a=gpu, b=process)[1]
    assert "different devices" in fronted([a, replace(b, device="cuda:0")], "seconds")[1]
    assert fronted([a, b], "gap", a={"gap": 0.0}, b={"gap": -0.5})[0] == []


def test_runs_that_are_not_over_keep_no_others_from_a_front() -> None:
    waits = replace(run("b", 0.8), state=RunState.RUNNING, device="cuda:0")
    assert fronted([run("a", 0.9), waits], "seconds") == (["a"], "")


def test_axes_are_the_settings_that_differ_but_luck_and_what_it_took() -> None:
    rates = [
        run(f"rate {place}", 0.5 + place / 10, seed=place, optimisation={"learning_rate": 10.0**-place})
        for place in range(1, 4)
    ]
    rates[0] = replace(rates[0], ended_at=100.0)
    dimensions, trials = axes(compared(rates), rates)
    assert [(one.path, one.scale) for one in dimensions] == [
        ("optimisation.learning_rate", "log"),
        ("seconds", "linear"),
    ]
    assert [one.place(trials[0].assignment) for one in dimensions] == [0.1, 40.0]
    assert [trial.value for trial in trials] == [0.6, 0.7, 0.8]


def test_few_runs_wear_their_colours_on_the_axes_and_of_many_the_value_is_the_colour() -> None:
    runs = [run(f"run {place}", 0.5 + place / 100, optimisation={"batch_size": 2 + place}) for place in range(30)]
    few = compared(runs[:3])
    focus = focused(few, runs[:3], [], {}, LIGHT)
    option, ids = parallel_of(few, focus)
    lines = option["series"][0]["data"]
    assert {one: line["lineStyle"]["color"] for one, line in zip(ids, lines, strict=True)} == focus.of_runs
    many = compared(runs)
    option, ids = parallel_of(many, focused(many, runs, [], {}, LIGHT))
    assert "visualMap" in option
    assert len(ids) == len(option["series"][0]["data"]) == 30


def test_configurations_are_shown_letter_for_letter_in_the_runs_colours() -> None:
    runs = [run("<b>one</b>", 0.5), run("two", 0.6, seed=1)]
    all_ = compared(runs)
    focus = focused(all_, runs, [], {}, LIGHT)
    table = settings_table(all_.apart, columns_of(all_, focus, runs), LIGHT)
    assert "&lt;b&gt;one&lt;/b&gt;" in table
    assert "<b>" not in table
    assert all(colour in table for colour in focus.of_runs.values())
    assert table.count("<tr>") == 1 + len(all_.apart)
    assert table.count("<td") == 2 * len(all_.apart)


def test_still_curves_draw_the_same_points() -> None:
    members = [(SIX[0], series({10: 0.5, 20: 0.6})), (SIX[2], series({10: 0.7, 20: 0.8}))]
    line_series = [
        of_group("both", "#112233", members, "epoch", 100),
        of_run("a", "#445566", RUN, series({10: 0.9}), "epoch", 100),
    ]
    figure = compared_still(line_series, axis="epoch", title="<Accuracy>", unit="%", lowest=False, palette=LIGHT)
    by_name = {one.name: one for one in figure.data if one.name}
    assert list(by_name["both"].y) == [60.0, 70.0]
    assert list(by_name["best of a"].y) == [90.0]
    assert figure.layout.yaxis.title.text == "&lt;Accuracy&gt;"
    filled = [one for one in figure.data if one.fill == "tonexty"]
    assert [list(one.y) for one in filled] == [[70.0, 80.0]]


def test_a_still_figure_takes_names_as_data_and_tells_units() -> None:
    course = of_run("%{x} %{y}", "#445566", RUN, series({10: 900.0}), "epoch")
    figure = compared_still([course], axis="epoch", title="Peak memory", unit="MB", lowest=True, palette=LIGHT)
    line, star = figure.data
    assert (line.text, star.text) == ("%{x} %{y}", "best of %{x} %{y}")
    assert line.hovertemplate == star.hovertemplate == "%{text}: %{y:.4g} MB<extra></extra>"
    assert figure.layout.yaxis.title.text == "Peak memory, MB"


def test_still_axes_draw_a_line_a_run_and_the_others_as_one() -> None:
    runs = [run(f"run {place}", 0.5 + place / 10, optimisation={"batch_size": 2**place}) for place in range(1, 4)]
    all_ = compared(runs)
    dimensions, trials = axes(all_, runs)
    figure = parallel_still(
        trials,
        dimensions,
        metric="Accuracy",
        factor=100,
        lowest=False,
        names=[one.name for one in runs],
        colours=["#112233", None, None],
        palette=LIGHT,
    )
    assert [one.name for one in figure.data] == ["run 1", "others"]
    assert list(figure.data[0].y) == [0.0, 0.0]
    assert list(figure.data[1].y) == pytest.approx([0.5, 0.5, None, 1.0, 1.0, None])
