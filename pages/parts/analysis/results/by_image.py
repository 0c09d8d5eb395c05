"""Two runs judged image by image: what one gets right and the other does not, class by class. Pure."""

from dataclasses import dataclass

import numpy as np

from engine.api import Predictions
from pages.parts.analysis.results.changes import on_same_images


@dataclass(frozen=True, slots=True)
class ByImage:
    """What the first of two gains over the second, and what it loses."""

    images: int  # that judged both
    are_all: bool  # and no others judged either
    right: int  # in the first
    gained: int  # right in the first, wrong in the second
    lost: int
    classes: tuple[tuple[str, int, int], ...]  # name, gained and lost of its images


def by_image(first: Predictions | None, second: Predictions | None) -> ByImage | None:
    """On the images that both saw with one label; None where there are none, or none can be told."""
    if first is None or second is None or (first.dataset, first.classes) != (second.dataset, second.classes):
        return None
    most = max(len(first.ids), len(second.ids))
    first, second = on_same_images([first, second])
    if not first.ids:
        return None
    mine, theirs = first.right, second.right
    gained, lost = mine & ~theirs, theirs & ~mine
    count = len(first.classes)
    by_class = (np.bincount(first.labels[which], minlength=count).tolist() for which in (gained, lost))
    return ByImage(
        images=len(first.ids),
        are_all=len(first.ids) == most,
        right=int(mine.sum()),
        gained=int(gained.sum()),
        lost=int(lost.sum()),
        classes=tuple(zip(first.classes, *by_class, strict=True)),
    )
