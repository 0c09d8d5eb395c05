"""Two runs judged image by image: what one gets right and the other does not, class by class. Pure."""

from dataclasses import dataclass

import numpy as np

from engine import Predictions
from pages.parts.changes import on_same_images


@dataclass(frozen=True, slots=True)
class ByImage:
    """What the first of two gains over the second, and what it loses."""

    images: int
    gained: int  # right in the first, wrong in the second
    lost: int
    classes: tuple[tuple[str, int, int], ...]  # name, gained and lost of its images


def by_image(first: Predictions | None, second: Predictions | None) -> ByImage | None:
    """None where they were not judged by the same images of the same classes."""
    if first is None or second is None or first.classes != second.classes:
        return None
    images = len(first.ids), len(second.ids)
    first, second = on_same_images([first, second])
    if images != (len(first.ids), len(first.ids)):  # others, or relabelled between the two
        return None
    mine, theirs = first.right, second.right
    gained, lost = mine & ~theirs, theirs & ~mine
    count = len(first.classes)
    by_class = (np.bincount(first.labels[which], minlength=count).tolist() for which in (gained, lost))
    return ByImage(
        images=len(first.ids),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        classes=tuple(zip(first.classes, *by_class, strict=True)),
    )
