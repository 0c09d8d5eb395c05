"""The Data sets page: its list, its views of one data set, what its clicks ask for."""

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import api
from storage import Dataset, RunState, Store
from tests.pages import seed
from tests.pages.pages import DATASETS, fine, keys, opened, read

KOREAN = "한국 전통 문양: 오래된 기와와 단청 사진을 모은 아주 긴 이름의 데이터 모음"


def open_requests(store: Store) -> list[tuple[str, str]]:
    return [(request.kind, request.target) for request in store.requests.open()]


def view(name: str, dataset: str = "shapes") -> AppTest:
    return opened(DATASETS, dataset=dataset, view=name)


def way_in(app: AppTest, way: str) -> AppTest:
    if "datasets_add_open" in keys(app):
        fine(app.button(key="datasets_add_open").click().run())
    return fine(app.segmented_control(key="datasets_way").set_value(way).run())


def click(app: AppTest, key: str) -> AppTest:
    return fine(app.button(key=key).click().run())


def button_of(app: AppTest, label: str, within: str = "") -> str:
    """The key of the first button with this label whose key has `within` in it."""
    return next(one.key for one in app.button if one.label == label and within in (one.key or ""))


# The list


def test_an_empty_home_opens_with_the_form(calm: Store) -> None:
    app = opened(DATASETS)
    assert app.segmented_control(key="datasets_way").value == "Upload a zip"
    assert {"datasets_open_digits", "datasets_add_close"} <= keys(app)
    click(app, "datasets_add_close")
    assert "datasets_add_open" in keys(app)


def test_a_card_tells_what_is_in_and_what_is_wrong_and_opens(shapes: Dataset) -> None:
    app = opened(DATASETS)
    assert "262 images · 7 classes · 96 × 96 px, colour" in read(app)
    assert "6 findings" in read(app)
    click(app, "datasets_open_shapes")
    assert app.title[0].value == "shapes"
    assert app.query_params["dataset"] == "shapes"
    click(app, "datasets_back")
    assert app.title[0].value == "Data sets"


def test_forty_data_sets_are_paged_and_searched(calm: Store) -> None:
    digits = calm.datasets.get("digits")
    for number in range(38):
        calm.datasets.add(replace(digits, id=f"trip-{number}", name=f"field trip {number}", created_at=float(number)))
    calm.datasets.add(replace(digits, id="k", name=KOREAN, classes=("기와",), created_at=99.0))
    app = opened(DATASETS)
    opens = [key for key in keys(app) if key.startswith("datasets_open_")]
    assert len(opens) == 12
    assert "datasets_open_k" in opens
    fine(app.text_input(key="datasets_search").set_value("TRIP 17").run())
    assert [key for key in keys(app) if key.startswith("datasets_open_")] == ["datasets_open_trip-17"]
    fine(app.text_input(key="datasets_search").set_value("기와").run())  # a class
    assert [key for key in keys(app) if key.startswith("datasets_open_")] == ["datasets_open_k"]
    fine(app.text_input(key="datasets_search").set_value("unicorn").run())
    assert "No data set fits" in read(app)


def test_an_address_that_leads_nowhere_is_met_kindly(calm: Store) -> None:
    app = opened(DATASETS, dataset="<b>")
    assert "This data set is not here" in read(app)
    assert "<b> may have been deleted" in read(app)
    click(app, "datasets_back")
    assert app.title[0].value == "Data sets"


# Ways in


def test_what_is_wrong_with_a_path_or_name_stands_beside_it(calm: Store, tmp_path: Path) -> None:
    app = way_in(opened(DATASETS), "On this machine")
    app.text_input(key="datasets_path").set_value(str(tmp_path / "nowhere")).run()
    click(app, "datasets_import")
    assert "There is no such folder or file on this machine" in read(app)
    fine(app.text_input(key="datasets_path").set_value("").run())
    click(app, "datasets_import")
    assert "Give the path" in read(app)
    app.text_input(key="datasets_path").set_value(str(tmp_path)).run()
    app.text_input(key="datasets_path_name").set_value("digits").run()
    click(app, "datasets_import")
    assert "Is taken by another data set" in read(app)
    assert not calm.requests.open()


def test_a_folder_is_left_where_it_is_unless_a_copy_is_asked_for(calm: Store, tmp_path: Path) -> None:
    app = way_in(opened(DATASETS), "On this machine")
    for name, copy in (("left", False), ("taken", True)):
        app.text_input(key="datasets_path").set_value(str(tmp_path)).run()
        app.text_input(key="datasets_path_name").set_value(name).run()
        app.toggle(key="datasets_copy").set_value(copy).run()
        click(app, "datasets_import")
    assert [bool(request.payload.get("copy")) for request in calm.requests.open()] == [False, True]


def test_torchvisions_data_sets_are_told_searched_and_fetched_once(calm: Store, tmp_path: Path) -> None:
    app = way_in(opened(DATASETS), "Ready-made")
    for kind in ("mnist", "fashion_mnist", "cifar10", "cifar100", "svhn", "flowers102", "food101"):
        label = api.DATASET_KINDS[kind].label
        fine(app.text_input(key="datasets_kind_search").set_value(label).run())
        assert f"datasets_fetch_{kind}" in keys(app)
        assert f"**{label}**" in read(app)
    fine(app.text_input(key="datasets_kind_search").set_value("flowers").run())
    assert {key for key in keys(app) if key.startswith("datasets_fetch_")} == {"datasets_fetch_flowers102"}
    click(app, "datasets_fetch_flowers102")
    assert app.button(key="datasets_fetch_flowers102").disabled
    assert len(calm.requests.open()) == 1


