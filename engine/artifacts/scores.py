"""What predictions come to: scores of each class, calibration, the classes that are confused.

Plain numpy, tested against scikit-learn, whose import takes a second. In every matrix a row is the true class and a
column what it was taken for.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.artifacts.predictions import Predictions

BINS = 10  # of confidence


@dataclass(frozen=True, slots=True)
class Scores:
    """A number a class, each (classes,); NaN where nothing can be said: the precision of a class never guessed, the
    recall and F1 of one without images."""

    images: np.ndarray  # of the class
    guessed: np.ndarray  # taken for the class
    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray

    @property
    def macro_f1(self) -> float:
        """Over classes that have images; 0 without any. What was only guessed has nothing that could be found."""
        known = self.f1[~np.isnan(self.f1)]
        return float(known.mean()) if len(known) else 0.0

    @property
    def weakest(self) -> int | None:
        """The class with the lowest F1 of those that have images; None without any."""
        here = np.flatnonzero(self.images)
        return int(here[np.argmin(self.f1[here])]) if len(here) else None


def scores(confusion: np.ndarray) -> Scores:
    """Scores of a confusion matrix, (classes, classes) int64: rows are true classes, columns guesses."""
    right, images, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):
        f1 = np.where(images > 0, 2 * right / (images + guessed), np.nan)
        return Scores(images, guessed, right / guessed, right / images, f1)


def results(found: Predictions) -> dict[str, Any]:
    """As plain values. A score that nothing can be said about is None."""
    matrix, k = found.confusion, found.top_k
    by_class = scores(matrix)
    rows = zip(found.classes, by_class.images, by_class.precision, by_class.recall, by_class.f1, strict=True)
    return {
        "run": found.run,
        "epoch": found.epoch,
        "dataset": found.dataset,
        "part": found.part,
        "images": len(found.labels),
        "accuracy": found.accuracy,
        **({f"top_{k}_accuracy": found.top(k)} if k else {}),
        "classes": [
            {"name": name, "images": int(images), "precision": _said(p), "recall": _said(r), "f1": _said(f)}
            for name, images, p, r, f in rows
        ],
        "confusion": matrix.tolist(),  # [true][guessed]
        "calibration_error": calibration(found).error,
    }


def _said(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often it is right where it is so sure. Arrays have one entry a bin of confidence, (BINS,)."""

    images: np.ndarray
    confidence: np.ndarray  # mean of the bin's images; NaN in an empty bin
    accuracy: np.ndarray  # of the bin's images; NaN in an empty bin
    error: float  # expected calibration error: mean distance of the two, weighted by images
    excess: float  # mean confidence minus accuracy over all: above 0 it is surer than it is right


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """Images of one class that were taken for another."""

    true: int
    guess: int
    images: int
    share: float  # of the true class


def rates(matrix: np.ndarray) -> np.ndarray:
    """Each row of a confusion matrix, (classes, classes) int64, as shares of its class, (classes, classes) float64.

    A class without images has a row of zeros.
    """
    images = matrix.sum(axis=1, keepdims=True)
    return np.divide(matrix, images, out=np.zeros(matrix.shape), where=images != 0)


def calibration(found: Predictions, bins: int = BINS) -> Calibration:
    """Images by their confidence, in `bins` of one width; a confidence on an edge belongs below it."""
    sure, correct = found.shares[:, 0].astype(np.float64), found.right
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], sure)
    images = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, weights=sure, minlength=bins) / images
        share = np.bincount(place, weights=correct, minlength=bins) / images
    apart = np.nan_to_num(np.abs(confidence - share)) * images
    all_images = max(1, len(sure))
    excess = float(sure.sum() - correct.sum()) / all_images
    return Calibration(images, confidence, share, float(apart.sum()) / all_images, excess)


def confused_pairs(matrix: np.ndarray, most: int) -> list[ConfusedPair]:
    """At most `most` pairs of a confusion matrix, (classes, classes) int64: those with most images first.

    Of as many, the larger share of its class comes first.
    """
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    share = rates(matrix)
    true, guess = np.nonzero(wrong)
    order = np.lexsort((guess, true, -share[true, guess], -wrong[true, guess]))[:most]
    cells = zip(true[order].tolist(), guess[order].tolist(), strict=True)
    return [ConfusedPair(*cell, int(wrong[cell]), float(share[cell])) for cell in cells]


def most_confused(matrix: np.ndarray, most: int) -> list[int]:
    """At most so many classes of a confusion matrix, (classes, classes) int64, in their order: those of the most
    confused pairs, then those with most errors.

    Taken pair by pair, because the classes with most errors alone may hardly ever be confused with each other.
    """
    number = len(matrix)
    if number <= most:
        return list(range(number))
    errors = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
    ranked = [label for pair in confused_pairs(matrix, 4 * most) for label in (pair.true, pair.guess)]
    ranked += np.argsort(-errors, kind="stable").tolist()
    return sorted(list(dict.fromkeys(ranked))[:most])


def taken_for(matrix: np.ndarray, label: int) -> tuple[int, int] | None:
    """What a class is most often taken for when it is missed, and how often, by a confusion matrix, (classes, classes)
    int64; None: it never is."""
    others = matrix[label].copy()
    others[label] = 0
    guess = int(np.argmax(others))
    return (guess, int(others[guess])) if others[guess] else None
