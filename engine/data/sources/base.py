"""What every kind of data set gives: labels, the parts it is split in, and a way to read one image."""

from typing import Any, Protocol

import numpy as np
from PIL import Image

from engine.catalog.datasets import DATASET_KINDS
from engine.catalog.named import named


class Source(Protocol):
    """An ordered collection of labelled images."""

    classes: tuple[str, ...]
    labels: np.ndarray  # int64 (n,), indices into `classes`
    splits: list[str]  # (n,) "train", "validation", "test", or "" where the data set is not split
    ids: list[str]  # (n,) stable over imports: the path inside the data set, or an index

    def read(self, index: int) -> Image.Image:
        """The decoded image.

        Raises:
            Unavailable: Its file is gone or was changed since the import.
        """


def open_source(dataset: dict[str, Any]) -> Source:
    """The source of a `Dataset` record, given as a dict."""
    source: Source = named(DATASET_KINDS[dataset["kind"]].source)(dataset)
    return source
