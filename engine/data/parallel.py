"""Work on many images at once."""

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 256  # results wait for the caller in memory: at most so many
TURN = 16  # items that a thread takes up at most: with small images one by one, changing threads costs as much


def in_order(work: Callable[[Item], Result], items: Sequence[Item]) -> Generator[Result, None, None]:
    """`work` on each item in threads, results in the items' order. Pillow decodes outside the interpreter's lock.

    Close it (`contextlib.closing`) before undoing what `work` did: it returns when no thread works any more.
    """
    threads = os.cpu_count() or 1
    turn = max(1, min(TURN, len(items) // (4 * threads)))
    most = CHUNK // turn * turn

    def some(start: int) -> list[Result]:
        return [work(item) for item in items[start : start + turn]]

    pool = ThreadPoolExecutor(threads)
    try:
        for first in range(0, len(items), most):
            for found in pool.map(some, range(first, min(first + most, len(items)), turn)):
                yield from found
    finally:
        pool.shutdown(cancel_futures=True)
