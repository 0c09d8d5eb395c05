"""Results as tables: scores of classes, confused pairs, images to take away. Pure: no Streamlit here."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.api import ConfusedPair, Predictions, scores, taken_for
from pages.parts import formatting


def scores_table(matrix: np.ndarray, classes: Sequence[str]) -> pd.DataFrame:
    """One row a class, in the order of the data set; precision, recall and F1 in per cent.

    `matrix`: (classes, classes) int64.
    """
    found = scores(matrix)
    often = [taken_for(matrix, label) for label in range(len(classes))]
    return pd.DataFrame(
        {
            "class": [button_label(name) for name in classes],
            "images": found.images,
            "precision": _in_percent(found.precision),
            "recall": _in_percent(found.recall),
            "f1": _in_percent(found.f1),
            "taken_for": [formatting.DASH if one is None else f"{classes[one[0]]} ({one[1]:,})" for one in often],
            "missed": found.images - np.diag(matrix),
            "falsely": found.guessed - np.diag(matrix),
        }
    )


def pairs_table(pairs: Sequence[ConfusedPair], classes: Sequence[str]) -> pd.DataFrame:
    """One row a pair, in the order given; shares in per cent."""
    return pd.DataFrame(
        {
            "images": [f"{pair.images:,}" for pair in pairs],
            "true": [classes[pair.true] for pair in pairs],
            "guess": [classes[pair.guess] for pair in pairs],
            "share": [100 * pair.share for pair in pairs],
        }
    )


def images_table(found: Predictions, places: np.ndarray) -> pd.DataFrame:
    """One row an image, in the order of `places`: what it is said to be, what it was taken for, how surely.

    `places`: (n,) int64.
    """
    return pd.DataFrame(
        {
            "image": [found.ids[place] for place in places],
            "label": [found.classes[label] for label in found.labels[places]],
            "guess": [found.classes[guess] for guess in found.guesses[places, 0]],
            "confidence": _rounded(found.shares[places, 0]),
            "share_of_label": _rounded(found.of_label[places]),
        }
    )


def button_label(name: str) -> str:
    """A word joiner keeps a colon a colon, where a button would read `:material/...:` as an icon."""
    return name.replace(":", ":\u2060")


def _rounded(shares: np.ndarray) -> np.ndarray:
    """Widened first: 0.123456 in 32 bits is 0.12345600128173828 in 64, and is written so."""
    return shares.astype(np.float64).round(6)


def _in_percent(shares: np.ndarray) -> pd.Series:
    """Empty where nothing was counted: no class is bad for want of images."""
    return pd.Series(100 * shares, dtype="Float64")
