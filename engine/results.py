"""What predictions come to, class by class. Plain numpy, tested against scikit-learn, whose import takes a second."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.predictions import Predictions


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


def scores(confusion: np.ndarray) -> Scores:
    """Of a matrix whose rows are true classes and whose columns are guesses, (classes, classes)."""
    right, images, guessed = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    with np.errstate(invalid="ignore"):
        f1 = np.where(images > 0, 2 * right / (images + guessed), np.nan)
        return Scores(images, guessed, right / guessed, right / images, f1)


def results(found: Predictions) -> dict[str, Any]:
    """As plain values. A score that nothing can be said about is None."""
    matrix, k = found.confusion, found.guesses.shape[1]
    by_class = scores(matrix)
    rows = zip(found.classes, by_class.images, by_class.precision, by_class.recall, by_class.f1, strict=True)
    return {
        "run": found.run,
        "epoch": found.epoch,
        "dataset": found.dataset,
        "part": found.part,
        "images": len(found.labels),
        "accuracy": found.accuracy,
        f"top_{k}_accuracy": found.top(k),
        "classes": [
            {"name": name, "images": int(images), "precision": _said(p), "recall": _said(r), "f1": _said(f)}
            for name, images, p, r, f in rows
        ],
        "confusion": matrix.tolist(),  # [true][guessed]
    }


def _said(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
