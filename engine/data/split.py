"""Which images teach, which judge."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of each part, ascending; `test` may be empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(labels: np.ndarray, splits: list[str], *, fraction: float, seed: int) -> Split:
    """The parts a data set came with; where it has no validation part, `fraction` of each class held back by `seed`.

    A data set with only a test part beside the training one is judged on that. Held-back parts are stratified: every
    class with two images or more is in both.
    """
    names = np.asarray(splits)
    train, validation, test = (np.flatnonzero(np.isin(names, wanted)) for wanted in PARTS)
    if len(validation):
        return Split(train, validation, test)
    if len(test) and len(train):
        return Split(train, test, test[:0])
    held = _held_back(labels, train, fraction, np.random.default_rng(seed))
    return Split(np.setdiff1d(train, held), held, test)


def _held_back(labels: np.ndarray, among: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    held = []
    for label in np.unique(labels[among]):
        of_class = rng.permutation(among[labels[among] == label])
        wanted = round(len(of_class) * fraction)
        held.append(of_class[: min(max(wanted, 1), len(of_class) - 1)])
    return np.sort(np.concatenate(held)) if held else among[:0]


PARTS = (("train", ""), ("validation",), ("test",))
