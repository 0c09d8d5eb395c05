"""Figures, folders and pictures of data sets, as plain data."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pages.parts.datasets.badges import tone
from pages.parts.datasets.files import listing, parents
from pages.parts.figures.datasets.channel_values import channel_names, channel_values
from pages.parts.figures.datasets.class_counts import class_counts
from pages.parts.figures.datasets.image_sizes import LARGEST, SMALLEST, image_sizes
from pages.parts.palette import DARK, LIGHT
from pages.parts.widgets.thumbnails import GAP, TILE, contact_sheet, fitted
from storage import Store

LONG = "dog with quite a long name indeed"
FILES = [("train/cat/1.png", 100), ("train/cat/2.png", 300), ("train/dog/1.png", 100), ("about.txt", 500)]


def test_class_counts_stack_parts_and_keep_names_plain() -> None:
    counts = {"validation": {"<b>cat</b>": 2}, "train": {"<b>cat</b>": 7, LONG: 5}}
    figure = class_counts(["<b>cat</b>", LONG], counts, palette=LIGHT)
    assert [bar.name for bar in figure.data] == ["train", "validation"]
    assert list(figure.data[0].x) == [7, 5]
    assert list(figure.data[1].x) == [2, 0]
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;cat&lt;/b&gt;"
    assert figure.layout.yaxis.ticktext[1].endswith("…")


@pytest.mark.parametrize("number", [0, 2, 200])
def test_class_counts_of_none_two_and_many_classes(number: int) -> None:
    classes = [f"분류 {place}" for place in range(number)]
    figure = class_counts(classes, {"all": dict.fromkeys(classes, 3)}, palette=DARK)
    assert list(figure.data[0].x) == [3] * number
    assert not figure.layout.showlegend  # one part needs no key
    assert 160 <= figure.layout.height <= 60 + 24 * 200


def test_image_sizes_are_bubbles_whose_area_is_the_count() -> None:
    figure = image_sizes([[9, 9, 1], [96, 72, 25], [96, 96, 100]], palette=LIGHT)
    drawn = figure.data[0]
    assert list(drawn.x) == [96, 96, 9]  # the largest first, so that it covers none
    assert list(drawn.y) == [96, 72, 9]
    assert list(drawn.customdata) == [100, 25, 1]
    assert list(drawn.marker.size) == [LARGEST, LARGEST / 2, SMALLEST]


@pytest.mark.parametrize(
    ("number", "names"), [(1, ["grey"]), (3, ["red", "green", "blue"]), (5, [f"channel {n}" for n in range(1, 6)])]
)
def test_channels_are_dots_with_one_deviation_to_both_sides(number: int, names: list[str]) -> None:
    figure = channel_values([0.5] * number, [0.25] * number, palette=LIGHT)
    assert channel_names(number) == names == list(figure.layout.yaxis.ticktext)
    assert [list(one.x) for one in figure.data] == [[0.5]] * number
    assert [list(one.error_x.array) for one in figure.data] == [[0.25]] * number


def test_a_folder_lists_its_folders_first_and_what_they_weigh() -> None:
    top = listing(FILES, "")
    assert top["name"].tolist() == ["train", "about.txt"]
    assert top["is_folder"].tolist() == [True, False]
    assert top["files"].tolist() == [3, 1]
    assert top["bytes"].tolist() == [500, 500]
    assert top["share"].tolist() == [50, 50]
    assert listing(FILES, "train")["name"].tolist() == ["cat", "dog"]
    assert listing(FILES, "train/cat")["bytes"].tolist() == [100, 300]
    assert listing(FILES, "nowhere").empty
    assert listing([("train/a", 0)], "train")["share"].tolist() == [0]


def test_the_way_to_a_folder() -> None:
    assert parents("") == [""]
    assert parents("train/cat") == ["", "train", "train/cat"]


def test_pictures_become_squares_and_few_pixels_no_blur() -> None:
    image = Image.fromarray(np.array([[0, 255]], np.uint8))
    large = np.asarray(fitted(image, 100))
    assert large.shape == (100, 100, 4)
    assert set(large[25:75, :, 0].ravel()) == {0, 255}
    assert not large[:24, :, 3].any()  # above it one sees through
    assert 0 < np.asarray(fitted(image, 100, is_faint=True))[..., 3].max() < 100


def test_a_sheet_is_drawn_anew_when_its_files_are_others(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    Image.new("L", (8, 8), 0).save(path)
    first = contact_sheet([path] * 3, columns=2)
    assert first.size == (2 * TILE + GAP, 2 * TILE + GAP)
    Image.new("L", (8, 8), 255).save(path)
    assert first.getpixel((5, 5))[0] == 0
    assert contact_sheet([path] * 3, columns=2).getpixel((5, 5))[0] == 255


def test_tones(store: Store) -> None:
    assert tone(store.datasets.get("digits")) == "grey"
