"""Decoded images, resized once and memory-mapped: every run and epoch reads the same pages."""

import hashlib
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.caches.limits import keeps_images
from engine.data.cached_file import Report, cached
from engine.data.decode import to_array
from engine.data.parallel import in_order
from engine.data.sources.base import Source
from engine.data.streamed import Streamed

SOME = 64  # images at once
VERSION = 1  # of decoding and resizing; a change makes new files


@dataclass(frozen=True, slots=True)
class Arrays:
    images: np.ndarray | Streamed  # uint8 (n, size, size, channels), memory-mapped, read-only
    labels: np.ndarray  # int64 (n,)


class NormStats(NamedTuple):
    """What images are normalised by, a value a channel, on a 0 to 1 scale."""

    mean: list[float]
    std: list[float]


def prepare(
    source: Source,
    fingerprint: str,
    *,
    image_size: int,
    channels: int,
    cache: Path,
    resize: str = "stretch",
    report: Report = lambda done, total: None,
    workers: int = 1,
    keep: bool = True,
) -> Arrays:
    """All images of `source` as arrays, from the cache or made now; streamed where there is no room to keep them.

    `report(done, total)` is called as it goes, often; it may raise to give up, and nothing is left behind. Safe under
    several runs at once: the first makes the file, the others wait and report how far it is.

    Args:
        source: The data set's images.
        fingerprint: Of the data set: another one makes other files.
        image_size: Side of the square images, pixels.
        channels: 1 or 3.
        cache: The folder of all caches.
        resize: How an image becomes square, see `to_array`.
        report: Takes (images done, images in all).
        workers: Processes that decode while a run trains, where images are streamed.
        keep: Make the arrays where they are not yet; else they are streamed.

    Raises:
        Unavailable: An image's file is gone or was changed since the import.
        OSError: No space for the file.
    """
    way = [] if resize == "stretch" else [resize]
    key = hashlib.sha256(json.dumps([fingerprint, image_size, channels, VERSION, *way]).encode()).hexdigest()[:24]
    count = len(source.labels)

    def one(index: int) -> np.ndarray:
        return to_array(source.read(index), size=image_size, channels=channels, resize=resize)

    def rows() -> Iterator[np.ndarray]:
        with closing(in_order(one, range(count))) as images:
            for image in images:
                yield image[None]

    shape = (count, image_size, image_size, channels)
    path = cache / "images" / f"{key}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() and not (keep and keeps_images(math.prod(shape), shutil.disk_usage(path.parent).free)):
        return Arrays(Streamed(one, shape, workers), source.labels)
    return Arrays(cached(path, shape, np.dtype(np.uint8), rows, what="Decoded images", report=report), source.labels)


def mean_std(images: np.ndarray | Streamed, indices: np.ndarray, *, sample: int = 2000) -> NormStats:
    """Mean and standard deviation of each channel, on a 0 to 1 scale, over an even sample of some images.

    Args:
        images: (n, size, size, channels) uint8
        indices: (k,) int64, of the images that count.
        sample: So many of them at most.
    """
    channels = images.shape[-1]
    counts = np.zeros((channels, 256))  # of each grey value: exact, and small beside the pixels
    chosen = indices[:: -(-len(indices) // sample)]
    for first in range(0, len(chosen), SOME):
        some = images[chosen[first : first + SOME]]
        for channel in range(channels):
            counts[channel] += np.bincount(some[..., channel].ravel(), minlength=256)
    shares = counts / counts.sum(axis=1, keepdims=True)
    values = np.arange(256) / 255
    mean = shares @ values
    std = np.sqrt(np.maximum(shares @ values**2 - mean**2, 1e-4))  # never 0: we divide by it
    return NormStats(mean.round(5).tolist(), std.round(5).tolist())
