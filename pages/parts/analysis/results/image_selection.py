"""Which images of predictions to look at, and in which order: positions among them, int64. Pure numpy."""

import numpy as np

from engine.api import Predictions

HALF = 0.5  # what is likely to be wrong must at least be likelier than not
SHUFFLE = 0  # one order for all who look


def of_cell(found: Predictions, true: int, guess: int) -> np.ndarray:
    """What stands behind a cell of the confusion matrix, the surest first: (n,) int64."""
    return _surest_first(found, (found.labels == true) & (found.guesses[:, 0] == guess))


def missed(found: Predictions, label: int) -> np.ndarray:
    """Images of a class that were taken for others, the surest first: (n,) int64."""
    return _surest_first(found, (found.labels == label) & ~found.right)


def falsely_called(found: Predictions, label: int) -> np.ndarray:
    """Images of others that were taken for a class, the surest first: (n,) int64."""
    return _surest_first(found, (found.guesses[:, 0] == label) & ~found.right)


def mistakes(found: Predictions) -> np.ndarray:
    """All that is wrong, the least likely truth first: where the loss is highest: (n,) int64."""
    wrong = np.flatnonzero(~found.right)
    return wrong[np.argsort(found.of_label[wrong], kind="stable")]


def uncertain(found: Predictions) -> np.ndarray:
    """All images, the closest race between the two most likely classes first: (n,) int64."""
    lead = found.shares[:, 0] - found.shares[:, 1] if found.shares.shape[1] > 1 else found.shares[:, 0]
    return np.argsort(lead, kind="stable")


def suspects(found: Predictions) -> np.ndarray:
    """Images whose label is doubtful, the clearest contradiction first: (n,) int64.

    The network is more than half sure of another class, and at least as sure as it is on average of that class's own
    images: the rule of confident learning (Northcutt et al. 2021), which asks more of a class that is easy.
    """
    number = len(found.classes)
    images = np.bincount(found.labels, minlength=number)
    of_own = np.bincount(found.labels, weights=found.of_label, minlength=number)
    usual = np.divide(of_own, images, out=np.ones(number), where=images > 0)  # a class without images suspects none
    guess, sure = found.guesses[:, 0], found.shares[:, 0]
    doubtful = np.flatnonzero(~found.right & (sure >= np.maximum(usual[guess], HALF)))
    return doubtful[np.argsort(found.of_label[doubtful] - sure[doubtful], kind="stable")]


def mixed(found: Predictions, label: int | None = None) -> np.ndarray:
    """All images, or those of a class, in an order of chance that is always the same: (n,) int64."""
    order = np.random.default_rng(SHUFFLE).permutation(len(found.labels))
    return order if label is None else order[found.labels[order] == label]


def _surest_first(found: Predictions, chosen: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(chosen)
    return places[np.argsort(-found.shares[places, 0], kind="stable")]
