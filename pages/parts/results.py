"""What predictions come to: calibration, the classes that are confused. Pure numpy, tested against scikit-learn.

In every matrix a row is the true class and a column what it was taken for.
"""

from dataclasses import dataclass

import numpy as np

from engine import Predictions, Scores

BINS = 10  # of confidence


@dataclass(frozen=True, slots=True)
class Calibration:
    """How often it is right where it is so sure. Arrays have one entry a bin of confidence, (BINS,)."""

    images: np.ndarray
    confidence: np.ndarray  # mean of the bin's images; NaN in an empty bin
    accuracy: np.ndarray  # of the bin's images; NaN in an empty bin
    error: float  # expected calibration error: mean distance of the two, weighted by images
    excess: float  # mean confidence minus accuracy over all: above 0 it is surer than it is right


@dataclass(frozen=True, slots=True)
class Pair:
    """Images of one class that were taken for another."""

    true: int
    guess: int
    images: int
    share: float  # of the true class


def rates(matrix: np.ndarray) -> np.ndarray:
    """Each row as shares of its class; a class without images has a row of zeros."""
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


def confused_pairs(matrix: np.ndarray, most: int) -> list[Pair]:
    """The pairs with most images first, of as many the larger share of its class first."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    share = rates(matrix)
    true, guess = np.nonzero(wrong)
    order = np.lexsort((guess, true, -share[true, guess], -wrong[true, guess]))[:most]
    cells = zip(true[order].tolist(), guess[order].tolist(), strict=True)
    return [Pair(*cell, int(wrong[cell]), float(share[cell])) for cell in cells]


def most_confused(matrix: np.ndarray, most: int) -> list[int]:
    """At most so many classes, in their order: those of the most confused pairs, then those with most errors.

    Taken pair by pair, because the classes with most errors alone may hardly ever be confused with each other.
    """
    number = len(matrix)
    if number <= most:
        return list(range(number))
    errors = matrix.sum(axis=0) + matrix.sum(axis=1) - 2 * np.diag(matrix)
    ranked = [label for pair in confused_pairs(matrix, 4 * most) for label in (pair.true, pair.guess)]
    ranked += np.argsort(-errors, kind="stable").tolist()
    return sorted(list(dict.fromkeys(ranked))[:most])


def weakest(found: Scores) -> int | None:
    """The class with the lowest F1 of those that have images; None without any."""
    here = np.flatnonzero(found.images)
    return int(here[np.argmin(found.f1[here])]) if len(here) else None


def taken_for(matrix: np.ndarray, label: int) -> tuple[int, int] | None:
    """What a class is most often taken for when it is missed, and how often; None: it never is."""
    others = matrix[label].copy()
    others[label] = 0
    guess = int(np.argmax(others))
    return (guess, int(others[guess])) if others[guess] else None
