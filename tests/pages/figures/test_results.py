"""What the figures of results draw: every tile is a cell of the matrix, every bar a bin."""

from dataclasses import replace

import numpy as np
import pytest

from engine import api
from engine.artifacts import scores
from pages.parts.analysis.results import changes
from pages.parts.analysis.results.tables import images_table, pairs_table, scores_table
from pages.parts.figures.results.confusion import FAINT, cells, confusion_map
from pages.parts.figures.results.confusion_change import confusion_change, signed
from pages.parts.figures.results.reliability import reliability
from pages.parts.palette import DARK, LIGHT, Palette
from tests.pages.seed_results import digits, of_shares

FOUND = digits()
MATRIX = FOUND.confusion
NAMES = FOUND.classes
HOSTILE = ("<img src=x onerror=alert(1)>", "고양이 (집에서 기르는 작은 동물)", "{b}")


def drawn(matrix: np.ndarray, names: tuple[str, ...], shown: list[int] | None = None, **options: object) -> dict:
    options = {"as_rates": False, "chosen": None, "palette": LIGHT} | options
    return confusion_map(matrix, names, shown or list(range(len(names))), **options)["baseOption"]


def grid(option: dict, size: int) -> np.ndarray:
    """The numbers of the tiles as a matrix."""
    made = np.zeros((size, size))
    for one in option["series"][0]["data"]:
        x, y, value, _ = one["value"]
        made[y, x] = value
    return made


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_tiles_are_the_cells_of_the_matrix(palette: Palette) -> None:
    option = drawn(MATRIX, NAMES, palette=palette)
    assert (grid(option, 10) == MATRIX).all()
    tiles, ground = option["series"][:2]
    assert len(tiles["data"]) + len(ground["data"]) == 100
    assert tiles["data"][0]["name"].startswith("0, recognised: ")
    assert [tuple(one["value"][1::-1]) for one in tiles["data"]] == cells(MATRIX, range(10))


def test_rates_are_shares_of_true_classes_in_per_cent() -> None:
    option = drawn(MATRIX, NAMES, as_rates=True)
    assert grid(option, 10) == pytest.approx(100 * scores.rates(MATRIX), abs=0.01)
    texts = [one["label"]["formatter"] for one in option["series"][0]["data"]]
    assert all(text.endswith("%") for text in texts)
    assert "100%" not in texts  # nothing is rounded up to all


def test_right_and_wrong_have_colours_of_their_own_as_strong_as_they_are_many() -> None:
    matrix = np.array([[90, 10, 0], [1, 98, 1], [0, 0, 100]])
    tones = {tuple(one["value"][:2]): one["value"][3] for one in drawn(matrix, ("a", "b", "c"))["series"][0]["data"]}
    assert tones[2, 2] == 1
    assert tones[1, 0] == -1  # x is the guess, y the truth
    assert -FAINT - 0.1 < tones[0, 1] < -FAINT
    gentle = np.array([[99, 1], [0, 100]])
    assert drawn(gentle, ("a", "b"))["series"][0]["data"][1]["value"][3] > -0.5  # one of a hundred is no drama


def test_a_part_of_the_classes_has_their_cells_alone() -> None:
    option = drawn(MATRIX, NAMES, [1, 8, 9], chosen=(8, 1))
    assert (grid(option, 3) == MATRIX[np.ix_([1, 8, 9], [1, 8, 9])]).all()
    assert option["xAxis"]["data"] == ["1", "8", "9"]
    assert option["series"][2]["data"] == [[0, 1, 0]]  # the frame
    assert drawn(MATRIX, NAMES, [1, 8], chosen=(0, 1))["series"][2]["data"] == []


@pytest.mark.parametrize("number", [2, 20, 30])
def test_few_and_many_classes(number: int) -> None:
    draw = np.random.default_rng(number)
    matrix = draw.integers(0, 2000, (number, number))
    option = drawn(matrix, tuple(f"class {one}" for one in range(number)))
    assert (grid(option, number) == matrix).all()


def test_hostile_names_go_where_the_chart_escapes_them() -> None:
    option = drawn(np.eye(3, dtype=int), HOSTILE)
    assert option["yAxis"]["data"] == list(HOSTILE)
    assert option["tooltip"]["formatter"] == "{b}"  # names are escaped in it, and never a template themselves
    assert all(one["label"]["formatter"] == "1" for one in option["series"][0]["data"])


def test_a_change_is_what_came_less_what_left() -> None:
    first, second = digits("bayes"), digits("neighbours")
    came, left = changes.moved(first, second)
    apart = second.confusion - first.confusion
    option = confusion_change(came, left, NAMES, range(10), chosen=None, palette=LIGHT)["baseOption"]
    assert (grid(option, 10) == apart).all()
    assert (came - left == apart).all()
    assert came.sum() == left.sum() == (first.guesses[:, 0] != second.guesses[:, 0]).sum()
    for one in option["series"][0]["data"]:
        x, y, net, tone = one["value"]
        assert np.sign(tone) == np.sign(net if x == y else -net)  # good is good wherever it stands


def test_signs() -> None:
    assert [signed(number) for number in (5, 0, -3, 1200)] == ["+5", "0", "−3", "+1,200"]


def test_bars_of_reliability_are_the_bins_that_hold_images() -> None:
    found = scores.calibration(FOUND)
    figure = reliability(found.images, found.confidence, found.accuracy, palette=LIGHT)
    filled = found.images > 0
    assert list(figure.data[0].y) == pytest.approx(100 * found.accuracy[filled])
    assert list(figure.data[3].y) == found.images[filled].tolist()
    ends = np.array(figure.data[1].base) + np.array(figure.data[1].y)
    assert ends == pytest.approx(100 * found.confidence[filled])
    none = scores.calibration(of_shares(np.zeros((0, 2)), np.zeros(0, int), ("a", "b")))
    empty = reliability(none.images, none.confidence, none.accuracy, palette=DARK)
    assert len(empty.data[0].y) == 0


def test_tables_say_what_the_matrix_says() -> None:
    table = scores_table(MATRIX, NAMES)
    assert table["images"].sum() == MATRIX.sum()
    assert table["missed"].sum() == table["falsely"].sum() == MATRIX.sum() - np.trace(MATRIX)
    unseen = scores_table(np.diag([5, 0]), ("a", ":material/delete: b"))
    assert unseen["recall"].isna().tolist() == [False, True]  # no class is bad for want of images
    assert ":material/" not in unseen["class"][1]
    pairs = scores.confused_pairs(MATRIX, 3)
    assert pairs_table(pairs, NAMES)["images"].tolist() == [str(pair.images) for pair in pairs]
    images = images_table(FOUND, np.array([3, 0]))
    assert images["image"].tolist() == [FOUND.ids[3], FOUND.ids[0]]
    assert images["label"].tolist() == [NAMES[FOUND.labels[3]], NAMES[FOUND.labels[0]]]
    thirds = replace(FOUND, shares=np.full_like(FOUND.shares, 1 / 3), of_label=np.full_like(FOUND.of_label, 1 / 3))
    written = api.as_csv(images_table(thirds, np.array([0])).to_dict("list")).decode()
    assert written.rstrip().endswith(",0.333333,0.333333")
