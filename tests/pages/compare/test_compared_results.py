"""Results of several runs side by side: what the second fixes and breaks, by its images; every run's answers."""

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.analysis.results import changes
from pages.parts.compare.prediction_grid import predictions_table, right_predictions
from pages.parts.results.one_image import View
from storage import Run, RunState, Store
from tests.pages import seed, seed_datasets
from tests.pages.pages import fine, keys, read
from tests.pages.seed_results import digits, keep, of_shares

FOUND = changes.changes(digits("bayes"), digits("neighbours"))


@pytest.fixture
def two(calm: Store) -> tuple[Run, Run]:
    """The second is the better one."""
    seed_datasets.digits(calm)
    made = tuple(
        seed.run(calm, name, RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
        for name in ("bayes", "neighbours")
    )
    for run in made:
        keep(calm, run, digits(run.name))
    return made


def script(run_ids: tuple[str, ...]) -> None:
    from pages.parts.compare.results import results_side_by_side
    from pages.parts.session import store

    results_side_by_side([store().runs.get(one) for one in run_ids])


def opened(*runs: Run, **query: str) -> AppTest:
    app = AppTest.from_function(script, kwargs={"run_ids": tuple(run.id for run in runs)}, default_timeout=30)
    for name, value in query.items():
        app.query_params[name] = value
    return fine(app.run())


def tiles(app: AppTest) -> list[dict]:
    (gallery,) = app.get("bidi_component")
    return json.loads(gallery.proto.json)["tiles"]


def test_what_the_second_fixes_and_breaks_is_counted_and_judged(two: tuple[Run, Run]) -> None:
    app = opened(*two)
    fixed, broken = len(FOUND.fixed), len(FOUND.broken)
    assert f"**neighbours** fixes {fixed} that **bayes** gets wrong, and breaks {broken}: hardly by chance" in read(app)
    option = json.loads(app.get("echarts_chart")[0].proto.spec)["baseOption"]
    net = [one["value"][2] for one in option["series"][0]["data"] if one["value"][0] == one["value"][1]]
    assert sum(net) == fixed - broken  # the diagonal gains what is fixed and loses what is broken


@pytest.mark.parametrize(
    ("name", "places"),
    [("fixed", FOUND.fixed), ("broken", FOUND.broken), ("wrong in both", FOUND.both_wrong)],
)
def test_each_set_is_shown_by_its_images(two: tuple[Run, Run], name: str, places: np.ndarray) -> None:
    app = opened(*two, set=name)
    assert app.get("button_group")[0].value == name
    shown = tiles(app)
    assert [one["id"] for one in shown] == [digits().ids[place] for place in places[: len(shown)]]
    tones = {"fixed": ["bad", "good"], "broken": ["good", "bad"], "wrong in both": ["bad", "bad"]}[name]
    assert all([line["tone"] for line in one["lines"][:2]] == tones for one in shown)
    assert len(app.dataframe[0].value) == len(shown)


def test_a_cell_of_the_difference_shows_what_came_and_what_left(two: tuple[Run, Run]) -> None:
    came, left = changes.came_and_left(digits("bayes"), digits("neighbours"), 2, 2)
    app = opened(*two, true="2", guess="2")
    assert [one["id"] for one in tiles(app)] == [digits().ids[place] for place in came][:12]
    sides = [f"{len(came)} came", f"{len(left)} left"]
    fine(app.segmented_control(key=f"compare_side_{'_'.join(sides)}").set_value(sides[1]).run())
    assert [one["id"] for one in tiles(app)] == [digits().ids[place] for place in left][:12]
    fine(app.button(key="compare_cell_close").click().run())
    assert f"{len(FOUND.fixed)} fixed" in [one.content for one in app.get("button_group")[0].proto.options]


def test_the_better_one_stands_second_and_they_change_places(two: tuple[Run, Run]) -> None:
    app = opened(*reversed(two))
    assert [app.selectbox(key=f"compare_{name}").value for name in ("first", "second")] == [run.id for run in two]
    fine(app.selectbox(key="compare_first").set_value(two[1].id).run())
    assert [app.selectbox(key=f"compare_{name}").value for name in ("first", "second")] == [two[1].id, two[0].id]
    assert f"fixes {len(FOUND.broken)} that" in read(app)


def test_three_runs_have_disputed_images(calm: Store, two: tuple[Run, Run]) -> None:
    third = seed.run(calm, "bayes again", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, third, digits("bayes"))
    app = opened(*two, third, set="disputed")
    table = app.dataframe[0].value
    assert (table["run_0"] == table["run_2"]).all()
    assert (table["run_0"] != table["run_1"]).all()


def test_one_image_through_every_run(two: tuple[Run, Run]) -> None:
    place = FOUND.fixed[0]
    text = read(opened(*two, image=digits().ids[place]))
    for name in ("bayes", "neighbours"):
        found = digits(name)
        assert f"{name}  \n:{'green' if name == 'neighbours' else 'red'}" in text
        assert f"% {found.classes[found.guesses[place, 0]]}" in text


def test_runs_that_cannot_be_compared_image_by_image_say_why(calm: Store, two: tuple[Run, Run]) -> None:
    found = digits("bayes")
    keep(calm, two[0], replace(found, classes=tuple("abcdefghij")))
    assert "know different classes" in read(opened(*two))
    keep(calm, two[0], replace(found, ids=tuple(f"x{one}" for one in found.ids)))
    calm_again = seed.run(calm, "elsewhere", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, calm_again, replace(found, ids=tuple(f"x{one}" for one in found.ids)))
    assert "No image judged all of these runs" in read(opened(two[1], calm_again))
    other = seed.run(calm, "other", RunState.FINISHED, dataset="other", epochs=4, per_epoch=5)
    keep(calm, other, found)
    assert "judged by different data sets" in read(opened(two[1], other))


def test_a_run_without_predictions_is_named_and_can_look_now(calm: Store, two: tuple[Run, Run]) -> None:
    old = seed.run(calm, "an old one", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    app = opened(*two, old)
    assert "No predictions are kept of an old one." in read(app)
    assert "compare_make" in keys(app)
    assert "fixes" in read(app)  # the other two are compared all the same


def test_runs_without_a_checkpoint_are_named_and_never_asked(calm: Store, two: tuple[Run, Run]) -> None:
    bare = seed.run(calm, "bare", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    for one in calm.checkpoints.list(bare.id):
        calm.checkpoints.forget(bare.id, one.path)
    app = opened(*two, bare)
    assert "Without a checkpoint that could look at images: bare (kept none)." in read(app)
    assert "fixes" in read(app) and "compare_make" not in keys(app)
    assert "Two runs are needed" in read(opened(two[0], bare))


def test_those_that_share_classes_are_compared_and_others_named(calm: Store, two: tuple[Run, Run]) -> None:
    other = seed.run(calm, "of letters", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, other, replace(digits("bayes"), classes=tuple("abcdefghij")))
    app = opened(other, *two)
    assert "Left out, for they know other classes: of letters." in read(app)
    assert [app.selectbox(key=f"compare_{name}").value for name in ("first", "second")] == [run.id for run in two]


def test_two_that_take_everything_for_the_same(calm: Store, two: tuple[Run, Run]) -> None:
    third = seed.run(calm, "bayes again", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, third, digits("bayes"))
    text = read(opened(two[0], third))
    assert "are right on the same ones" in text
    assert "Both take every image for the same." in text


def test_images_of_another_label_are_not_the_same() -> None:
    one = digits()
    labels = one.labels.copy()
    labels[:7] = (labels[:7] + 1) % 10
    other = replace(one, labels=labels, ids=one.ids)
    aligned = changes.on_same_images([one, other])
    assert all(one_of.ids == one.ids[7:] for one_of in aligned)
    found = changes.changes(*aligned)
    assert not found.fixed.size and not found.broken.size
    assert all(found.ids == one.ids for found in changes.on_same_images([one, one]))


def test_answers_are_those_of_the_predictions() -> None:
    views = [View("a", digits("bayes")), View("b", digits("neighbours"))]
    table, right = predictions_table(views, [5, 0]), right_predictions(views, [5, 0])
    for number, view in enumerate(views):
        for row, place in enumerate((5, 0)):
            guess = view.found.guesses[place, 0]
            assert table[f"run_{number}"][row].endswith(f"% {view.found.classes[guess]}")
            assert right[row, number] == (guess == view.found.labels[place])
    sure = of_shares(np.array([[0.9999, 0.0001]]), np.array([0]), ("a", "b"))
    assert predictions_table([View("a", sure)], [0])["run_0"][0] == "100% a"
