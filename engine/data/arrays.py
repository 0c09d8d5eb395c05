"""Decoded images, resized once and memory-mapped: every run and epoch reads the same pages."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.decode import to_array
from engine.data.source import Source

VERSION = 1  # of the resize; a change makes new files


@dataclass(frozen=True, slots=True)
class Arrays:
    images: np.ndarray  # uint8 (n, size, size, channels), memory-mapped, read-only
    labels: np.ndarray  # int64 (n,)


def prepare(
    source: Source,
    fingerprint: str,
    *,
    image_size: int,
    channels: int,
    cache: Path,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Arrays:
    """All images of `source` as arrays, from the cache or made now. `report(done, total)` is called as it goes.

    Safe under two runs at once: the second waits for the first and finds its file.

    Raises:
        Unavailable: An image's file is gone or was changed since the import.
        OSError: No space for the file.
    """
    key = hashlib.sha256(json.dumps([fingerprint, image_size, channels, VERSION]).encode()).hexdigest()[:24]
    path = cache / "images" / f"{key}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            _make(source, path, image_size, channels, report)
    return Arrays(np.load(path, mmap_mode="r"), source.labels)


def mean_std(images: np.ndarray, indices: np.ndarray, *, sample: int = 5000) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, on a 0 to 1 scale, over an even sample of `indices`."""
    chosen = indices[:: max(1, len(indices) // sample)]
    total = np.zeros(images.shape[-1])
    squares = np.zeros(images.shape[-1])
    for part in np.array_split(chosen, max(1, len(chosen) // 256)):
        pixels = images[part].astype(np.float64) / 255
        total += pixels.sum(axis=(0, 1, 2))
        squares += (pixels**2).sum(axis=(0, 1, 2))
    count = len(chosen) * images.shape[1] * images.shape[2]
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - mean**2, 1e-4))
    return mean.round(5).tolist(), std.round(5).tolist()


def _make(source: Source, path: Path, size: int, channels: int, report: Callable[[int, int], None]) -> None:
    count = len(source.labels)
    needed, free = count * size * size * channels, shutil.disk_usage(path.parent).free
    if needed > free:
        raise OSError(28, f"decoded images need {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free", str(path))
    made = path.with_suffix(".tmp")  # our lock is held: nobody else writes it
    images = np.lib.format.open_memmap(made, "w+", np.uint8, (count, size, size, channels))

    def fill(index: int) -> None:
        images[index] = to_array(source.read(index), size=size, channels=channels)

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow decodes and resizes outside the interpreter's lock
        for done, _ in enumerate(pool.map(fill, range(count)), start=1):
            report(done, count)
    images.flush()
    made.replace(path)
