"""What an import leaves in writing: the data set's record and the index of its images."""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from engine.artifacts.files import folder_bytes
from engine.catalog.datasets import DATASET_KINDS
from engine.data import names
from engine.data.imports.inspection import Seen, stored_name
from engine.data.scans.scan import Scan
from engine.data.sources.base import Source
from engine.data.sources.folder import Index
from storage import Dataset

MOST_SET_ASIDE = 1000  # listed by name


def index_of(classes: tuple[str, ...], good: list[Seen], paths: list[str] | None) -> Index:
    """The index of images that stay in `paths`, by the number of their file, or of Thaw's copies of them."""
    labels = {name: label for label, name in enumerate(classes)}
    return Index(
        ids=[one.place.id for one in good],
        files=[
            paths[one.place.file] if paths else stored_name(labels[one.place.name], one.place, one.sha256)
            for one in good
        ],
        labels=[labels[one.place.name] for one in good],
        splits=[one.place.split for one in good],
        bytes=[one.bytes for one in good],
        mtimes_ns=[one.mtime_ns if paths else 0 for one in good],
    )


def record_of(
    request: dict[str, Any], classes: tuple[str, ...], good: list[Seen], bad: list[Seen], notes: list[str]
) -> Dataset:
    """The data set's record; its path is for the one to fill who puts the folder in its place.

    Args:
        request: Of the import: "id" and "name".
        classes: In the order of their labels.
        good: Images that can be read.
        bad: Images that cannot.
        notes: Remarks made so far.
    """
    labels = {name: label for label, name in enumerate(classes)}
    if len(bad) > MOST_SET_ASIDE:
        notes = [*notes, f"{len(bad):,} images cannot be read; the first {MOST_SET_ASIDE:,} are listed."]
    return Dataset(
        id=request["id"],
        name=request["name"],
        kind="folder",
        path="",
        classes=classes,
        counts=counts_of(classes, [labels[one.place.name] for one in good], [one.place.split for one in good]),
        fingerprint=(content := fingerprint(classes, good)),
        source_fingerprint=content,
        channels=1 if all(one.is_grey for one in good) else 3,
        width=round(median(one.width for one in good)),
        height=round(median(one.height for one in good)),
        bytes=sum(one.bytes for one in good),
        created_at=time.time(),
        set_aside=tuple({"path": one.place.id, "reason": str(one.bad)} for one in bad[:MOST_SET_ASIDE]),
        notes=tuple(notes + repeats(good)),
    )


def record_of_fetched(request: dict[str, Any], root: Path) -> Dataset:
    """The record of one of torchvision's data sets; `seen_of` fills in what only reading it tells."""
    return Dataset(
        id=request["id"],
        name=request["name"],
        kind=request["kind"],
        path=str(root),
        classes=(),
        counts={},
        fingerprint="",
        channels=0,
        width=0,
        height=0,
        bytes=folder_bytes(root),
        created_at=time.time(),
        notes=(f"{DATASET_KINDS[request['kind']].label}, as torchvision reads it.",),
    )


def seen_of(source: Source, scan: Scan, kind: str) -> dict[str, Any]:
    """Fields of a record that come from the images: classes, counts, fingerprint, channels and median size."""
    sides = [(width, height) for width, height, count in scan.sizes for _ in range(count)]
    content = json.dumps([kind, source.classes, source.labels.tolist(), source.splits, scan.mean, scan.std])
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    return {
        "classes": list(source.classes),
        "counts": counts_of(source.classes, source.labels.tolist(), source.splits),
        "fingerprint": fingerprint,
        "source_fingerprint": fingerprint,
        "channels": 1 if set(scan.channels) == {"grey"} else 3,
        "width": round(median(width for width, _ in sides)),
        "height": round(median(height for _, height in sides)),
    }


def counts_of(classes: Sequence[str], labels: Sequence[int], splits: Sequence[str]) -> dict[str, dict[str, int]]:
    """Part -> class -> images; part "all" where the data set is not split."""
    found = Counter(zip(splits, labels, strict=True))
    parts = sorted(set(splits), key=["", "train", "validation", "test"].index)
    return {part or "all": {name: found[part, label] for label, name in enumerate(classes)} for part in parts}


def index_of_source(source: Source) -> Index:
    """The index of images that lie in no files of their own."""
    blank = [0] * len(source.ids)
    return Index(list(source.ids), [""] * len(source.ids), source.labels.tolist(), list(source.splits), blank, blank)


def fingerprint(classes: tuple[str, ...], good: list[Seen]) -> str:
    """Equal for equal data, wherever it lies: over path, content, class and part of every image, in order."""
    digest = hashlib.sha256(json.dumps(classes).encode())
    for line in sorted((one.place.id, one.sha256, one.place.name, one.place.split) for one in good):
        digest.update(json.dumps(line).encode())
    return digest.hexdigest()


def repeats(good: list[Seen]) -> list[str]:
    """Remarks on images that occur more than once: those on both sides of a judgement make it too kind."""
    first: dict[str, Seen] = {}
    same, across_parts, other_class = 0, 0, []
    for one in good:
        before = first.setdefault(one.sha256, one)
        if before is not one:
            same += 1
            across_parts += before.place.split != one.place.split
            if before.place.name != one.place.name:
                other_class.append(one.place.id)
    notes = []
    if same:
        notes.append(f"Exact repeats of other images: {same:,}.")
    if across_parts:
        notes.append(f"Repeats in another part: {across_parts:,}. What judges there was partly learned by heart.")
    if other_class:
        notes.append(f"The same image lies in more than one class: {names.listed(other_class)}.")
    return notes
