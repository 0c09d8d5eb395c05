"""Work on many images at once."""

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 256  # results wait for the caller in memory: at most so many


def in_order(work: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
    """`work` on each item in threads, results in the items' order. Pillow decodes outside the interpreter's lock.

    Close it (`contextlib.closing`) before undoing what `work` did: it returns when no thread works any more.
    """
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for start in range(0, len(items), CHUNK):
            yield from pool.map(work, items[start : start + CHUNK])
    finally:
        pool.shutdown(cancel_futures=True)
