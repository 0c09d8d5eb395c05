"""Decoded images, resized once and memory-mapped: every run and epoch reads the same pages."""

import errno
import fcntl
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL.Image import Image

from engine.data.decode import to_array
from engine.data.parallel import in_order
from engine.data.source import Source

VERSION = 1  # of decoding and resizing; a change makes new files

Report = Callable[[int, int], None]


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
    resize: str = "stretch",
    report: Report = lambda done, total: None,
) -> Arrays:
    """All images of `source` as arrays, from the cache or made now.

    `report(done, total)` is called as it goes, often; it may raise to give up, and nothing is left behind. Safe under
    several runs at once: the first makes the file, the others wait and report how far it is.

    Raises:
        Unavailable: An image's file is gone or was changed since the import.
        OSError: No space for the file.
    """
    way = [] if resize == "stretch" else [resize]
    key = hashlib.sha256(json.dumps([fingerprint, image_size, channels, VERSION, *way]).encode()).hexdigest()[:24]
    path = cache / "images" / f"{key}.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".tmp")

    def waiting() -> None:
        written = 0
        with suppress(FileNotFoundError):
            written = made.stat().st_size
        report(max(1, written // (image_size**2 * channels)), len(source.labels))

    if not path.exists():
        with _locked(path.with_suffix(".lock"), waiting):
            if not path.exists():
                shape = partial(to_array, size=image_size, channels=channels, resize=resize)
                _make(source, path, made, (image_size, image_size, channels), shape, report)
    return Arrays(np.load(path, mmap_mode="r").view(np.ndarray), source.labels)


def mean_std(images: np.ndarray, indices: np.ndarray, *, sample: int = 2000) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, on a 0 to 1 scale, over an even sample of `indices`."""
    channels = images.shape[-1]
    counts = np.zeros((channels, 256))  # of each grey value: exact, and small beside the pixels
    for index in indices[:: -(-len(indices) // sample)]:
        for channel in range(channels):
            counts[channel] += np.bincount(images[index, ..., channel].ravel(), minlength=256)
    shares = counts / counts.sum(axis=1, keepdims=True)
    values = np.arange(256) / 255
    mean = shares @ values
    std = np.sqrt(np.maximum(shares @ values**2 - mean**2, 1e-4))  # never 0: we divide by it
    return mean.round(5).tolist(), std.round(5).tolist()


@contextmanager
def _locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file. Python's descriptors are closed on exec, so no child keeps the lock of a dead run."""
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                waiting()
                time.sleep(0.1)
        yield


def _make(
    source: Source,
    path: Path,
    made: Path,
    shape: tuple[int, int, int],
    to_shape: Callable[[Image], np.ndarray],
    report: Report,
) -> None:
    """Write `path` by way of `made`; our lock is held, so nobody else does."""
    count = len(source.labels)
    needed, free = count * math.prod(shape), shutil.disk_usage(made.parent).free
    if needed > free:
        reason = f"Decoded images need {needed / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are free"
        raise OSError(errno.ENOSPC, reason, str(made))

    def one(index: int) -> np.ndarray:
        return to_shape(source.read(index))

    try:
        # Written in order, not through a map: a full disk then raises, where a map would kill the process (SIGBUS).
        with made.open("wb") as file, closing(in_order(one, range(count))) as images:
            header = {"descr": "|u1", "fortran_order": False, "shape": (count, *shape)}
            np.lib.format.write_array_header_1_0(file, header)
            for done, image in enumerate(images, start=1):
                file.write(image.tobytes())
                report(done, count)
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
