"""Data sets that come with Thaw's own requirements: real, small, offline."""

from typing import Any

import numpy as np
from PIL import Image


class Digits:
    """scikit-learn's digits: 8 x 8 pixels of 0 to 16, scaled to 0 to 255."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        from sklearn.datasets import load_digits  # takes a second: only where images are read

        bunch = load_digits()
        self.classes = classes
        self.labels = bunch.target.astype(np.int64)
        self.splits = [""] * len(self.labels)
        self.ids = [f"{index:04d}" for index in range(len(self.labels))]
        self._pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)

    def read(self, index: int) -> Image.Image:
        return Image.fromarray(self._pixels[index])


def open_digits(dataset: dict[str, Any]) -> Digits:
    return Digits(tuple(dataset["classes"]))
