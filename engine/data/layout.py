"""From paths to classes and parts: `cat/1.jpg`, `train/cat/1.jpg`, with or without folders wrapped around."""

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.data.decode import SUFFIXES

PART_NAMES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
}


class BadDataset(ValueError):
    """These files make no data set; the text says why and what to change."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An image file and where the layout puts it."""

    path: str  # as given
    part: str  # "train", "validation", "test", or "" when not split
    class_name: str


@dataclass(frozen=True, slots=True)
class Layout:
    images: list[Placed]
    classes: list[str]
    notes: list[str]


def lay_out(files: Iterable[str], folders: Iterable[str] = ()) -> Layout:
    """Sort files into classes. `folders` are those that exist, so that an empty class folder is seen.

    Raises:
        BadDataset: Fewer than two classes, a class without images, or parts mixed with classes.
    """
    shown = [path for path in files if not _hidden(path)]
    images = [path for path in shown if PurePosixPath(path).suffix.lower() in SUFFIXES]
    if not images:
        raise BadDataset("It holds no images. Expected one folder a class, of JPEG, PNG, WebP, BMP, GIF or TIFF files.")
    notes = _count(len(shown) - len(images), "file is", "files are", "no image and left out")
    depth = _wrapped(images)
    tops = {PurePosixPath(path).parts[depth] for path in images if len(PurePosixPath(path).parts) > depth + 1}
    split = _is_split(tops)
    placed = [one for path in images if (one := _place(path, depth, split)) is not None]
    notes += _count(len(images) - len(placed), "image lies", "images lie", "outside class folders and is left out")
    empty = {_folder_class(path, depth, split) for path in folders if not _hidden(path)} - {None}
    return Layout(placed, _classes(placed, {name for name in empty if name}, split, notes), notes)


def _hidden(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return any(part.startswith(".") or part in ("__MACOSX", "Thumbs.db", "desktop.ini") for part in parts)


def _wrapped(images: list[str]) -> int:
    """How many folders are wrapped around the classes or parts."""
    split_up = [PurePosixPath(path).parts for path in images]
    depth = 0
    while all(len(parts) > depth + 2 for parts in split_up) and len({parts[depth] for parts in split_up}) == 1:
        if split_up[0][depth].casefold() in PART_NAMES:
            break
        depth += 1
    return depth


def _is_split(tops: set[str]) -> bool:
    parts = {top for top in tops if top.casefold() in PART_NAMES}
    if not parts:
        return False
    if others := sorted(tops - parts):
        raise BadDataset(
            f"It mixes parts ({', '.join(sorted(parts))}) with other folders ({_named(others)}). "
            "Put every class folder inside train, validation or test."
        )
    if "train" not in {PART_NAMES[part.casefold()] for part in parts}:
        raise BadDataset(f"It has {', '.join(sorted(parts))} but no train folder to learn from.")
    return True


def _place(path: str, depth: int, split: bool) -> Placed | None:
    parts = PurePosixPath(path).parts[depth:]
    if len(parts) < (3 if split else 2):
        return None
    part = PART_NAMES[parts[0].casefold()] if split else ""
    return Placed(path, part, unicodedata.normalize("NFC", parts[1] if split else parts[0]))


def _folder_class(path: str, depth: int, split: bool) -> str | None:
    parts = PurePosixPath(path).parts[depth:]
    if len(parts) != (2 if split else 1) or (split and parts[0].casefold() not in PART_NAMES):
        return None
    return unicodedata.normalize("NFC", parts[-1])


def _classes(placed: list[Placed], folders: set[str], split: bool, notes: list[str]) -> list[str]:
    """The class names, sorted. What is odd but harmless goes to `notes`."""
    classes = sorted({one.class_name for one in placed})
    if empty := sorted(folders - set(classes)):
        raise BadDataset(f"These class folders hold no images: {_named(empty)}. Fill or remove them.")
    if len(classes) < 2:
        raise BadDataset(f"It has {len(classes)} class ({_named(classes) or 'none'}). A classifier needs two or more.")
    counts = Counter((one.part, one.class_name) for one in placed)
    if split:
        if untaught := [name for name in classes if not counts["train", name]]:
            raise BadDataset(f"These classes have no images in train: {_named(untaught)}.")
        judged_on = "validation" if any(one.part == "validation" for one in placed) else "test"
        if unjudged := [name for name in classes if not counts[judged_on, name]]:
            notes.append(f"No {judged_on} images for: {_named(unjudged)}.")
    elif single := [name for name in classes if counts["", name] == 1]:
        notes.append(f"One image only, so none to judge by: {_named(single)}.")
    twins = [name for name, n in Counter(name.casefold() for name in classes).items() if n > 1]
    if twins:
        notes.append(f"Class names that differ only in case are kept apart: {_named(twins)}.")
    return classes


def _named(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _count(number: int, one: str, many: str, what: str) -> list[str]:
    return [f"{number:,} {one if number == 1 else many} {what}."] if number else []
