"""Training images changed by chance, as the catalog's rows say."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine.catalog.augmentations import AUGMENTATIONS

Augment = Callable[[Tensor], Tensor]  # uint8 (b, C, H, W) -> the same


def augmenter(names: Sequence[str], *, strength: float, size: int, channels: int) -> Augment | None:
    """One function for all changes asked for, in the catalog's order; None: there are none.

    Each image of a batch draws its own chances, from torch's global generator.

    Args:
        names: Of rows of the catalog.
        strength: 0 to 1, of each change.
        size: Side of the images, pixels.
        channels: Of the images: changes of colour need 3.
    """
    rows = [row for name, row in AUGMENTATIONS.items() if name in names and not (row.colour_only and channels == 1)]
    if not rows:
        return None
    from torchvision.transforms import v2  # costs a second: only for who needs it

    steps = []
    for row in rows:
        step = getattr(v2, row.transform)(**row.options(strength, size))
        steps.append(step if row.probability is None else v2.RandomApply([step], p=row.probability))
    pipeline = v2.Compose(steps)

    def augment(images: Tensor) -> Tensor:
        # one by one: v2 draws one set of chances a call, and a whole batch turned by one angle teaches little
        return torch.stack([pipeline(image) for image in images])

    return augment
