"""What clicks do: forms, filters, ticked rows, requests."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import api
from pages.parts.live import pace
from storage import Run, RunState, Store
from tests.pages import seed
from tests.pages.pages import HOME, MACHINE, NEW_RUN, RUN, RUNS, fine, keys, opened, texts

STATE_OF = "runs_state"


def tick(app: AppTest, *rows: int) -> AppTest:
    app.session_state["runs_table_0"] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return fine(app.run())


def open_requests(store: Store) -> list[tuple[str, str]]:
    return [(request.kind, request.target) for request in store.requests.open()]


def test_the_demo_starts_once_in_two_tabs_and_opens_its_run(calm: Store) -> None:
    tabs = opened(HOME), opened(HOME)
    for tab in tabs:
        fine(tab.button(key="demo").click().run())
    runs = calm.runs.list()
    assert [run.name for run in runs] == ["digits demo"]
    assert [tab.title[0].value for tab in tabs] == ["digits demo", "digits demo"]


def test_start_in_two_tabs_makes_one_run_and_once_more_makes_another(calm: Store) -> None:
    tabs = opened(NEW_RUN), opened(NEW_RUN)
    for tab in tabs:
        fine(tab.button(key="new_start").click().run())
    assert len(calm.runs.list()) == 1
    again = opened(NEW_RUN)
    fine(again.button(key="new_start").click().run())
    assert len(calm.runs.list()) == 2


def test_a_bad_value_is_refused_beside_its_field_in_the_engines_words(calm: Store) -> None:
    app = opened(NEW_RUN)
    app.text_input(key="new_optimisation.learning_rate").set_value("-3").run()
    words = {one.path: one.allowed for one in api.settings()}
    assert words["optimisation.learning_rate"] in texts(app)
    assert app.button(key="new_start").disabled
    app.text_input(key="new_optimisation.learning_rate").set_value("fast").run()
    assert words["optimisation.learning_rate"] in texts(app)
    app.text_input(key="new_optimisation.learning_rate").set_value("1e-2").run()
    assert not app.button(key="new_start").disabled
    fine(app.button(key="new_start").click().run())
    assert calm.runs.list()[0].spec["optimisation"]["learning_rate"] == 0.01


@pytest.mark.parametrize(("field", "bad"), [("epochs", 0), ("optimisation.batch_size", -1), ("data.image_size", 4)])
def test_bad_numbers_keep_start_shut(calm: Store, field: str, bad: int) -> None:
    app = opened(NEW_RUN)
    app.number_input(key=f"new_{field}").set_value(bad).run()
    allowed = {one.path: one.allowed for one in api.settings()}[field]
    assert allowed in texts(app)
    assert app.button(key="new_start").disabled


def test_a_preset_fills_the_form_and_keeps_the_data_set(runs: dict[str, Run], store: Store) -> None:
    app = opened(NEW_RUN, dataset="shapes")
    assert app.selectbox(key="new_data.dataset").value == "shapes"
    app.segmented_control(key="new_preset").set_value("thorough").run()
    assert app.number_input(key="new_epochs").value == 60
    assert app.selectbox(key="new_data.dataset").value == "shapes"
    app.segmented_control(key="new_preset").set_value("demo").run()
    assert app.selectbox(key="new_data.dataset").value == "digits"


def test_a_run_can_be_edited_and_started_again(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUN, run=runs["failed"].id)
    fine(app.button(key="run_edit").click().run())
    assert app.text_input(key="new_name").value == "shapes, rate too high"
    assert app.number_input(key="new_epochs").value == 20


def test_yaml_fills_the_form_or_is_refused_in_words(calm: Store) -> None:
    app = opened(NEW_RUN)
    app.text_area(key="new_yaml").set_value("epochs: 7\nmodel: {backbone: small_cnn}").run()
    fine(app.button(key="new_take_yaml").click().run())
    assert app.number_input(key="new_epochs").value == 7
    app.text_area(key="new_yaml").set_value("epochs: -1\nspeed: 9").run()
    fine(app.button(key="new_take_yaml").click().run())
    assert "epochs \\= \\-1" in texts(app)
    assert "no such field" in texts(app)
    assert app.number_input(key="new_epochs").value == 7


def test_leaving_the_form_and_coming_back_loses_nothing(calm: Store) -> None:
    app = opened(NEW_RUN)
    app.number_input(key="new_epochs").set_value(33).run()
    fine(app.switch_page(RUNS).run())
    fine(app.switch_page(NEW_RUN).run())
    assert app.number_input(key="new_epochs").value == 33


def test_a_data_set_that_is_gone_is_said_beside_the_field(runs: dict[str, Run], store: Store) -> None:
    store.datasets.delete("shapes")
    app = opened(NEW_RUN, **{"from": runs["failed"].id})
    assert "there is no such data set" in texts(app)
    assert app.button(key="new_start").disabled


def test_filters_leave_the_runs_that_fit(runs: dict[str, Run]) -> None:
    app = opened(RUNS)

    def shown() -> set[str]:
        return set(app.dataframe[0].value["id"]) if app.dataframe else set()

    app.segmented_control(key=STATE_OF).set_value("Failed").run()
    assert shown() == {runs["failed"].id}
    app.segmented_control(key=STATE_OF).set_value("Under way").run()
    assert shown() == {runs[name].id for name in ("running", "starting", "queued", "korean")}
    app.segmented_control(key=STATE_OF).set_value("All").run()
    app.text_input(key="runs_text").set_value("단청").run()
    assert shown() == {runs["korean"].id}
    app.text_input(key="runs_text").set_value("").run()
    app.selectbox(key="runs_dataset").set_value("digits").run()
    assert shown() == {runs["finished"].id}
    app.text_input(key="runs_text").set_value("no such run").run()
    assert "No run is like that" in texts(app)


def test_ticked_runs_are_stopped_resumed_and_deleted(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUNS)
    ids: list[Any] = app.dataframe[0].value["id"].tolist()
    rows = [ids.index(runs[name].id) for name in ("running", "failed")]
    tick(app, *rows)
    fine(app.button(key="runs_stop").click().run())
    assert open_requests(store) == [("stop_run", runs["running"].id)]
    fine(app.button(key="runs_resume").click().run())
    assert ("resume_run", runs["failed"].id) in open_requests(store)
    fine(app.button(key="runs_delete").click().run())
    assert {target for kind, target in open_requests(store) if kind == "delete_run"} == {ids[row] for row in rows}
    assert "runs_stop" not in keys(app)  # nothing is ticked any more
    assert not {ids[row] for row in rows} & set(app.dataframe[0].value["id"])


def test_ticks_stay_on_their_runs_when_a_new_one_comes(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUNS)
    before = app.dataframe[0].value["id"].tolist()
    tick(app, before.index(runs["failed"].id))
    seed.run(store, "newer", RunState.QUEUED, epochs=1, per_epoch=1, ago_h=0)
    fine(app.run())
    fine(app.button(key="runs_resume").click().run())
    assert open_requests(store) == [("resume_run", runs["failed"].id)]


def test_ticks_stay_on_a_run_that_the_filters_no_longer_leave(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUNS)
    fine(app.segmented_control(key="runs_state").set_value("Under way").run())
    before = app.dataframe[0].value["id"].tolist()
    app.session_state["runs_table_1"] = {"selection": {"rows": [len(before) - 1], "columns": [], "cells": []}}
    fine(app.run())
    store.runs.move(runs["running"].id, RunState.FINISHED)
    fine(app.run())
    assert app.dataframe[0].value["id"].tolist() == before
    assert "1 run ticked" in texts(app)


def test_deleting_a_run_on_its_page_leaves_for_the_list(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUN, run=runs["finished"].id)
    fine(app.button(key="run_delete").click().run())
    assert open_requests(store) == [("delete_run", runs["finished"].id)]
    assert app.title[0].value == "Runs"


def test_stop_on_the_page_of_a_run(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUN, run=runs["running"].id)
    fine(app.button(key="run_stop").click().run())
    assert open_requests(store) == [("stop_run", runs["running"].id)]


def test_the_zoom_is_kept_over_refreshes_until_it_is_reset(runs: dict[str, Run]) -> None:
    app = opened(RUN, run=runs["running"].id)
    app.slider(key="run_slider").set_value((100, 300)).run()
    fine(app.button(key="run_slide").click().run())

    def bounds() -> tuple[int, int]:
        import json

        axis = json.loads(app.get("echarts_chart")[0].proto.spec)["xAxis"]
        return axis["min"], axis["max"]

    assert bounds() == (100, 301)
    fine(app.run())
    assert bounds() == (100, 301)
    fine(app.button(key="run_reset_zoom").click().run())
    assert bounds()[0] == 0


def test_one_click_starts_a_failed_run_again_with_a_remedy(runs: dict[str, Run], store: Store) -> None:
    failed, before = runs["failed"], len(store.runs.list())
    app = opened(RUN, run=failed.id)
    fine(app.button(key="run_remedy_lower_rate").click().run())
    started = store.runs.list(limit=1)[0]
    assert len(store.runs.list()) == before + 1
    assert started.state is RunState.QUEUED
    rate = failed.spec["optimisation"]["learning_rate"]
    assert started.spec["optimisation"]["learning_rate"] == pytest.approx(rate / 10)
    assert app.title[0].value == started.name


def test_a_page_looks_on_while_something_is_asked_of_a_run_that_is_over(store: Store) -> None:
    stopped = seed.run(store, "stopped", RunState.STOPPED, dataset="digits", epochs=3, per_epoch=5)
    assert pace(stopped) is None
    store.requests.add("resume_run", stopped.id)
    assert pace(stopped)


def test_a_cache_is_cleared_by_one_click(calm: Store) -> None:
    folder = calm.home.cache / "features"
    folder.mkdir(parents=True)
    (folder / "a.npy").write_bytes(b"x" * 5_000_000)
    app = opened(MACHINE)
    assert "**5.0 MB** of 20.0 GB" in texts(app)
    fine(app.button(key="machine_clear_features").click().run())
    assert not list(folder.iterdir())
    assert "5.0 MB freed" in app.toast[0].value
    assert app.button(key="machine_clear_features").disabled
