"""The data that charts draw; their looks are in docs/images."""

import json
import math
import tomllib
from typing import Any

import pytest

from pages.parts.figures.curve import Mark, Window, smoothed
from pages.parts.figures.runs.accuracy import accuracy
from pages.parts.figures.runs.learning_rate import learning_rate
from pages.parts.figures.runs.loss import loss
from pages.parts.figures.runs.marks import attempt_marks, checkpoint_marks, memory_marks
from pages.parts.figures.runs.memory import memory, memory_names, memory_title
from pages.parts.figures.runs.single import single
from pages.parts.figures.runs.throughput import throughput
from pages.parts.palette import DARK, LIGHT, Palette, palette_of
from storage import Checkpoint, Event, MetricPoint, Series
from tests.conftest import ROOT


def series(name: str, values: list[float | None], *, factor: int = 1, step: int = 1) -> Series:
    steps = [step * (index + 1) for index in range(len(values))]
    return Series(
        name=name,
        factor=factor,
        steps=steps,
        values=values,
        lows=[None if one is None else one - 1 for one in values],
        highs=[None if one is None else one + 1 for one in values],
        epochs=[1] * len(values),
        at=[float(one) for one in steps],
    )


def named(option: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in option["series"] if one["name"] == name)


def test_loss_draws_train_smoothed_over_faint_raw_and_validation() -> None:
    option = loss(series("train/loss", [4.0, 2.0, 1.0]), series("val/loss", [3.0], step=3), palette=LIGHT)
    assert named(option, "train, raw")["data"] == [[1, 4.0], [2, 2.0], [3, 1.0]]
    assert named(option, "train")["data"][0] == [1, 4.0]  # no pull towards zero at the start
    assert 1.0 < named(option, "train")["data"][2][1] < 4.0
    assert named(option, "validation")["data"] == [[3, 3.0]]
    assert option["legend"]["data"] == ["train", "validation", "train, raw"]


def test_a_line_of_one_point_is_seen() -> None:
    option = single(series("hparam/best", [0.9], step=0), palette=LIGHT)
    assert named(option, "hparam/best")["showSymbol"]
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (0, 1)  # else the axis were as long as a point
    option = single(series("hparam/best", [0.9, None, 0.8]), palette=LIGHT)
    assert not named(option, "hparam/best")["showSymbol"]
    assert option["xAxis"]["max"] == "dataMax"


def test_a_value_that_is_not_finite_is_a_gap() -> None:
    option = loss(series("train/loss", [1.0, None, 3.0]), series("val/loss", []), palette=LIGHT)
    assert named(option, "train, raw")["data"][1] == [2, None]
    assert named(option, "train")["data"][1] == [2, None]
    assert not named(option, "train")["connectNulls"]


def test_buckets_show_their_lowest_and_highest() -> None:
    option = loss(series("train/loss", [5.0, 4.0], factor=8), series("val/loss", []), palette=LIGHT, smoothing=0)
    assert named(option, "lowest")["data"] == [[1, 4.0], [2, 3.0]]
    assert named(option, "highest")["data"] == [[1, 2.0], [2, 2.0]]  # stacked on the lowest
    assert named(option, "lowest")["stack"] == named(option, "highest")["stack"]


def test_train_and_validation_wear_the_same_colours_on_every_chart() -> None:
    curves = series("train/loss", [1.0]), series("val/loss", [1.0])
    for option in (loss(*curves, palette=DARK), accuracy(*curves, None, palette=DARK)):
        assert named(option, "train")["itemStyle"]["color"] == DARK.train
        assert named(option, "validation")["itemStyle"]["color"] == DARK.validation


def test_the_best_epoch_wears_a_star_and_says_which() -> None:
    best = MetricPoint(name="val/accuracy", step=90, epoch=2, value=0.913, at=0)
    flat = series("train/accuracy", [0.5, 0.9], step=45), series("val/accuracy", [0.4, 0.913], step=45)
    point = named(accuracy(*flat, best, palette=LIGHT), "validation")["markPoint"]["data"][0]
    assert point["coord"] == [90, 91.3]
    assert point["label"]["formatter"] == "best 91.3%, epoch 2"
    outside = accuracy(*flat, best, palette=LIGHT, window=Window(0, 50))
    assert "markPoint" not in named(outside, "validation")


def test_the_window_bounds_the_axis_and_marks_outside_it_are_left_out() -> None:
    marks = [Mark(10, "e1"), Mark(500, "e9"), Mark(20, "attempt 2", strong=True)]
    option = loss(
        series("train/loss", [1.0]), series("val/loss", []), palette=LIGHT, window=Window(5, 100), marks=marks
    )
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (5, 100)
    assert [one["xAxis"] for one in option["series"][0]["markLine"]["data"]] == [10, 20]


