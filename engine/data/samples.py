"""A few small images of each class, for pages to show without decoding originals."""

from pathlib import Path

import numpy as np
from PIL import Image

from engine.data.parallel import in_order
from engine.data.sources.base import Source

PER_CLASS = 12
SIDE = 96  # pixels, at most


def write_samples(source: Source, folder: Path) -> None:
    """`folder`/samples/<class index>/<k>.png, evenly spread over each class.

    Raises:
        OSError: They cannot be written.
        Unavailable: An image is gone or was changed.
    """
    samples: list[tuple[int, Path]] = []
    for label in range(len(source.classes)):
        of_class = np.flatnonzero(source.labels == label)
        at = folder / "samples" / str(label)
        at.mkdir(parents=True, exist_ok=True)
        spread = np.linspace(0, len(of_class) - 1, min(PER_CLASS, len(of_class))).astype(int)
        samples += [(int(index), at / f"{k}.png") for k, index in enumerate(of_class[spread])]

    def one(sample: tuple[int, Path]) -> None:
        index, path = sample
        image = source.read(index)
        image.thumbnail((SIDE, SIDE))
        if factor := SIDE // (2 * max(image.size)):  # a few pixels only: shown as squares, not as a blur
            image = image.resize((2 * factor * image.width, 2 * factor * image.height), Image.Resampling.NEAREST)
        image.save(path)

    for _ in in_order(one, samples):
        pass
