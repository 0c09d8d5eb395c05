"""A .npy file that several runs share: the first makes it, the others wait for it, all map the same pages."""

import errno
import fcntl
import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

BUFFER = 1 << 20  # bytes; a small image for itself is not worth a call of the system

Report = Callable[[int, int], None]  # (rows done, rows in all); may raise to give up


def cached(
    path: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    rows: Callable[[], Iterator[np.ndarray]],
    *,
    what: str,
    report: Report,
) -> np.ndarray:
    """The array of `shape` at `path`, memory-mapped and read-only; made now from blocks of `rows()` if nobody has yet.

    Safe under several processes at once. When `report` raises, nothing is left behind.

    Args:
        path: Of the file; its folder is made.
        shape: Of the whole array, (n, ...).
        dtype: That the file keeps, as uint8 or float16.
        rows: Makes blocks of the array, (k, ...), in order.
        what: Begins the sentence about too little room: "Decoded images".

    Raises:
        OSError: No space for the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".tmp")
    a_row = math.prod(shape[1:]) * dtype.itemsize

    def waiting() -> None:
        written = 0
        with suppress(FileNotFoundError):
            written = made.stat().st_size
        report(max(1, written // a_row), shape[0])

    while True:
        with suppress(FileNotFoundError):  # also when it was pruned just now
            found: np.ndarray = np.load(path, mmap_mode="r").view(np.ndarray)
            os.utime(path)  # what was used lately stays longest
            return found
        with _locked(path.with_suffix(".lock"), waiting):
            if not path.exists():
                _make(path, made, shape, dtype, rows, what, report)


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
    path: Path,
    made: Path,
    shape: tuple[int, ...],
    dtype: np.dtype,
    rows: Callable[[], Iterator[np.ndarray]],
    what: str,
    report: Report,
) -> None:
    """Write `path` by way of `made`; our lock is held, so nobody else does."""
    needed, free = math.prod(shape) * dtype.itemsize, shutil.disk_usage(made.parent).free
    if needed > free:
        reason = f"{what} need {needed / 1e6:,.0f} MB; {free / 1e6:,.0f} MB are free"
        raise OSError(errno.ENOSPC, reason, str(made))
    try:
        # Written in order, not through a map: a full disk then raises, where a map would kill the process (SIGBUS).
        with made.open("wb", BUFFER) as file:
            header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            done = 0
            for block in rows():
                file.write(np.ascontiguousarray(block, dtype).tobytes())
                done += len(block)
                report(done, shape[0])
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)
