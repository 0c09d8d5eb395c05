"""Images of data sets that no cache has room for: decoded anew whenever they are looked at, ahead of the training."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from engine.data.parallel import in_order

AHEAD = 2  # batches that each worker decodes before they are asked for


class Streamed:
    """As an array, uint8 (n, size, size, channels), of which nothing is kept.

    Args:
        one: Decodes and resizes an image: uint8 (size, size, channels).
        shape: Of all of them.
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
        """The images of one batch after the other, decoded by processes that work ahead."""
        if not parts:
            return
        yield from DataLoader(
            _Parts(self._one, parts),
            batch_size=None,
            num_workers=min(self._workers, len(parts)),
            prefetch_factor=AHEAD,
            multiprocessing_context="fork",  # nothing is copied; the children decode and never touch a GPU
        )


class _Parts(Dataset[Tensor]):
    def __init__(self, one: Callable[[int], np.ndarray], parts: Sequence[Tensor]) -> None:
        self._one, self._parts = one, parts

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, number: int) -> Tensor:
        return torch.from_numpy(np.stack([self._one(index) for index in self._parts[number].tolist()]))
