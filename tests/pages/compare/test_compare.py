"""The Compare page without a browser: what it shows of which runs, and what can be done there."""

import json

import numpy as np
import pytest

from engine.api import Predictions
from storage import Run, Store
from tests.pages import seed, seed_searches
from tests.pages.pages import COMPARE, fine, keys, opened, texts

VIEWS = ("Curves", "Trade-offs", "What made a difference", "Configuration")


@pytest.fixture
def awake(store: Store) -> Store:
    seed.digits(store)
    seed.awake(store)
    return store


def of(runs: dict[str, Run], *names: str) -> str:
    return ",".join(runs[name].id for name in names)


def shown(app) -> list[str]:
    return [name for (name,) in app.dataframe[-1].value["run"].tolist()]


def said(app) -> str:
    return "\n".join(one.proto.body for one in app.get("html"))


def address(app) -> str:
    """The runs that the address names, whether AppTest or the page has written it."""
    return (
        ",".join(app.query_params["runs"]) if isinstance(app.query_params["runs"], list) else app.query_params["runs"]
    )


def lines(app) -> list[str]:
    option = json.loads(app.get("echarts_chart")[0].proto.spec)
    return [one["name"] for one in option["series"] if one["name"] not in ("lowest", "highest", "others")]


def tick(app, *rows: int) -> None:
    app.session_state["compare_table_0"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    fine(app.run())


def test_the_address_opens_the_page_on_its_runs_best_first(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=f"{of(runs, 'small', 'finished', 'running')},gone")
    assert len(shown(app)) == 3
    best = app.dataframe[-1].value["best"].tolist()
    assert best == sorted(best, reverse=True)
    assert len(lines(app)) == 3
    assert "judged by different images" in said(app)  # one of them learned other ones


def test_hostile_and_long_names_are_shown_letter_for_letter(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "hostile", "long", "korean"))
    assert "<script>" not in said(app)
    assert "&lt;script&gt;" in said(app)
    assert "한국" in "".join(shown(app))


def test_runs_without_a_value_yet_are_no_trouble(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "queued", "starting"))
    assert "measured anything yet" in texts(app)
    for view in VIEWS:
        app.segmented_control(key="compare_look").set_value(view)
        fine(app.run())


@pytest.mark.parametrize("view", VIEWS)
def test_every_look_is_drawn_with_a_run_that_failed_at_once(runs: dict[str, Run], view: str) -> None:
    app = opened(COMPARE, runs=of(runs, "small", "long", "failed", "queued"))
    app.segmented_control(key="compare_look").set_value(view)
    fine(app.run())
    assert len(shown(app)) == 4


def test_a_setting_has_no_better_end_and_so_no_front(awake: Store) -> None:
    app = opened(COMPARE, searches=seed_searches.search(awake, trials=24).id)
    app.segmented_control(key="compare_look").set_value("Trade-offs")
    fine(app.run())
    assert "Pareto front" in texts(app)
    setting = next(one for one in app.selectbox(key="compare_across").options if one == "Learning rate")
    app.selectbox(key="compare_across").set_value(setting)
    fine(app.run())
    assert "neither end of Learning rate is better" in texts(app)


def test_the_page_asks_for_two_and_takes_them(runs: dict[str, Run], store: Store) -> None:
    app = opened(COMPARE, runs=runs["finished"].id)
    assert "Choose two runs or more" in texts(app)
    app.multiselect(key="compare_runs").set_value([runs["finished"].id, runs["long"].id])
    fine(app.run())
    assert len(shown(app)) == 2
    assert address(app) == of(runs, "finished", "long")


def test_runs_that_are_gone_leave_an_empty_page(runs: dict[str, Run]) -> None:
    assert "Choose two runs or more" in texts(opened(COMPARE, runs="gone,away", searches="nothere"))


def test_any_metric_over_steps_or_time_smooth_and_logarithmic(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "small", "long"))
    app.selectbox(key="compare_metric").set_value("train/loss")
    app.segmented_control(key="compare_axis").set_value("Time")
    app.slider(key="compare_smoothing").set_value(0.9)
    app.toggle(key="compare_log").set_value(True)
    fine(app.run())
    option = json.loads(app.get("echarts_chart")[0].proto.spec)
    assert (option["xAxis"]["name"], option["yAxis"]["type"]) == ("minutes", "log")
    assert sum(name.endswith(", raw") for name in lines(app)) == 2


