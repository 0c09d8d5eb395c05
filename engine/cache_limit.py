"""How large caches may grow."""

import os
from contextlib import suppress

FEATURES_GB = 20.0


def features_bytes() -> int:
    """Bytes that all features together may take: $THAW_FEATURES_GB, 20 GB where it does not say."""
    with suppress(ValueError):
        return int(float(os.environ.get("THAW_FEATURES_GB", FEATURES_GB)) * 1e9)
    return int(FEATURES_GB * 1e9)
