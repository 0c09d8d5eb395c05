"""What one image looks like, in a few numbers: enough to find its repeats and to describe a data set."""

import hashlib
from dataclasses import dataclass

import imagehash
import numpy as np
from PIL import Image

SIDE = 16  # of the grey picture that likeness is judged by, pixels


@dataclass(frozen=True, slots=True)
class ImageStats:
    width: int
    height: int
    mode: str  # "L" or "RGB"
    content: str  # equal for equal pixels, however they were saved
    hash: int  # 64 bits, alike for alike images: the perceptual hash of Zauner 2010, by the imagehash library
    grey: np.ndarray  # uint8 (SIDE, SIDE)
    mean: tuple[float, ...]  # of each channel, 0 to 1
    square: tuple[float, ...]  # mean of squares


def image_stats(image: Image.Image) -> ImageStats:
    """Of a decoded image."""
    pixels = np.asarray(image, dtype=np.uint8)
    digest = hashlib.sha256(f"{image.size}{image.mode}".encode())
    digest.update(pixels.tobytes())
    values = pixels.reshape(-1, 1 if pixels.ndim == 2 else pixels.shape[2])[:: max(1, pixels.size // 30_000)] / 255.0
    grey = image.convert("L")
    bits = imagehash.phash(grey).hash.flatten()
    return ImageStats(
        width=image.width,
        height=image.height,
        mode=image.mode,
        content=digest.hexdigest()[:32],
        hash=int.from_bytes(np.packbits(bits).tobytes()),
        grey=np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.uint8),
        mean=tuple(values.mean(axis=0).tolist()),
        square=tuple((values**2).mean(axis=0).tolist()),
    )
