"""What can be made again: decoded images, features of frozen stages, previews, predictions. And clearing it."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.caches.limits import features_bytes
from storage import Store


@dataclass(frozen=True, slots=True)
class Cache:
    key: str  # of KINDS
    label: str
    note: str
    bytes: int
    count: int
    limit: int | None  # bytes; None: only the disk's


KINDS: dict[str, tuple[str, str]] = {  # folder in the home's cache -> label, note
    "images": ("Decoded images", "Resized once for each data set and size; all runs read the same file."),
    "features": (
        "Features of frozen stages",
        "Computed once for each data set, network and format; what was longest not used goes first.",
    ),
    "previews": ("Previews", "What the New run page shows before a start, and where a network looks in an image."),
    "predictions": ("Predictions", "What checkpoints say of images beyond those that judged them while they trained."),
}


def list_caches(store: Store) -> list[Cache]:
    """Every cache of the home, as large as it is now."""
    found = []
    for key, (label, note) in KINDS.items():
        sizes = [_size(path) for path in _entries(store.home.cache / key)]
        limit = features_bytes() if key == "features" else None
        found.append(Cache(key, label, note, sum(sizes), len(sizes), limit))
    return found


def clear_cache(store: Store, key: str) -> int:
    """Remove what lies in a cache; the bytes freed. Whoever reads a file of it now goes on reading.

    Raises:
        KeyError: No such cache.
    """
    freed = 0
    if key not in KINDS:
        raise KeyError(f"There is no cache called {key}.")
    for path in _entries(store.home.cache / key):
        freed += _size(path)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return freed


def _entries(folder: Path) -> list[Path]:
    """Whole files and folders; not what is being made, nor its lock."""
    return [path for path in folder.glob("*") if path.suffix == ".npy" or (path.is_dir() and path.suffix != ".tmp")]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        with suppress(FileNotFoundError):  # it went just now
            total += file.stat().st_size
    return total
