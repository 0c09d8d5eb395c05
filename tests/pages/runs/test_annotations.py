"""Tags, notes, names and the archive on pages: shown, edited, filtered by."""

from streamlit.testing.v1 import AppTest

from engine import api
from pages.parts.palette import DARK, LIGHT, TAG_COLOURS, tag_place
from storage import Run, Store
from tests.pages import seed
from tests.pages.pages import RUN, RUNS, fine, keys, opened, texts


def box(app: AppTest, kind: str, ending: str):
    return next(one for one in getattr(app, kind) if one.key and one.key.endswith(ending))


def tick(app: AppTest, *names: str) -> AppTest:
    ids = app.dataframe[0].value["open"].tolist()
    rows = [ids.index(name) for name in names]
    app.session_state["runs_table_0"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return fine(app.run())


def test_name_tags_and_notes_are_edited_on_the_runs_page(runs: dict[str, Run], store: Store) -> None:
    run = runs["finished"]
    app = opened(RUN, run=run.id)
    box(app, "text_input", "_name").set_value("고양이 baseline")
    box(app, "multiselect", "_tags").set_value(["baseline", "발표"])
    box(app, "text_area", "_notes").set_value("It **learns**.")
    fine(app.button(key="run_save").click().run())
    now = store.runs.get(run.id)
    assert (now.name, now.tags, now.about) == ("고양이 baseline", ("baseline", "발표"), "It **learns**.")
    assert app.title[0].value == "고양이 baseline"
    assert "It **learns**." in texts(app)
    box(app, "multiselect", "_tags").set_value(["발표"])
    fine(app.button(key="run_save").click().run())
    assert store.runs.get(run.id).tags == ("발표",)


def test_what_is_refused_changes_nothing_and_says_why(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUN, run=runs["finished"].id)
    box(app, "text_input", "_name").set_value(runs["small"].name)
    box(app, "multiselect", "_tags").set_value(["kept out"])
    fine(app.button(key="run_save").click().run())
    assert "the name of another run" in app.toast[0].value
    assert store.runs.tags() == {}


def boxes_open(app: AppTest) -> AppTest:
    """As a browser tells it: the popover is open from now on."""
    app.session_state[box(app, "text_input", "_name").key.removesuffix("_name")] = True
    return fine(app.run())


def test_saving_leaves_alone_what_only_others_changed(runs: dict[str, Run], store: Store) -> None:
    run = runs["finished"]
    api.tag_runs(store, [run.id], add=["old", "kept"])
    one, other = (boxes_open(opened(RUN, run=run.id)) for _ in range(2))
    box(other, "multiselect", "_tags").set_value(["old", "kept", "theirs"])
    box(other, "text_area", "_notes").set_value("Their notes.")
    fine(other.button(key="run_save").click().run())
    fine(one.run())  # it looks again now and then
    box(one, "text_input", "_name").set_value("my name")
    box(one, "multiselect", "_tags").set_value(["kept", "mine"])
    fine(one.button(key="run_save").click().run())
    now = store.runs.get(run.id)
    assert (now.name, set(now.tags), now.about) == ("my name", {"kept", "theirs", "mine"}, "Their notes.")
    assert box(one, "text_area", "_notes").value == "Their notes."


def test_notes_of_two_viewers_at_once_are_replaced_only_knowingly(runs: dict[str, Run], store: Store) -> None:
    run = runs["finished"]
    one, other = (boxes_open(opened(RUN, run=run.id)) for _ in range(2))
    for app, text in ((other, "Their notes."), (one, "My notes.")):
        box(app, "text_area", "_notes").set_value(text)
        box(app, "multiselect", "_tags").set_value([text[:5].strip()])
        fine(app.button(key="run_save").click().run())
    assert "someone else saved meanwhile" in one.toast[0].value
    assert (store.runs.get(run.id).about, store.runs.get(run.id).tags) == ("Their notes.", ("Their",))
    assert box(one, "text_area", "_notes").value == "My notes."
    fine(one.button(key="run_save").click().run())
    assert (store.runs.get(run.id).about, set(store.runs.get(run.id).tags)) == ("My notes.", {"Their", "My no"})


def test_many_ticked_runs_are_tagged_and_archived_at_once(runs: dict[str, Run], store: Store) -> None:
    app = tick(opened(RUNS), "digits demo", "small_cnn on shapes", "resnet18 on shapes")
    box(app, "multiselect", "_add").set_value(["baseline"])
    fine(app.button(key="runs_retag").click().run())
    assert store.runs.tags() == {"baseline": 3}
    assert [list(tags) for tags in app.dataframe[0].value["tags"]].count(["baseline"]) == 3
    fine(app.button(key="runs_archive").click().run())
    assert {run.name for run in store.runs.list(archived=True) if run.archived_at} == {
        "digits demo",
        "small_cnn on shapes",
    }  # the third one trains
    assert "digits demo" not in app.dataframe[0].value["open"].tolist()
    app.toggle(key="runs_archived").set_value(True).run()
    assert "digits demo" in app.dataframe[0].value["open"].tolist()
    tick_again = app.dataframe[0].value["open"].tolist().index("digits demo")
    app.session_state["runs_table_1"] = {"selection": {"rows": [tick_again], "columns": [], "cells": []}}
    fine(app.run())
    assert "runs_archive" not in keys(app)
    app.session_state["runs_table_2"] = {"selection": {"rows": [tick_again], "columns": [], "cells": []}}
    fine(app.run())
    fine(app.button(key="runs_unarchive").click().run())
    assert store.runs.get(runs["finished"].id).archived_at is None


def test_the_filters_find_tags_and_the_search_does_too(runs: dict[str, Run], store: Store) -> None:
    assert "runs_tags" not in {one.key for one in opened(RUNS).multiselect}
    api.tag_runs(store, [runs["small"].id, runs["finished"].id], add=["발표"])
    api.tag_runs(store, [runs["small"].id], add=["paper"])
    app = opened(RUNS)
    app.multiselect(key="runs_tags").set_value(["발표", "paper"]).run()
    assert app.dataframe[0].value["id"].tolist() == [runs["small"].id]
    app.multiselect(key="runs_tags").set_value([]).run()
    app.text_input(key="runs_text").set_value("발표").run()
    assert set(app.dataframe[0].value["id"]) == {runs["small"].id, runs["finished"].id}


def test_an_archived_runs_page_still_opens(runs: dict[str, Run], store: Store) -> None:
    api.archive_runs(store, [runs["finished"].id])
    app = opened(RUN, run=runs["finished"].id)
    assert len(app.get("echarts_chart")) == 5
    assert "run_unarchive" in keys(app)


def test_a_tag_has_one_colour_everywhere_and_for_good() -> None:
    assert [tag_place(tag) for tag in ("baseline", "Baseline", "발표", "논문", "v2", "final")] == [0, 0, 1, 2, 3, 4]
    assert len(LIGHT.tags) == len(DARK.tags) == len(TAG_COLOURS)


def test_a_list_that_is_cut_says_so(store: Store) -> None:
    seed.awake(store)
    seed.many(store, 1001)
    app = opened(RUNS)
    assert len(app.dataframe[0].value) == 1000
    assert "1,000 runs (the newest; filters find older ones)." in texts(app)
