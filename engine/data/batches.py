"""Batches by whole-batch tensor operations: no worker processes, no per-image Python."""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from engine.data.arrays import Arrays
from engine.data.augment import Augment


class Batches:
    """One pass over `indices` each time it is iterated: (images float (b, C, H, W), labels int64 (b,)) on `device`.

    A last batch of a single image is left out of training passes (`shuffle`), where BatchNorm could not use it.
    """

    def __init__(
        self,
        arrays: Arrays,
        indices: np.ndarray,
        *,
        batch_size: int,
        mean: list[float],
        std: list[float],
        device: torch.device,
        shuffle: torch.Generator | None = None,
        augment: Augment | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """
        Args:
            augment: Changes images of training passes, before they are normalised.
            weights: Of each index: training passes then draw as many images as there are, with these chances.
        """
        self._arrays = arrays
        self._indices = torch.from_numpy(np.ascontiguousarray(indices))
        self._batch_size = batch_size
        self._device = device
        self._shuffle = shuffle
        self._augment = augment
        self._weights = None if weights is None else torch.from_numpy(weights)
        shape = (1, len(mean), 1, 1)
        self._scale = (1 / (255 * torch.tensor(std))).view(shape).to(device)
        self._shift = (-torch.tensor(mean) / torch.tensor(std)).view(shape).to(device)

    @property
    def images(self) -> int:
        """Images in one pass."""
        dropped = self._drops_one()
        return len(self._indices) - int(dropped)

    def __len__(self) -> int:
        return -(-self.images // self._batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        return self.passing(start=0)

    def passing(
        self, start: int, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """A pass from batch `start` on; the shuffle is drawn all the same, so that a resumed pass sees the rest.

        `stop` ends it before the next batch draws its chances, so that a resumed pass draws them.
        """
        order = self._indices
        if self._weights is not None:
            order = order[torch.multinomial(self._weights, len(order), replacement=True, generator=self._shuffle)]
        elif self._shuffle is not None:
            order = order[torch.randperm(len(order), generator=self._shuffle)]
        for chosen in order[: self.images].split(self._batch_size)[start:]:
            if stop():
                return
            picked = chosen.numpy()
            pixels = torch.from_numpy(self._arrays.images[picked]).permute(0, 3, 1, 2)
            if self._augment:
                pixels = self._augment(pixels).contiguous(memory_format=torch.channels_last)
            pixels = pixels.to(self._device, non_blocking=True)
            labels = torch.from_numpy(self._arrays.labels[picked]).to(self._device, non_blocking=True)
            yield pixels.float().mul_(self._scale).add_(self._shift), labels

    def _drops_one(self) -> bool:
        alone = len(self._indices) % self._batch_size == 1 and len(self._indices) > 1
        return self._shuffle is not None and self._batch_size > 1 and alone
