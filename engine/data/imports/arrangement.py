"""From paths to labels: which folders are classes, and which parts of the data they lie in."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.data import names
from engine.data.decode import SUFFIXES
from engine.errors import Unfit

PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
SHAPE = "Put the images of each class in a folder of its own, named for the class."

Parts = tuple[str, ...]  # of a path
Counts = Counter[tuple[str, str]]  # images by (part, class); part "" where the data set is not split


@dataclass(frozen=True, slots=True)
class Place:
    """One image's place in the data set."""

    file: int  # which of the files given
    id: str  # path inside the data set, without the folders around it
    name: str  # of its class
    split: str  # "train", "validation", "test", or ""


@dataclass(frozen=True, slots=True)
class Arrangement:
    places: list[Place]  # ascending by id
    folders: frozenset[tuple[str, str]]  # (part, class) of every class folder, with or without images
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Shape:
    around: Parts  # folders around everything
    is_split: bool
    others: list[str]  # folders beside its parts, or all of them where it is not split

    @classmethod
    def of(cls, images: Iterable[Parts]) -> "_Shape":
        """That of most sense. Beside folders of other names, "train" alone may well be a class of vehicles."""
        images = list(images)
        around = _around(images)
        tops = {path[len(around)] for path in _below(images, around)}
        parts = {PARTS[top.casefold()] for top in tops if top.casefold() in PARTS}
        others = sorted(top for top in tops if top.casefold() not in PARTS)
        return cls(around, is_split={"train"} < parts if others else bool(parts), others=others)

    def place(self, path: Parts) -> tuple[str, str] | None:
        """(part, class) of a class folder or of what lies in it; None for anything else."""
        inside = path[len(self.around) :]
        if path[: len(self.around)] != self.around or len(inside) <= self.is_split:
            return None
        part = PARTS.get(inside[0].casefold()) if self.is_split else ""
        return None if part is None else (part, inside[self.is_split])


def arrange(files: list[str], folders: Iterable[str]) -> Arrangement:
    """Class folders at the top or below train / validation / test, with any folders around them taken off.

    Raises:
        Unfit: There are no images in class folders.
    """
    paths = {index: tuple(path.split("/")) for index, path in enumerate(files) if not names.is_hidden(path)}
    images = {index: path for index, path in paths.items() if _is_image(path)}
    if not images:
        raise Unfit(f"It holds no images ({' '.join(sorted(SUFFIXES))}).", SHAPE)
    shape = _Shape.of(images.values())
    placed = {index: found for index, path in paths.items() if (found := shape.place(path[:-1]))}
    places = [
        Place(index, "/".join(images[index][len(shape.around) :]), name=name, split=part)
        for index, (part, name) in placed.items()
        if index in images
    ]
    if not places:
        raise Unfit("Its images do not lie in class folders.", SHAPE)
    places.sort(key=lambda one: one.id)
    visible = (tuple(folder.split("/")) for folder in folders if not names.is_hidden(folder))
    known = {found for path in visible if (found := shape.place(path))} | {(one.split, one.name) for one in places}
    notes = _left_out(shape, stray=len(images) - len(places), unread=len(placed.keys() - images.keys()))
    return Arrangement(places, frozenset(known), notes)


def _left_out(shape: _Shape, *, stray: int, unread: int) -> list[str]:
    """
    Args:
        stray: Images outside of class folders.
        unread: Files in class folders that are no images.
    """
    notes = []
    if shape.is_split and shape.others:
        notes.append(f"Left out: folders beside train that are no part of it: {names.listed(shape.others)}.")
    if stray:
        notes.append(f"Left out: {names.counted(stray, 'image')} outside of class folders.")
    if unread:
        notes.append(f"Left out: {names.counted(unread, 'file')} in class folders, of other kinds than images.")
    return notes


def count(places: Iterable[Place], folders: Collection[tuple[str, str]]) -> Counts:
    """Images by (part, class), 0 for an empty folder."""
    counts: Counts = Counter(dict.fromkeys(folders, 0))
    counts.update((one.split, one.name) for one in places)
    return counts


def check_classes(counts: Counts) -> list[str]:
    """Remarks on the classes and their numbers of images.

    Raises:
        Unfit: Nothing could be learned from them; the text names the classes.
    """
    classes = sorted({name for _, name in counts})
    parts = {part for part, _ in counts.elements()}
    teaching = "" if parts <= {""} else "train"
    empty = [name for name in classes if not any(counts[part, name] for part in parts)]
    if empty:
        raise Unfit(f"No image that can be read in class {names.listed(empty)}.", "Add some, or remove the folder.")
    if teaching not in parts:
        advice = "Name the folder to learn from 'train'."
        raise Unfit(f"There are images in {' and '.join(sorted(parts))} but none in train.", advice)
    untaught = [name for name in classes if not counts[teaching, name]]
    if untaught:
        advice = "Add some there, or remove the class from the other parts."
        raise Unfit(f"No image that can be read in train for class {names.listed(untaught)}.", advice)
    if len(classes) < 2:
        raise Unfit(f"There is only one class, {names.shown(classes[0])}; at least two are needed.", SHAPE)
    return _unvalidated(classes, counts, parts) + _twins(classes)


def _unvalidated(classes: list[str], counts: Counts, parts: set[str]) -> list[str]:
    if "validation" in parts:
        missing = [name for name in classes if not counts["validation", name]]
        why = "validation has no image of them"
    else:  # held back from what teaches
        teaching = "" if parts <= {""} else "train"
        missing = [name for name in classes if counts[teaching, name] == 1]
        why = "there is only one image of each"
        if missing == classes:
            raise Unfit("Every class has a single image: none is left to judge by.", "Add more images of each class.")
    return [f"Learned but never judged, as {why}: {names.listed(missing)}."] if missing else []


def _twins(classes: list[str]) -> list[str]:
    alike: defaultdict[str, list[str]] = defaultdict(list)
    for name in classes:
        alike[name.casefold()].append(name)
    return [
        f"Kept as different classes though only their case differs: {names.listed(twins)}."
        for twins in alike.values()
        if len(twins) > 1
    ]


def _around(images: Iterable[Parts]) -> Parts:
    """The folders around everything, each the only one in the last."""
    around: Parts = ()
    while True:
        inside = _below(images, around)
        tops = {path[len(around)] for path in inside}
        if len(tops) != 1 or next(iter(tops)).casefold() in PARTS:
            return around
        outer = (*around, tops.pop())
        folders = {path[len(outer)] for path in _below(inside, outer)}
        has_images = any(len(path) == len(outer) + 1 for path in inside)
        if not folders or (has_images and len(folders) == 1):
            return around  # `outer` is a class
        around = outer


def _below(paths: Iterable[Parts], around: Parts) -> list[Parts]:
    """Those that lie in a folder inside `around`."""
    return [path for path in paths if len(path) > len(around) + 1 and path[: len(around)] == around]


def _is_image(path: Parts) -> bool:
    return PurePosixPath(path[-1]).suffix.lower() in SUFFIXES
