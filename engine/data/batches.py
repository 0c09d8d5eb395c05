"""Batches by whole-batch tensor operations: no per-image Python but for augmentation."""

import copy
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.data.augment import Augment
from engine.data.streamed import Streamed

Fetch = Callable[[Tensor], Tensor]  # places of images, int64 (b,) -> what the network takes of them, (b, ...)
RESIDENT_SHARE = 4  # images stay on a GPU when they take at most 1 / so much of its free memory


class Batches:
    """One pass over `indices` each time it is iterated: (what the network takes, labels int64 (b,)) on `device`.

    A last batch too small for BatchNorm, with a single image a process, is left out of training passes (`shuffle`).
    """

    def __init__(
        self,
        fetch: Fetch,
        labels: np.ndarray,
        indices: np.ndarray,
        *,
        batch_size: int,
        device: torch.device,
        shuffle: torch.Generator | None = None,
        weights: np.ndarray | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        """
        Args:
            fetch: Gives a batch's images by their places.
            labels: (n,) int64, of all images.
            indices: (k,) int64, of the images of a pass.
            batch_size: Of all processes together.
            device: For labels; `fetch` knows its own.
            shuffle: Draws the order of training passes; None: as `indices` stand.
            weights: Of each index: training passes then draw as many images as there are, with these chances.
            share: (rank, processes): each takes its part of every batch.
        """
        self.fetch = fetch
        self._labels = torch.from_numpy(labels)
        self._indices = torch.from_numpy(np.ascontiguousarray(indices))
        self._batch_size = batch_size
        self._device = device
        self._shuffle = shuffle
        self._weights = None if weights is None else torch.from_numpy(weights)
        self._rank, self._processes = share

    def with_fetch(self, fetch: Fetch) -> "Batches":
        """The same images in the same order, fetched in another way."""
        other = copy.copy(self)
        other.fetch = fetch
        return other

    def sample(self) -> tuple[Tensor, Tensor]:
        """A batch of the first images, for which no chances are drawn: what `fetch` gives, and labels (b,) int64."""
        chosen = self._indices[: self._batch_size]
        return self.fetch(chosen), self._labels[chosen].to(self._device)

    @property
    def images(self) -> int:
        """Images in one pass, of all processes together."""
        count, last = len(self._indices), len(self._indices) % self._batch_size
        is_too_small = count > self._batch_size > 1 and last < 2 * self._processes
        return count - last if self._shuffle is not None and is_too_small else count

    @property
    def places(self) -> Tensor:
        """Where in a pass that is not shuffled the images lie that this process sees, in its order: (k,) int64."""
        return torch.cat(self._own(torch.arange(self.images)))

    def __len__(self) -> int:
        return -(-self.images // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self.iterate(start=0)

    def iterate(self, start: int, stop: Callable[[], bool] = lambda: False) -> Iterator[tuple[Tensor, Tensor]]:
        """What `fetch` gives and labels (b,) int64, batch by batch.

        Args:
            start: The first batch; the shuffle is drawn all the same, so that a resumed pass sees the rest.
            stop: Ends the pass before the next batch draws its chances, so that a resumed pass draws them.
        """
        order = self._indices
        if self._weights is not None:
            order = order[torch.multinomial(self._weights, len(order), replacement=True, generator=self._shuffle)]
        elif self._shuffle is not None:
            order = order[torch.randperm(len(order), generator=self._shuffle)]
        parts = self._own(order[: self.images])[start:]
        ahead = self.fetch.ahead(parts) if isinstance(self.fetch, Pixels) else None
        for chosen in parts:
            if stop():
                return
            seen = self.fetch(chosen) if ahead is None else ahead(chosen)
            yield seen, self._labels[chosen].to(self._device, non_blocking=True)

    def _own(self, order: Tensor) -> tuple[Tensor, ...]:
        """This process's part of every batch."""
        wholes = order.split(self._batch_size)
        return tuple(one.tensor_split(self._processes)[self._rank] for one in wholes)


class Pixels:
    """Decoded images, changed by chance where asked, normalised: float (b, C, H, W), channels last in memory."""

    def __init__(
        self,
        images: np.ndarray | Streamed,
        *,
        mean: list[float],
        std: list[float],
        device: torch.device,
        augment: Augment | None = None,
    ) -> None:
        """
        Args:
            images: (n, H, W, C) uint8, as `arrays.prepare` makes them.
            mean: Of each channel, 0 to 1.
            std: Of each channel, 0 to 1.
            device: That the batches are made on.
            augment: Changes them by chance.
        """
        self._images, self._device, self._augment = images, device, augment
        shape = (1, len(mean), 1, 1)
        self._scale = (1 / (255 * torch.tensor(std))).view(shape).to(device)
        self._shift = (-torch.tensor(mean) / torch.tensor(std)).view(shape).to(device)
        self._resident = _resident(images, device)

    def __call__(self, chosen: Tensor) -> Tensor:
        if self._resident is not None:
            pixels = self._resident[chosen.to(self._device, non_blocking=True)]
        else:
            pixels = self._moved(torch.from_numpy(self._images[chosen.numpy()]))
        return self._finished(pixels)

    def ahead(self, parts: Sequence[Tensor]) -> Fetch | None:
        """Fetches these parts, and no others, in this order, decoding ahead; None: nothing is to be decoded.

        Args:
            parts: Of each batch the places of its images, (b,) int64.
        """
        if not isinstance(self._images, Streamed):
            return None
        decoded = self._images.each(parts)
        return lambda chosen: self._finished(self._moved(next(decoded)))

    def _moved(self, pixels: Tensor) -> Tensor:
        if self._device.type == "cuda":
            pixels = pixels.pin_memory()
        return pixels.to(self._device, non_blocking=True)

    def _finished(self, pixels: Tensor) -> Tensor:
        pixels = pixels.permute(0, 3, 1, 2)
        if self._augment:
            pixels = self._augment(pixels).contiguous(memory_format=torch.channels_last)
        return pixels.float().mul_(self._scale).add_(self._shift)

    def plain(self) -> "Pixels":
        """The same images, never changed."""
        other = copy.copy(self)
        other._augment = None
        return other


def _resident(images: np.ndarray | Streamed, device: torch.device) -> Tensor | None:
    if (
        device.type != "cuda"
        or isinstance(images, Streamed)
        or images.nbytes > torch.cuda.mem_get_info(device)[0] // RESIDENT_SHARE
    ):
        return None
    return torch.from_numpy(images).to(device)
