"""How large caches may grow."""

import os
from contextlib import suppress

FEATURES_GB, IMAGES_GB = 20.0, 200.0
SHARE = 0.8  # of the free disk: checkpoints need some as well


def features_bytes() -> int:
    """Bytes that all features together may take: $THAW_FEATURES_GB, 20 GB where it does not say."""
    return _limit("THAW_FEATURES_GB", FEATURES_GB)


def images_bytes() -> int:
    """Bytes that the decoded images of a data set may take at one size: $THAW_IMAGES_GB, 200 GB where not said."""
    return _limit("THAW_IMAGES_GB", IMAGES_GB)


def keeps_images(needed: int, free: int) -> bool:
    """Whether decoded images of `needed` bytes are kept where so many are free; else each epoch decodes them anew."""
    return needed <= min(images_bytes(), SHARE * free)


def _limit(variable: str, gigabytes: float) -> int:
    with suppress(ValueError):
        return int(float(os.environ.get(variable, gigabytes)) * 1e9)
    return int(gigabytes * 1e9)
