"""Images of data sets that no cache has room for: decoded anew whenever they are fetched, ahead of the training."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.data.parallel import in_order
from engine.errors import Unavailable

AHEAD = 2  # batches that each worker decodes before they are asked for


class Streamed:
    """As an array, (n, size, size, channels) uint8, of which nothing is kept.

    Args:
        one: Decodes and resizes an image: (size, size, channels) uint8.
        shape: Of all of them.
        workers: Processes that decode.
    """

    nbytes = 0

    def __init__(self, one: Callable[[int], np.ndarray], shape: tuple[int, ...], workers: int) -> None:
        self._one, self.shape, self._workers = one, shape, workers

    def __getitem__(self, chosen: int | np.ndarray) -> np.ndarray:
        """
        Raises:
            Unavailable: An image's file is gone or was changed since the import.
        """
        if not isinstance(chosen, np.ndarray):
            return self._one(int(chosen))
        with closing(in_order(self._one, chosen.tolist())) as images:
            return np.stack(list(images)) if len(chosen) else np.empty((0, *self.shape[1:]), np.uint8)

    def each(self, parts: Sequence[Tensor]) -> Iterator[Tensor]:
        """The images of one batch after the other, (b, size, size, channels) uint8, decoded by processes ahead.

        Args:
            parts: Of each batch the places of its images, (b,) int64.

        Raises:
            Unavailable: An image's file is gone or was changed since the import.
            RuntimeError: One of the processes was killed; torch raises it, at any moment.
        """
        if not parts:
            return
        batches = DataLoader(
            _Parts(self._one, parts),
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=min(self._workers, len(parts)),
            prefetch_factor=AHEAD,
            multiprocessing_context="fork",  # nothing is copied; the children decode and never touch a GPU
            worker_init_fn=_leave_signals_to_the_parent,
            generator=torch.Generator(),  # it draws a seed: not from the chances that a resumed run must meet again
        )
        for images in batches:
            if isinstance(images, Unavailable):
                raise images
            yield torch.from_numpy(images)


def _as_it_is(images: Any) -> Any:
    """Arrays come through a pipe; tensors would through /dev/shm, which containers keep small."""
    return images


def _leave_signals_to_the_parent(worker: int) -> None:
    """A stop is sent to the whole group of processes; torch's own handler would end this one and fail the run."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


class _Parts(Dataset[np.ndarray | Unavailable]):
    def __init__(self, one: Callable[[int], np.ndarray], parts: Sequence[Tensor]) -> None:
        self._one, self._parts = one, parts

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, number: int) -> np.ndarray | Unavailable:
        try:
            return np.stack([self._one(index) for index in self._parts[number].tolist()])
        except Unavailable as error:  # raised here, it would reach people wrapped in torch's words
            return error
