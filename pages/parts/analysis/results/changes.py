"""Two runs on the same images: what the second puts right and what it spoils. Pure numpy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.api import Predictions


@dataclass(frozen=True, slots=True)
class Changes:
    """Positions of images, int64, by what two runs make of them."""

    fixed: np.ndarray  # wrong in the first, right in the second
    broken: np.ndarray  # right in the first, wrong in the second
    both_wrong: np.ndarray
    both_right: np.ndarray


def on_same_images(found: Sequence[Predictions]) -> list[Predictions]:
    """The rows of the images that all of them saw with one label, in one order.

    Raises:
        ValueError: Their classes differ.
    """
    if len({one.classes for one in found}) > 1:
        raise ValueError("They know different classes.")
    shared = set(found[0].ids).intersection(*(one.ids for one in found[1:]))
    aligned = [one.of_images([one_id for one_id in found[0].ids if one_id in shared]) for one in found]
    alike = np.all([one.labels == aligned[0].labels for one in aligned], axis=0)
    ids = [one_id for one_id, is_alike in zip(aligned[0].ids, alike, strict=True) if is_alike]
    return [one.of_images(ids) for one in aligned]


def changes(first: Predictions, second: Predictions) -> Changes:
    """Of two that saw the same images in one order; the surest mistakes of either come first."""
    was, now = first.right, second.right
    doubt = np.minimum(first.of_label, second.of_label)

    def ordered(chosen: np.ndarray, by: np.ndarray) -> np.ndarray:
        places = np.flatnonzero(chosen)
        return places[np.argsort(by[places], kind="stable")]

    return Changes(
        fixed=ordered(~was & now, first.of_label),
        broken=ordered(was & ~now, second.of_label),
        both_wrong=ordered(~was & ~now, doubt),
        both_right=ordered(was & now, doubt),
    )


def moved(first: Predictions, second: Predictions) -> tuple[np.ndarray, np.ndarray]:
    """How many images came into each cell of the confusion matrix and how many left it, (classes, classes) int64."""
    number, apart = len(first.classes), first.guesses[:, 0] != second.guesses[:, 0]

    def counted(found: Predictions) -> np.ndarray:
        cells = (found.labels * number + found.guesses[:, 0])[apart]
        return np.bincount(cells, minlength=number**2).reshape(number, number)

    return counted(second), counted(first)


def came_and_left(first: Predictions, second: Predictions, true: int, guess: int) -> tuple[np.ndarray, np.ndarray]:
    """Images, (n,) int64, that a cell of the second run's matrix has and that of the first has not; and the other way.

    Args:
        first: Predictions of one run.
        second: Those of another on the same images in the same order.
        true: The cell's row: a class by its position.
        guess: Its column.
    """
    of_class = first.labels == true
    was, now = of_class & (first.guesses[:, 0] == guess), of_class & (second.guesses[:, 0] == guess)
    came, left = np.flatnonzero(now & ~was), np.flatnonzero(was & ~now)
    return (
        came[np.argsort(-second.shares[came, 0], kind="stable")],
        left[np.argsort(-first.shares[left, 0], kind="stable")],
    )


def most_disputed(found: Sequence[Predictions]) -> np.ndarray:
    """Positions (n,), int64, of images on which runs differ: those first that about half of them get right."""
    number_right = np.stack([one.right for one in found]).sum(axis=0)
    guesses = np.stack([one.guesses[:, 0] for one in found])
    places = np.flatnonzero((guesses != guesses[0]).any(axis=0))
    return places[np.argsort(np.abs(number_right[places] - len(found) / 2), kind="stable")]
