"""What frozen stages make of each image, computed once and kept in files that all runs share."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine.caches.limits import features_bytes
from engine.data.batches import Fetch
from engine.data.cached_file import Report, cached

MOST, LEAST, PIXELS = 128, 16, 1 << 18  # images at once; on a CPU no more pixels than its caches hold the maps of
KEPT: dict[torch.dtype, type[np.generic]] = {  # torch -> how NumPy keeps it; NumPy knows no bfloat16
    torch.float32: np.float32,
    torch.float16: np.float16,
    torch.bfloat16: np.int16,
}


def at_once(size: int, device: torch.device) -> int:
    """How many images of `size` px pass through the frozen stages together."""
    return MOST if device.type != "cpu" else max(LEAST, min(MOST, PIXELS // size**2))


class Features:
    """Fetches features instead of images: float (b, ...) on `device`, as the frozen stages gave them."""

    def __init__(self, kept: np.ndarray, dtype: torch.dtype, device: torch.device) -> None:
        self._kept, self._dtype, self._device = kept, dtype, device

    def __call__(self, chosen: Tensor) -> Tensor:
        found = torch.from_numpy(self._kept[chosen.numpy()]).view(self._dtype)
        found = found.to(self._device, non_blocking=True)
        return found.contiguous(memory_format=torch.channels_last) if found.ndim == 4 else found


def features(
    path: Path,
    frozen: nn.Module,
    fetch: Fetch,
    count: int,
    *,
    device: torch.device,
    cast: Callable[[], torch.autocast],
    report: Report,
) -> Features:
    """What `frozen` makes of images 0 to `count` - 1, from the file at `path` or computed now, block by block.

    Args:
        path: Of the file.
        frozen: In evaluation mode: what it makes of an image then does not depend on the images beside it.
        fetch: Gives images by their places.
        count: Images in all.
        device: That the frozen stages are on.
        cast: Opens the number format that training computes in.
        report: Takes (images done, images in all).

    Raises:
        OSError: No space for the file.
    """

    if path.exists():
        with suppress(FileNotFoundError):
            found = np.load(path, mmap_mode="r").view(np.ndarray)
            os.utime(path)
            return Features(found, next(one for one, kept in KEPT.items() if kept == found.dtype), device)

    together = at_once(fetch(torch.arange(1)).shape[-1], device)

    @torch.inference_mode()
    def block(first: int) -> Tensor:
        with cast():
            made: Tensor = frozen(fetch(torch.arange(first, min(first + together, count))))
        return made

    sample = block(0)

    def rows() -> Iterator[np.ndarray]:
        for first in range(0, count, together):
            made = (block(first) if first else sample).cpu().contiguous()
            yield made.view(torch.int16).numpy() if made.dtype == torch.bfloat16 else made.numpy()

    kept = np.dtype(KEPT[sample.dtype])
    shape = (count, *sample.shape[1:])
    make_room(path.parent, count * sample[0].numel() * kept.itemsize, keep=path)
    found = cached(path, shape, kept, rows, what="Features of the frozen stages", report=report)
    return Features(found, sample.dtype, device)


def make_room(folder: Path, needed: int, *, keep: Path) -> None:
    """Remove what was longest not used until `needed` more bytes fit the limit; who reads it now goes on reading."""
    files = []
    for path in folder.glob("*.npy"):
        with suppress(FileNotFoundError):  # another run made room just now
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    taken = sum(size for _, size, path in files if path != keep)
    for _, size, path in sorted(files):
        if taken + needed <= features_bytes():
            return
        if path != keep:
            taken -= size
            path.unlink(missing_ok=True)