def test_files_that_lie_here_are_taken_up(calm: Store, tmp_path: Path) -> None:
    app = way_in(opened(DATASETS), "Ready-made")
    click(app, "datasets_take_mnist")
    assert "Give the folder in which the files lie." in read(app)
    app.text_input(key="datasets_folder_of_mnist").set_value(str(tmp_path)).run()
    click(app, "datasets_take_mnist")
    shown = [str(value) for request in calm.requests.open() for value in request.payload.values()]
    assert str(tmp_path) in shown or "files" in read(app)


def test_an_import_shows_its_progress_and_a_refusal_its_words(calm: Store) -> None:
    request = calm.requests.add("import_dataset", "flowers", {"name": "flowers", "source": "/f.zip"})
    calm.requests.update(request.id, state="running", progress=0.4, message="decoding images", eta_s=30.0)
    refused = calm.requests.add("import_dataset", "bad", {"name": "bad", "source": "/b.zip"})
    calm.requests.finish(refused.id, "refused", "The class folder rose holds no image.")
    calm.requests.finish(
        calm.requests.add("import_dataset", "f", {"name": "f"}).id, "refused", "Put a from http://b/c-d, now."
    )
    app = opened(DATASETS)
    assert "Put a from `http://b/c-d`, now." in read(app)
    bar = app.get("progress")[0].proto
    assert bar.text == "Importing flowers · decoding images · about 30 s left"
    assert "**bad** was not imported. The class folder rose holds no image." in read(app)
    click(app, f"datasets_dismiss_{refused.id}")
    assert "**bad** was not imported" not in read(app)


# Look


def test_look_shows_counts_samples_sizes_and_what_the_import_said(shapes: Dataset) -> None:
    app = view("Look")
    shown = read(app)
    assert "From 16 (ring) to 55 (circle)." in shown
    assert "circle · 55" in shown
    assert "Exact repeats of other images: 4" in shown
    assert len(app.get("plotly_chart")) == 3  # counts, sizes, channels
    assert "the median is 96 × 96" in shown


def test_a_data_set_without_a_scan_looks_all_the_same(calm: Store) -> None:
    app = view("Look", "digits")
    assert len(app.get("plotly_chart")) == 1
    assert "measured by a scan" in read(app)
    assert "datasets_delete" not in keys(app)  # it comes with Thaw


@pytest.mark.parametrize("number", [0, 2, 200])
def test_look_bears_any_number_of_classes(calm: Store, number: int) -> None:
    classes = tuple(f"class {place}" for place in range(number))
    digits = calm.datasets.get("digits")
    calm.datasets.add(replace(digits, id="x", name="x", classes=classes, counts={"all": {name: 5 for name in classes}}))
    app = view("Look", "x")
    assert app.title[0].value == "x"
    assert ("Balanced" in read(app)) == (number > 0)


def test_all_images_of_a_class_are_looked_through_and_one_is_excluded(calm: Store, shapes: Dataset) -> None:
    app = view("Look")
    click(app, "datasets_browse_ring")
    assert "16 images" in read(app)
    click(app, button_of(app, "Exclude", "train/ring"))
    assert calm.datasets.get("shapes").images == shapes.images - 1


def test_notes_are_written_kept_and_shown(calm: Store, shapes: Dataset) -> None:
    app = view("Look")
    click(app, "datasets_edit")
    fine(app.text_area(key="datasets_about").set_value("From the **old** mill.").run())
    click(app, "datasets_about_save")
    assert calm.datasets.get("shapes").about == "From the **old** mill."
    assert "From the **old** mill." in read(view("Look"))
    click(app, "datasets_edit")
    fine(app.text_area(key="datasets_about").set_value("something else").run())
    click(app, "datasets_about_cancel")
    assert calm.datasets.get("shapes").about == "From the **old** mill."


# Files


def test_folders_are_walked_into_and_back(shapes: Dataset) -> None:
    app = view("Files")
    assert {"datasets_into_/train", "datasets_into_/validation"} <= keys(app)
    click(app, "datasets_into_/train")
    click(app, "datasets_into_train/ring")
    table = app.dataframe[0].value
    assert len(table) == 8
    assert table["share"].sum() == pytest.approx(100)
    click(app, "datasets_folder_")
    assert "datasets_into_/train" in keys(app)


def test_a_data_set_without_files_says_so(calm: Store) -> None:
    assert "No files of its own" in read(view("Files", "digits"))


# Deleting


def test_deleting_a_data_set(store: Store) -> None:
    seed.full_home(store)
    app = opened(DATASETS, dataset="shapes")
    click(app, "datasets_delete")
    assert open_requests(store) == []  # runs that are not over use it
    for run in store.runs.list(states=[state for state in RunState if not state.is_over]):
        store.runs.delete(run.id)
    click(app, "datasets_delete")
    assert open_requests(store) == [("delete_dataset", "shapes")]
    assert app.title[0].value == "Data sets"
