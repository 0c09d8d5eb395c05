"""Confusion, scores, calibration and lists of images agree with scikit-learn and with each other."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from engine import api
from engine.api import Predictions
from engine.artifacts import scores as results
from pages.parts.analysis.results import changes, image_selection
from tests.pages.seed_results import digits, of_shares

FOUND = digits()
GUESSES = FOUND.guesses[:, 0]
MATRIX = FOUND.confusion


def sparse(classes: int = 7, images: int = 40) -> Predictions:
    """Few images of many classes: some have none, some are never guessed."""
    draw = np.random.default_rng(1)
    shares = draw.dirichlet(np.full(classes, 0.3), images)
    names = tuple(f"class {one}" for one in range(classes))
    return of_shares(shares, draw.integers(0, classes - 2, images), names)


def none() -> Predictions:
    return of_shares(np.zeros((0, 3)), np.zeros(0, int), ("a", "b", "c"))


def test_the_matrix_is_that_of_scikit_learn() -> None:
    assert (metrics.confusion_matrix(FOUND.labels, GUESSES) == MATRIX).all()
    normalised = metrics.confusion_matrix(FOUND.labels, GUESSES, normalize="true")
    assert results.rates(MATRIX) == pytest.approx(normalised)


@pytest.mark.parametrize("found", [FOUND, sparse()], ids=["digits", "sparse"])
def test_scores_of_classes_are_those_of_scikit_learn(found: Predictions) -> None:
    ours, guesses = api.scores(found.confusion), found.guesses[:, 0]
    labels = range(len(found.classes))
    theirs = metrics.precision_recall_fscore_support(found.labels, guesses, labels=labels, zero_division=np.nan)
    theirs[2][theirs[3] == 0] = np.nan  # no image of the class: nothing there to find
    for mine, reference in zip((ours.precision, ours.recall, ours.f1, ours.images), theirs, strict=True):
        assert mine == pytest.approx(reference, nan_ok=True)
    here = np.unique(found.labels)
    macro = metrics.f1_score(found.labels, guesses, labels=here, average="macro", zero_division=0)
    assert ours.macro_f1 == pytest.approx(macro)
    assert ours.macro_f1 >= np.nanmin(ours.f1)
    assert found.accuracy == pytest.approx(metrics.accuracy_score(found.labels, guesses))


@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_is_that_of_scikit_learn(k: int) -> None:
    draw = np.random.default_rng(0)
    shares, labels = draw.dirichlet(np.ones(10), 500), draw.integers(0, 10, 500)
    theirs = metrics.top_k_accuracy_score(labels, shares, k=k, labels=range(10))
    assert of_shares(shares, labels, tuple("abcdefghij")).top(k) == pytest.approx(theirs)


def test_calibration_is_that_of_scikit_learn() -> None:
    found = results.calibration(digits("neighbours"))
    sure, correct = digits("neighbours").shares[:, 0], digits("neighbours").right
    accuracy, confidence = calibration_curve(correct, sure, n_bins=results.BINS)
    filled = found.images > 0
    assert found.accuracy[filled] == pytest.approx(accuracy)
    assert found.confidence[filled] == pytest.approx(confidence)
    assert found.images.sum() == len(sure)
    weighted = found.images[filled] @ np.abs(accuracy - confidence) / len(sure)
    assert found.error == pytest.approx(weighted)
    assert found.excess == pytest.approx(sure.mean() - correct.mean())


def test_every_cell_opens_as_many_images_as_its_number_the_surest_first() -> None:
    for true in range(10):
        for guess in range(10):
            behind = image_selection.of_cell(FOUND, true, guess)
            assert len(behind) == MATRIX[true, guess]
            assert (FOUND.labels[behind] == true).all() and (GUESSES[behind] == guess).all()
            assert (np.diff(FOUND.shares[behind, 0]) <= 0).all()


def test_what_a_class_misses_and_takes_in_adds_up_to_its_row_and_column() -> None:
    scores = api.scores(MATRIX)
    for label in range(10):
        assert len(image_selection.missed(FOUND, label)) == scores.images[label] - MATRIX[label, label]
        assert len(image_selection.falsely_called(FOUND, label)) == scores.guessed[label] - MATRIX[label, label]


def test_pairs_are_the_matrix_without_its_diagonal_most_images_first() -> None:
    pairs = results.confused_pairs(MATRIX, 1000)
    assert sum(pair.images for pair in pairs) == MATRIX.sum() - np.trace(MATRIX)
    assert [pair.images for pair in pairs] == sorted((pair.images for pair in pairs), reverse=True)
    first = pairs[0]
    assert first.share == pytest.approx(first.images / MATRIX[first.true].sum())
    assert results.taken_for(MATRIX, first.true) == (first.guess, first.images)
    assert results.taken_for(np.diag([3, 4]), 0) is None


def test_a_matrix_of_many_classes_is_cut_to_those_most_confused() -> None:
    draw = np.random.default_rng(5)
    matrix = np.diag(draw.integers(40, 60, 1000))
    matrix[700, 12] = 30
    matrix[12, 700] = 9
    matrix[3, 999] = 8
    assert results.most_confused(matrix, 4) == [3, 12, 700, 999]
    assert len(results.most_confused(matrix, 24)) == 24
    assert results.most_confused(MATRIX, 24) == list(range(10))


def test_mistakes_and_doubts_are_ordered_by_how_bad_they_are() -> None:
    wrong = image_selection.mistakes(FOUND)
    assert len(wrong) == MATRIX.sum() - np.trace(MATRIX)
    assert (np.diff(FOUND.of_label[wrong]) >= 0).all()
    doubted = image_selection.uncertain(FOUND)
    assert (np.diff(FOUND.shares[doubted, 0] - FOUND.shares[doubted, 1]) >= 0).all()
    assert sorted(doubted) == sorted(image_selection.mixed(FOUND)) == list(range(900))
    assert set(image_selection.mixed(FOUND, 4)) == set(np.flatnonzero(FOUND.labels == 4))


def test_labels_that_were_swapped_are_suspected() -> None:
    """A good classifier and 20 labels that are wrong on purpose: nearly all of them are found, and little else."""
    good = digits("neighbours")
    swapped = np.random.default_rng(2).choice(900, 20, replace=False)
    labels = good.labels.copy()
    labels[swapped] = (labels[swapped] + 1) % 10
    shares = np.zeros((900, 10))
    np.put_along_axis(shares, good.guesses, good.shares, axis=1)
    found = image_selection.suspects(of_shares(shares, labels, good.classes))
    assert len(set(found) & set(swapped)) >= 17
    assert len(set(found) - set(swapped)) <= len(image_selection.mistakes(good))
    confidently = image_selection.suspects(good)
    assert set(confidently) <= set(image_selection.mistakes(good))


def test_nothing_is_no_trouble() -> None:
    nothing = none()
    matrix = nothing.confusion
    assert matrix.sum() == 0
    assert api.scores(matrix).macro_f1 == nothing.accuracy == nothing.top(2) == 0
    assert results.calibration(nothing).error == 0
    assert api.scores(matrix).weakest is None
    assert [
        len(one(nothing))
        for one in (
            image_selection.mistakes,
            image_selection.uncertain,
            image_selection.suspects,
            image_selection.mixed,
        )
    ] == [0] * 4


def test_changes_part_all_images_in_four() -> None:
    first, second = changes.on_same_images([digits("bayes"), digits("neighbours")])
    found = changes.changes(first, second)
    four = [found.fixed, found.broken, found.both_wrong, found.both_right]
    assert sorted(np.concatenate(four)) == list(range(900))
    assert len(found.fixed) - len(found.broken) == second.right.sum() - first.right.sum()
    assert not first.right[found.fixed].any() and second.right[found.fixed].all()


def test_only_images_that_both_saw_are_compared_in_one_order() -> None:
    first = digits("bayes")
    fewer = changes.on_same_images([digits("neighbours"), first])[0]
    mixed = np.random.default_rng(3).permutation(900)[:300]
    ids = [fewer.ids[place] for place in mixed]
    shuffled = of_shares(np.eye(10)[fewer.guesses[mixed, 0]], fewer.labels[mixed], fewer.classes, ids)
    left, right = changes.on_same_images([first, shuffled])
    assert left.ids == right.ids and len(left.ids) == 300
    assert (left.labels == right.labels).all()
    with pytest.raises(ValueError, match="different classes"):
        changes.on_same_images([first, none()])


def test_a_cells_change_is_what_came_less_what_left() -> None:
    first, second = digits("bayes"), digits("neighbours")
    apart = second.confusion - first.confusion
    for true in range(10):
        for guess in range(10):
            came, left = changes.came_and_left(first, second, true, guess)
            assert len(came) - len(left) == apart[true, guess]
            assert not set(came) & set(left)


def test_disputed_images_come_first_where_runs_are_split() -> None:
    runs = changes.on_same_images([digits("bayes"), digits("neighbours")])
    disputed = changes.most_disputed(runs)
    assert set(disputed) == set(np.flatnonzero(runs[0].guesses[:, 0] != runs[1].guesses[:, 0]))
