"""Which runs are one way, what sets ways apart, what the page draws of them."""

from dataclasses import replace
from typing import Any

import pytest

import engine
from pages.parts.comparison import differences, verdict, ways
from pages.parts.figures.compared import Course, compared, points
from pages.parts.figures.palette import LIGHT
from pages.parts.tables import compared_runs_table, ways_table
from storage import Run, RunState, Series, Store
from tests.pages.pages import COMPARE, opened, texts


def run(name: str, best: float | None = None, **spec: Any) -> Run:
    parsed = engine.RunSpec.parse({"name": name, "data": {"dataset": "digits"}, **spec})
    return Run(
        id=name.replace(" ", "-"),
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


def test_only_what_differs_is_told_in_the_words_of_the_form() -> None:
    apart = {one.path: one.values for one in differences(SIX)}
    assert set(apart) == {"freeze.policy", "freeze.every_epochs", "seed"}
    assert apart["freeze.policy"][:2] == ("Head only", "Train everything")
    assert apart["freeze.every_epochs"] == ("–", "–", "–", "–", "2", "2")  # no run but a gradual one has a use for it
    assert differences([SIX[0], SIX[0]]) == []


def test_runs_on_other_images_differ_though_their_data_sets_share_a_name() -> None:
    first, second = (replace(SIX[0], dataset_fingerprint=one) for one in ("aaaaaaaaaa", "bbbbbbbbbb"))
    assert [one.path for one in differences([first, second])] == ["data.fingerprint"]


def test_runs_that_differ_in_their_seed_alone_are_one_way_called_by_their_names() -> None:
    found = ways(SIX)
    assert [(way.name, way.values) for way in found] == [
        ("head only", [0.80, 0.84]),
        ("gradual", [0.81, 0.83]),
        ("from scratch", [0.70, 0.72]),
    ]


def test_ways_whose_names_tell_nothing_are_called_by_the_fewest_settings() -> None:
    nameless = [replace(one, name="resnet") for one in SIX]
    assert {way.name for way in ways(nameless)} == {"Head only", "Train everything", "Gradual unfreezing"}
    by_rate = [run("a", optimisation={"learning_rate": rate}) for rate in (0.1, 0.01)]
    assert {way.name for way in ways(by_rate)} == {"Learning rate 0.1", "Learning rate 0.01"}


def test_a_verdict_says_how_sure_it_is() -> None:
    head, gradual, scratch = ways(SIX)
    assert verdict([head, scratch]) == (
        "**head only** is best: 82.0% on average of 2 runs, 80.0% to 84.0%. That is 11.0 points above from scratch "
        "(71.0% on average of 2 runs, 70.0% to 72.0%); no run of it does as well."
    )
    assert verdict([head, gradual]).endswith("single runs of both overlap.")
    assert verdict(ways(SIX[:2])).endswith("one run each does not tell skill from luck.")
    assert verdict(ways([run("a"), run("b", seed=1)])) == ""
    elsewhere = replace(SIX[1], dataset_id="shapes", dataset_fingerprint="f")
    assert verdict(ways([SIX[0], elsewhere])).startswith("They were judged by different images")


def series(steps: list[int], values: list[float | None]) -> Series:
    at = [60.0 + 60 * step for step in steps]
    epochs = [1] * len(steps)
    return Series(
        name="val/accuracy", factor=1, steps=steps, values=values, lows=values, highs=values, epochs=epochs, at=at
    )


def test_a_line_is_the_mean_over_runs_where_all_have_a_value() -> None:
    both = [
        points(SIX[0], series([10, 20, 30], [0.5, 0.6, 0.7]), "epoch"),
        points(SIX[2], series([10, 20], [0.7, None]), "epoch"),
    ]
    option = compared([Course("head only", both)], axis="epoch", percent=True, palette=LIGHT)
    line, lowest, span = option["series"]
    assert line["data"] == [[1.0, 60.0]]
    assert (lowest["data"], span["data"]) == ([[1.0, 50.0]], [[1.0, 20.0]])


@pytest.mark.parametrize(("axis", "places"), [("epoch", [1.0, 2.0]), ("step", [10, 20]), ("minutes", [10, 20])])
def test_places_on_the_axis_are_epochs_steps_or_minutes(axis: Any, places: list[float]) -> None:
    assert [place for place, _ in points(SIX[0], series([10, 20], [0.5, 0.6]), axis)] == places


def test_tables_have_a_row_a_run_best_first_and_a_row_a_way() -> None:
    table = compared_runs_table(SIX, differences(SIX), link=lambda one: f"/run?run={one.id}", now=0.0)
    assert table["best"].round(1).tolist() == [84.0, 83.0, 81.0, 80.0, 72.0, 70.0]
    assert table["Freezing"].tolist()[0] == "Head only"
    assert table["open"][0] == "/run?run=head-only,-seed-1"
    assert ways_table(ways(SIX))[["runs", "mean", "lowest"]].round(1).values.tolist()[0] == [2, 82.0, 80.0]
    nothing = ways_table(ways([run("a"), run("b", seed=1)]))
    assert nothing["mean"].isna().all()


def test_runs_of_one_name_stay_apart() -> None:
    twins = [replace(SIX[0], id="one"), replace(SIX[1], id="two", name=SIX[0].name)]
    table = compared_runs_table(twins, [], link=lambda one: one.id, now=0.0)
    assert len({name for (name,) in table["run"]}) == 2


def test_the_address_opens_the_page_on_its_runs(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=f"{runs['long'].id},{runs['small'].id},gone")
    shown = [name for (name,) in app.dataframe[0].value["run"].tolist()]
    assert shown == [runs["long"].name, runs["small"].name]
    assert "is best" in texts(app)


def test_hostile_names_are_shown_as_they_were_typed(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=f"{runs['hostile'].id},{runs['long'].id}")
    assert runs["hostile"].name in [name for (name,) in app.dataframe[0].value["run"].tolist()]


def test_runs_without_a_value_yet_are_no_trouble(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=f"{runs['queued'].id},{runs['starting'].id}")
    assert "measured anything yet" in texts(app)


def test_the_page_asks_for_two(runs: dict[str, Run], store: Store) -> None:
    assert "Choose two runs or more" in texts(opened(COMPARE, runs=runs["finished"].id))
