"""The Results page on real predictions: numbers, cells and their images, lists, what is missing."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file
from sklearn import metrics
from streamlit.testing.v1 import AppTest

from engine import api
from engine.api import Predictions
from engine.protocol.manifest import Manifest
from pages.parts import formatting
from pages.parts.analysis.results import image_selection
from pages.parts.results import image_lists as lists
from storage import Run, RunState, Store
from tests.pages import seed, seed_datasets, seed_results
from tests.pages.pages import RESULTS, RUN, fine, keys, opened, read
from tests.pages.seed_results import digits, keep, of_shares

TABS = ("Confusion", "Classes", "Calibration", "Mistakes", "Uncertain", "Suspect labels", "Truth and prediction")
LONG = tuple(f"{name}, 아주 긴 이름을 가진 클래스 number {place}" for place, name in enumerate("ab" * 10))


@pytest.fixture
def run(calm: Store) -> Run:
    """A finished run on digits that keeps real predictions."""
    seed_datasets.digits(calm)
    made = seed.run(calm, "digits demo", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, made, digits())
    return made


def tiles(app: AppTest) -> list[dict]:
    """What the one gallery of the page holds."""
    (gallery,) = app.get("bidi_component")
    return json.loads(gallery.proto.json)["tiles"]


def all_tiles(run: Run, **query: str) -> list[dict]:
    """The tiles of every page of a list."""
    found, number = [], 1
    while True:
        app = opened(RESULTS, run=run.id, **query, **({"page": str(number)} if number > 1 else {}))
        found += tiles(app)
        buttons = app.get("pagination")
        if not buttons or number == buttons[0].proto.num_pages:
            return found
        number += 1


def test_it_opens_on_the_kept_predictions_with_their_numbers(run: Run) -> None:
    found, app = digits(), opened(RESULTS, run=run.id)
    guesses = found.guesses[:, 0]
    values = {one.label: one.value for one in app.metric}
    assert values["Accuracy"] == f"{100 * metrics.accuracy_score(found.labels, guesses):.1f}%"
    assert values["Macro F1"] == f"{100 * metrics.f1_score(found.labels, guesses, average='macro'):.1f}%"
    assert {"Top-5 accuracy", "Calibration error"} <= set(values)
    assert app.title[0].value == "Results of digits demo"
    option = json.loads(app.get("echarts_chart")[0].proto.spec)["baseOption"]
    counts = [one["value"][2] for one in option["series"][0]["data"]]
    assert sum(counts) == 900
    pairs = app.dataframe[0].value
    assert pairs["images"].astype(int).sum() == 900 - np.trace(found.confusion)


def test_a_cell_opens_exactly_as_many_images_as_its_number_the_surest_first(run: Run) -> None:
    found, matrix = digits(), digits().confusion
    for true, guess in ((8, 8), (8, 1), (0, 1)):
        shown = [one["id"] for one in all_tiles(run, true=str(true), guess=str(guess))] if matrix[true, guess] else []
        assert len(shown) == matrix[true, guess]
        assert shown == [found.ids[place] for place in image_selection.of_cell(found, true, guess)]


def test_a_cell_without_images_and_one_that_is_none_are_no_trouble(run: Run) -> None:
    matrix = digits().confusion
    true, guess = np.argwhere(matrix == 0)[0]
    app = opened(RESULTS, run=run.id, true=str(true), guess=str(guess), page="7")
    assert "0 images" in read(app)
    assert "Confused most" in read(opened(RESULTS, run=run.id, true="cat", guess="1", page="nonsense"))


def test_closing_a_cell_leads_back_to_all_pairs(run: Run) -> None:
    app = opened(RESULTS, run=run.id, true="8", guess="8", page="2")
    fine(app.button(key="results_cell_close").click().run())
    assert "Confused most" in read(app)
    assert not {"true", "guess", "page"} & set(app.query_params)


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_opened_by_the_address(run: Run, tab: str) -> None:
    assert next(one for one in opened(RESULTS, run=run.id, tab=tab).tabs if one.label == tab).children


@pytest.mark.parametrize(
    ("tab", "of"),
    [
        ("Mistakes", image_selection.mistakes),
        ("Uncertain", image_selection.uncertain),
        ("Truth and prediction", image_selection.mixed),
    ],
)
def test_lists_begin_with_their_first_images(run: Run, tab: str, of) -> None:
    found, shown = digits(), tiles(opened(RESULTS, run=run.id, tab=tab))
    first = of(found)[: len(shown)]
    assert [one["id"] for one in shown] == [found.ids[place] for place in first]
    for one, place in zip(shown, first, strict=True):
        said, label = one["lines"]
        assert said["text"] == found.classes[found.guesses[place, 0]]
        assert label["text"] == f"is {found.classes[found.labels[place]]}"
        assert one["tone"] == said["tone"] == ("good" if found.guesses[place, 0] == found.labels[place] else "bad")
        assert one["source"].startswith("data:image/png;base64,")
        assert one["is_few"]  # 8 x 8 pixels stay squares


def test_a_class_shows_what_it_misses(run: Run) -> None:
    found = digits()
    shown = all_tiles(run, tab="Classes", **{"class": "8"})
    assert [one["id"] for one in shown] == [found.ids[place] for place in image_selection.missed(found, 8)]
    table = opened(RESULTS, run=run.id, tab="Classes").dataframe[0].value
    reference = metrics.precision_recall_fscore_support(found.labels, found.guesses[:, 0])
    for name, column in zip(("precision", "recall", "f1", "images"), reference, strict=True):
        factor = 1 if name == "images" else 100
        assert table[name].to_numpy(float) == pytest.approx(factor * column)


def test_suspect_labels_are_ticked_and_taken_out_of_the_data_set(calm: Store, run: Run) -> None:
    expected = [digits().ids[place] for place in image_selection.suspects(digits())]
    app = opened(RESULTS, run=run.id, tab="Suspect labels")
    assert app.button(key="results_exclude").disabled
    fine(app.button(key="results_tick_all").click().run())
    assert all(one["is_ticked"] for one in tiles(app))
    fine(app.button(key="results_exclude").click().run())
    assert set(calm.datasets.get("digits").excluded) == set(expected)
    assert f"{len(expected)} of them excluded" in read(app)
    assert all(one["is_faint"] and not one["is_ticked"] for one in tiles(app))
    assert app.metric[0].value == opened(RESULTS, run=run.id).metric[0].value  # what the run said stays said
    assert f"Still counts {len(expected)} images that have been excluded since." in read(app)
    assert "results_tick_all" not in keys(app)  # none is left to take out


def test_an_excluded_suspect_is_not_ticked_with_all_and_can_be_taken_back_in(calm: Store, run: Run) -> None:
    first, *others = [digits().ids[place] for place in image_selection.suspects(digits())]
    api.exclude_images(calm, "digits", [first])
    app = opened(RESULTS, run=run.id, tab="Suspect labels")
    assert app.button(key="results_tick_all").label == f"Tick all {len(others)}"
    app.session_state["results_ticked"][1].update([first, others[0]])
    fine(app.run())
    assert app.button(key="results_exclude").label == "Exclude 1 image"
    fine(app.button(key="results_include").click().run())
    assert not calm.datasets.get("digits").excluded
    assert [one["is_ticked"] for one in tiles(app)][:2] == [False, True]


def test_suspects_of_a_weak_network_come_with_a_caution(calm: Store, run: Run) -> None:
    keep(calm, run, digits("neighbours"))
    assert digits("neighbours").accuracy > lists.WEAK
    caution, judged = "likely its own mistake", "judged by"
    text = read(opened(RESULTS, run=run.id, tab="Suspect labels"))
    assert caution not in text and judged in text
    weak = seed.run(calm, "weak", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    keep(calm, weak, seed_results.as_good_as(digits(), 0.46))
    text = read(opened(RESULTS, run=weak.id, tab="Suspect labels"))
    assert "right on only 4" in text and caution in text and judged in text


def test_what_may_not_be_taken_out_is_refused_in_words(calm: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(RESULTS, run=run.id, tab="Suspect labels")
    fine(app.button(key="results_tick_all").click().run())
    gone = api.NotFound("There is no data set digits.")
    monkeypatch.setattr(api, "exclude_images", lambda *_: (_ for _ in ()).throw(gone))
    fine(app.button(key="results_exclude").click().run())
    assert "There is no data set digits." in read(app)
    assert all(one["is_ticked"] for one in tiles(app))


def test_a_network_without_a_mistake(calm: Store, run: Run) -> None:
    right = np.eye(10)[digits().labels]
    keep(calm, run, of_shares(right, digits().labels, digits().classes, list(digits().ids)))
    assert "Nothing is confused" in read(opened(RESULTS, run=run.id))
    assert "No mistakes" in read(opened(RESULTS, run=run.id, tab="Mistakes"))
    assert "No suspect labels" in read(opened(RESULTS, run=run.id, tab="Suspect labels"))


def many(classes: tuple[str, ...], images: int = 60) -> Predictions:
    draw = np.random.default_rng(4)
    shares = draw.dirichlet(np.full(len(classes), 0.2), images)
    return of_shares(shares, draw.integers(0, len(classes), images), classes, list(digits().ids[:images]))


@pytest.mark.parametrize("classes", [("b", seed.HOSTILE), LONG], ids=["two", "twenty"])
@pytest.mark.parametrize("tab", TABS)
def test_two_and_twenty_classes_with_long_and_hostile_names(
    calm: Store, run: Run, classes: tuple[str, ...], tab: str
) -> None:
    keep(calm, run, many(classes))
    opened(RESULTS, run=run.id, tab=tab, true=classes[0], guess=classes[1], **{"class": classes[1]})


def test_a_thousand_classes_show_the_most_confused_ones(calm: Store, run: Run) -> None:
    found = many(tuple(f"class {one:04d}" for one in range(1000)), images=800)
    keep(calm, run, found)
    app = opened(RESULTS, run=run.id)
    option = json.loads(app.get("echarts_chart")[0].proto.spec)["baseOption"]
    assert len(option["xAxis"]["data"]) == 24
    fine(app.multiselect(key="results_classes").set_value([3, 999]).run())
    option = json.loads(app.get("echarts_chart")[0].proto.spec)["baseOption"]
    assert option["xAxis"]["data"] == ["class 0003", "class 0999"]


def test_one_image_is_opened_large_by_the_address(run: Run) -> None:
    found = digits()
    place = int(image_selection.mistakes(found)[0])
    app = opened(RESULTS, run=run.id, image=found.ids[place])
    told = read(app)
    assert f"It is **{found.classes[found.labels[place]]}**" in told
    assert "wrong" in told
    bars = [one.proto.text.replace("\\", "") for one in app.get("progress")]
    assert any(one.endswith("· truth") for one in bars)
    assert "results_image_exclusion" in keys(app)
    opened(RESULTS, run=run.id, image="not there")


def test_a_part_without_images_says_so(calm: Store, run: Run) -> None:
    keep(calm, run, of_shares(np.zeros((0, 10)), np.zeros(0, int), digits().classes))
    assert "No images in this part" in read(opened(RESULTS, run=run.id))


def test_an_older_run_is_offered_to_look_now(calm: Store) -> None:
    old = seed.run(calm, "old", RunState.FINISHED, dataset="digits", epochs=4, per_epoch=5)
    app = opened(RESULTS, run=old.id)
    assert "Its predictions were not kept" in read(app)
    fine(app.button(key="results_make").click().run())
    assert app.query_params["part"] == "validation"


def test_other_images_are_looked_at_on_demand_with_a_bar(calm: Store, run: Run) -> None:
    app = opened(RESULTS, run=run.id, part="train")
    (bar,) = [one.proto.text for one in app.get("progress")]
    assert bar.startswith("digits demo looks at the images")
    assert not app.metric


def test_a_data_set_of_other_classes_is_refused_by_their_names(calm: Store, run: Run) -> None:
    seed_datasets.shapes(calm)
    best = next(one for one in calm.checkpoints.list(run.id) if one.is_best)
    folder = calm.home.run(run.id) / best.path
    save_file({"head.weight": np.zeros((10, 4), np.float32)}, folder / "weights.safetensors")
    Manifest(
        epoch=1,
        step=1,
        classes=digits().classes,
        preprocessing={},
        spec={},
        metrics={},
        files={},
        versions={},
        created_at=0.0,
    ).write(folder)
    told = read(opened(RESULTS, run=run.id, on="shapes"))
    assert "has not learned: circle, cross, hexagon, ring, square and 2 more" in told


def test_runs_without_results_say_why(calm: Store) -> None:
    queued = seed.run(calm, "queued", RunState.QUEUED, dataset="digits", epochs=4, per_epoch=5)
    assert "No results yet" in read(opened(RESULTS, run=queued.id))
    failed = seed.run(calm, "failed", RunState.FAILED, dataset="digits", epochs=4, per_epoch=50, done=0.5)
    assert "No results" in read(opened(RESULTS, run=failed.id))
    assert "This run is not here" in read(opened(RESULTS, run="nothere"))


def test_a_data_set_that_is_gone_leaves_numbers_and_captions(calm: Store) -> None:
    run = seed.run(calm, "of images that are gone", RunState.FINISHED, dataset="gone", epochs=4, per_epoch=5)
    keep(calm, run, digits())
    app = opened(RESULTS, run=run.id, tab="Mistakes")
    assert app.metric[0].label == "Accuracy"
    assert all(one["source"] is None for one in tiles(app))


def test_images_that_took_the_place_of_its_own_are_not_shown_for_them(calm: Store, run: Run) -> None:
    then = {"dataset": {"source_fingerprint": "of the images it learned"}}
    folder = calm.home.run(run.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(then))
    app = opened(RESULTS, run=run.id, tab="Suspect labels")
    assert app.metric[0].label == "Accuracy"
    assert all(one["source"] is None and one.get("is_ticked") is None for one in tiles(app))
    assert not [one for one in app.button if "xclude" in one.label]


def test_a_better_epoch_brings_predictions_of_its_own(calm: Store, run: Run) -> None:
    app = opened(RESULTS, run=run.id)
    before = app.metric[0].value
    best = next(one for one in calm.checkpoints.list(run.id) if one.is_best)
    calm.checkpoints.add(replace(best, epoch=4, path="checkpoints/e0099", sha256="1" * 64, is_best=True))
    keep(calm, run, digits("neighbours"))
    assert fine(app.run()).metric[0].value > before


def test_its_run_page_leads_to_it(calm: Store, run: Run) -> None:
    app = opened(RUN, run=run.id)
    assert "run_results" in keys(app)


def test_what_the_full_home_of_the_pictures_keeps(store: Store) -> None:
    made = seed.full_home(store)
    made |= seed_results.some(store, made)
    for name in ("finished", "first", "second"):  # what a run says of itself and of its images agrees
        app = opened(RESULTS, run=made[name].id)
        assert app.metric[0].value == formatting.percent(made[name].best_value)