def test_the_classes_that_made_the_difference_are_named_once_both_have_kept_what_they_say(
    runs: dict[str, Run], store: Store
) -> None:
    for name, right in (("small", 5), ("long", 25)):
        kept = store.checkpoints.get(runs[name].id, "best")
        labels = np.asarray([place % 2 for place in range(40)])
        rank = np.asarray([0 if label or place < right else 1 for place, label in enumerate(labels)])
        said_of_all = Predictions(
            run=runs[name].id,
            epoch=kept.epoch,
            dataset="shapes",
            part="validation",
            classes=("고양이", "dog"),
            ids=tuple(f"{place}.png" for place in range(40)),
            labels=labels,
            guesses=np.stack([np.where(rank, 1 - labels, labels), np.where(rank, labels, 1 - labels)], axis=1),
            shares=np.full((40, 2), 0.5, dtype=np.float32),
            of_label=np.full(40, 0.5, dtype=np.float32),
            rank=rank,
        )
        folder = store.home.run(runs[name].id) / kept.path
        folder.mkdir(parents=True)
        (folder / "predictions.parquet").write_bytes(said_of_all.to_parquet())
    app = opened(COMPARE, runs=of(runs, "small", "long"))
    assert "mostly on <i>고양이</i>" in said(app)
    assert "Of 40 images it gets 10 right that the other gets wrong, and 0 the other way round" in said(app)
    for kept in store.home.run(runs["small"].id).rglob("predictions.parquet"):
        kept.unlink()
    store.runs.update(runs["small"].id, offset=runs["small"].offset + 1)
    fine(app.run())
    assert "Of 40 images" in said(app), "a checkpoint never changes: it is read once"
    store.runs.update(runs["small"].id, metric="val/loss")  # what it kept is of another epoch than the one shown
    app = opened(COMPARE, runs=of(runs, "small", "long"))
    assert " beats " in said(app)
    assert "Of 40 images" not in said(app)


def test_a_zoom_is_kept_and_let_go(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "small", "long"))
    app.session_state["compare_window"] = ("epoch", (2.0, 5.0))
    fine(app.run())
    option = json.loads(app.get("echarts_chart")[0].proto.spec)
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == (2.0, 5.0)
    fine(app.button(key="compare_reset_zoom").click().run())
    assert "compare_reset_zoom" not in keys(app)


def test_groups_are_lines_with_their_spread_and_a_table_of_their_own(awake: Store) -> None:
    made = seed_searches.search(awake, trials=24)
    app = opened(COMPARE, searches=made.id)
    app.segmented_control(key="compare_look").set_value("Curves")
    app.selectbox(key="compare_by").set_value("model.backbone")
    fine(app.run())
    assert set(lines(app)) == {"Small CNN", "ResNet-18", "ResNet-34"}
    assert app.dataframe[0].value["runs"].sum() == 24
    assert "on average of" in said(app)


def test_a_brush_filters_the_table_until_all_are_shown_again(awake: Store) -> None:
    made = seed_searches.search(awake, trials=30)
    app = opened(COMPARE, searches=made.id)
    assert len(shown(app)) == 30
    some = [trial.id for trial in awake.runs.trials(made.id)[:4]]
    app.session_state["compare_brushed"] = some
    fine(app.run())
    assert set(shown(app)) == {"Trial 1", "Trial 2", "Trial 3", "Trial 4"}
    fine(app.button(key="compare_unbrush").click().run())
    assert len(shown(app)) == 30


def test_ticked_rows_are_looked_at_kept_or_taken_out(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "small", "long", "running"))
    first, second, third = shown(app)
    tick(app, 0, 2)
    assert set(lines(app)) == {first, third}
    fine(app.button(key="compare_take_out").click().run())
    assert "Choose two runs or more" in texts(app)
    app = opened(COMPARE, runs=of(runs, "small", "long", "running"))
    tick(app, 0, 1)
    fine(app.button(key="compare_keep").click().run())
    assert set(shown(app)) == {first, second}
    places = address(app).split(",")
    assert [place for place, run_id in enumerate(places) if run_id] == [
        place for place, name in enumerate(("small", "long", "running")) if runs[name].id in places
    ]


def test_only_what_differs_stands_side_by_side_or_all(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=of(runs, "small", "long"))
    app.segmented_control(key="compare_look").set_value("Configuration")
    fine(app.run())
    assert "Backbone" in said(app)
    assert "Learning rate" not in said(app)
    app.toggle(key="compare_all_settings").set_value(True)
    fine(app.run())
    assert "Learning rate" in said(app)
    query = {"compare_look": "Configuration", "compare_all_settings": "true"}
    assert "Learning rate" in said(opened(COMPARE, runs=of(runs, "small", "long"), **query))
    app.segmented_control(key="compare_look").set_value("Curves")
    fine(app.run())
    app.segmented_control(key="compare_look").set_value("Configuration")
    fine(app.run())
    assert "Learning rate" in said(app)


def test_five_hundred_trials_are_no_burden(awake: Store) -> None:
    made = seed_searches.search(awake, trials=500)
    app = opened(COMPARE, searches=made.id)
    assert len(shown(app)) == 500
    for view in VIEWS:
        app.segmented_control(key="compare_look").set_value(view)
        fine(app.run())
        assert app.session_state["compare_look"] == view