def test_smoothing_of_a_constant_is_the_constant() -> None:
    assert smoothed([[1, 2.0], [2, 2.0], [3, 2.0]], 0.95) == [[1, 2.0], [2, 2.0], [3, 2.0]]


def test_memory_takes_gpus_before_the_process_and_a_unit_that_fits() -> None:
    names = ["memory/rss_mb", "gpu0/used_mb", "gpu0/allocated_mb", "train/loss", "gpu0/reserved_mb", "gpu0/peak_mb"]
    assert memory_names(names) == ["gpu0/allocated_mb", "gpu0/reserved_mb", "gpu0/peak_mb", "gpu0/used_mb"]
    assert memory_names(["memory/rss_mb", "val/loss"]) == ["memory/rss_mb"]
    assert memory_title(["memory/rss_mb"]) == "Process memory (RSS)"
    on_cpu = ["memory/rss_mb", "rank10/rss_mb", "rank2/rss_mb", "rank2/images_per_s"]
    assert memory_names(on_cpu) == ["rank2/rss_mb", "rank10/rss_mb"]
    on_gpu = ["gpu0/allocated_mb", "rank0/allocated_mb", "rank0/peak_mb", "rank1/allocated_mb"]
    assert memory_names(on_gpu) == ["rank0/allocated_mb", "rank1/allocated_mb"]
    assert memory_title(memory_names(on_gpu)) == "GPU memory"
    shared = memory([series("rank0/rss_mb", [500.0]), series("rank1/rss_mb", [510.0])], palette=LIGHT)
    assert shared["legend"]["data"] == ["rank 0 (RSS)", "rank 1 (RSS)"]
    small = memory([series("memory/rss_mb", [500.0])], palette=LIGHT)
    assert small["series"][0]["data"] == [[1, 524.288]]
    assert small["yAxis"]["axisLabel"]["formatter"] == "{value} MB"
    large = memory([series("gpu0/allocated_mb", [9536.74]), series("gpu0/used_mb", [9600.0])], palette=LIGHT)
    assert large["series"][0]["data"] == [[1, 10.0]]
    assert large["legend"]["data"] == ["allocated", "whole GPU"]


def test_marks_of_checkpoints_and_attempts() -> None:
    kept = Checkpoint(run_id="a", epoch=3, step=135, path="c", bytes=1, sha256="", created_at=0)
    assert checkpoint_marks([kept]) == [Mark(135, "e3")]
    told = [
        Event(id=1, run_id="a", at=0.0, level="info", text="Training on cpu."),
        Event(id=2, run_id="a", at=2.5, level="info", text="Again.", code="going_on_again", details={"attempt": 2}),
    ]
    assert attempt_marks(told, series("train/loss", [1.0] * 5)) == [Mark(3, "attempt 2", strong=True)]


def test_memory_that_ran_out_is_marked_at_the_step_that_was_taken_again() -> None:
    told = [
        Event(id=1, run_id="r", at=2.5, level="warning", text="In parts.", code="memory_short"),
        Event(id=2, run_id="r", at=3.5, level="warning", text="It stood still.", code="stalled"),
        Event(id=3, run_id="r", at=99.0, level="warning", text="In parts.", code="memory_short"),
    ]
    assert memory_marks(told, series("train/loss", [1.0] * 5)) == [Mark(3, "memory short", strong=True)]


def test_each_rank_has_its_own_line_of_throughput() -> None:
    one = series("speed/images_per_s", [200.0, 220.0])
    ranks = [series(f"rank{rank}/images_per_s", [100.0, 110.0]) for rank in range(2)]
    names = [line["name"] for line in throughput(one, ranks, palette=LIGHT)["series"] if line.get("name")]
    assert [name for name in names if "band" not in name] == ["images/s", "rank 0", "rank 1"]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda one: one.name)
def test_every_option_is_plain_json(palette: Palette) -> None:
    one = series("x", [1.0, None, 3.0], factor=8)
    best = MetricPoint(name="x", step=3, epoch=1, value=math.pi / 4, at=0)
    for option in (
        loss(one, one, palette=palette),
        accuracy(one, one, best, palette=palette),
        learning_rate([one, one], palette=palette),
        memory([one], palette=palette),
        throughput(one, palette=palette),
    ):
        json.dumps(option, allow_nan=False)


def test_the_palettes_are_those_of_the_theme() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
    for palette in (LIGHT, DARK):
        told = theme[palette.name]
        assert (palette.train, palette.validation, *palette.others) == tuple(told["chartCategoricalColors"])
        assert (palette.background, palette.text, palette.line) == (
            told["backgroundColor"],
            told["textColor"],
            told["borderColor"],
        )
    assert palette_of("dark") is DARK
    assert palette_of(None) is LIGHT
