"""One import: `python -m engine.data.importer <folder>` reads request.json there and decodes every image once.

On success the folder holds dataset.json (the record), index.json, samples/ and, from a zip, images/; on refusal only
the event lines that say why.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data.decode import Undecodable, decode
from engine.data.folder import INDEX
from engine.data.layout import BadDataset, Layout, Placed, lay_out
from engine.data.source import open_source
from engine.data.zips import open_zip
from engine.lines import Lines

SAMPLES, SAMPLE_PX = 12, 96
CHUNK = 128
MOST_FILE_BYTES = 64 * 10**6


def main(folder: Path) -> int:
    """Import what `folder/request.json` asks for. Returns 0 when done, 1 when refused."""
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    lines = Lines(folder / "events.jsonl")
    try:
        if "dataset" in request:
            sample_embedded(request["dataset"], folder)
        else:
            import_images(request, folder, lines)
    except BadDataset as error:
        refuse(folder, lines, str(error))
        return 1
    except OSError as error:
        refuse(folder, lines, f"The disk refused: {error.strerror or error} ({error.filename}).")
        return 1
    lines.write("ended", state="finished")
    lines.close()
    return 0


def refuse(folder: Path, lines: Lines, reason: str) -> None:
    for made in folder.iterdir():
        if made.is_dir():
            shutil.rmtree(made)
        elif made.name not in ("events.jsonl", "request.json", "log.txt"):
            made.unlink()
    lines.write("ended", state="failed", reason=reason)
    lines.close()


@dataclass(slots=True)
class Found:
    """What the import has seen so far."""

    ids: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    set_aside: list[dict[str, str]] = field(default_factory=list)
    sampled: Counter[int] = field(default_factory=Counter)
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """One image, decoded; `image` None when it could not be, for `reason`."""

    placed: Placed
    data: bytes
    image: Image.Image | None
    reason: str = ""


def import_images(request: dict[str, Any], folder: Path, lines: Lines) -> None:
    """
    Raises:
        BadDataset: The source makes no data set.
        OSError: The disk is full or cannot be read.
    """
    source = Path(request["source"])
    if source.is_dir():
        files, folders = _walk(source)
        layout = lay_out(files, folders)
        found = _look_at_all(layout, lambda name: (source / name).read_bytes(), folder, lines, files_of=source)
    else:
        with open_zip(source) as archive:
            layout = lay_out(archive.files, archive.folders)
            needed, free = archive.unpacked_bytes, shutil.disk_usage(folder).free
            if needed > free:
                raise BadDataset(f"It unpacks to {needed / 1e6:,.0f} MB, but {free / 1e6:,.0f} MB are free.")
            found = _look_at_all(layout, archive.read, folder, lines, files_of=None)
    _refuse_hollow(layout, found)
    _write(request, folder, layout, found)


def sample_embedded(dataset: dict[str, Any], folder: Path) -> None:
    """Samples of a data set that comes with Thaw's requirements; its record is given."""
    source = open_source(dataset)
    for label in range(len(source.classes)):
        for number, index in enumerate(np.flatnonzero(source.labels == label)[:SAMPLES]):
            _save_sample(source.read(int(index)), folder, label, number)
    (folder / "dataset.json").write_text(json.dumps(dataset, ensure_ascii=False), encoding="utf-8")


def _walk(root: Path) -> tuple[list[str], list[str]]:
    files, folders = [], []
    for where, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        here = Path(where).relative_to(root)
        folders += [(here / name).as_posix() for name in inner]
        files += [(here / name).as_posix() for name in sorted(names)]
    return files, folders


def _look_at_all(
    layout: Layout, read: Callable[[str], bytes], folder: Path, lines: Lines, *, files_of: Path | None
) -> Found:
    """Decode every image. Their files stay in `files_of`; without one they are written below `folder`."""
    found, labels = Found(), {name: label for label, name in enumerate(layout.classes)}
    began = said = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, looked in enumerate(_looked(layout.images, read, pool), start=1):
            if looked.image is None:
                found.set_aside.append({"path": looked.placed.path, "reason": looked.reason})
            else:
                _keep(found, looked, labels[looked.placed.class_name], folder, files_of)
            if (now := time.monotonic()) - said > 0.25:
                said, total = now, len(layout.images)
                left = (now - began) / done * (total - done)
                lines.write("progress", phase="importing", step=done, steps=total, eta_s=left, message="Reading images")
                lines.flush()
    return found


def _looked(images: list[Placed], read: Callable[[str], bytes], pool: ThreadPoolExecutor) -> Iterator[Looked]:
    def look(given: tuple[Placed, bytes, str]) -> Looked:
        placed, data, reason = given
        if reason:
            return Looked(placed, data, None, reason)
        try:
            return Looked(placed, data, decode(data))
        except Undecodable as error:
            return Looked(placed, data, None, str(error))

    waiting = iter(images)
    while chunk := list(islice(waiting, CHUNK)):
        yield from pool.map(look, [_read_one(placed, read) for placed in chunk])


def _read_one(placed: Placed, read: Callable[[str], bytes]) -> tuple[Placed, bytes, str]:
    try:
        data = read(placed.path)
    except (OSError, ValueError) as error:
        return placed, b"", str(error)
    reason = "empty file" if not data else "" if len(data) <= MOST_FILE_BYTES else "file of over 64 MB"
    return placed, data, reason


def _keep(found: Found, looked: Looked, label: int, folder: Path, files_of: Path | None) -> None:
    assert looked.image is not None
    digest = hashlib.sha256(looked.data).hexdigest()
    if files_of is None:
        file = f"images/{label}/{digest[:24]}{Path(looked.placed.path).suffix.lower()}"
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(looked.data)
    else:
        file = str(files_of / looked.placed.path)
    found.ids.append(looked.placed.path)
    found.files.append(file)
    found.labels.append(label)
    found.splits.append(looked.placed.part)
    found.sizes.append(len(looked.data))
    found.hashes.append(digest)
    found.widths.append(looked.image.width)
    found.heights.append(looked.image.height)
    found.colour |= looked.image.mode != "L"
    if found.sampled[label] < SAMPLES:
        _save_sample(looked.image, folder, label, found.sampled[label])
        found.sampled[label] += 1


def _save_sample(image: Image.Image, folder: Path, label: int, number: int) -> None:
    small = image.copy()
    small.thumbnail((SAMPLE_PX, SAMPLE_PX))
    if max(small.size) < SAMPLE_PX // 2:  # a few pixels: shown as squares, not as a blur
        factor = SAMPLE_PX // max(small.size)
        small = small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)
    path = folder / "samples" / str(label) / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    small.save(path)


def _refuse_hollow(layout: Layout, found: Found) -> None:
    """Refuse when damaged images leave a class with nothing to learn from."""
    taught = {label for label, part in zip(found.labels, found.splits, strict=True) if part in ("", "train")}
    if hollow := [name for label, name in enumerate(layout.classes) if label not in taught]:
        first = found.set_aside[0]
        raise BadDataset(
            f"No image of these classes can be read: {', '.join(hollow[:8])}. "
            f"{len(found.set_aside)} were damaged; the first: {first['path']} ({first['reason']})."
        )


def _write(request: dict[str, Any], folder: Path, layout: Layout, found: Found) -> None:
    counts: dict[str, dict[str, int]] = {}
    for part in ("train", "validation", "test", ""):
        labels = [label for label, of in zip(found.labels, found.splits, strict=True) if of == part]
        if labels:
            of_label = Counter(labels)
            counts[part or "all"] = {name: of_label[label] for label, name in enumerate(layout.classes)}
    identity = sorted(
        (path, digest, layout.classes[label], part)
        for path, digest, label, part in zip(found.ids, found.hashes, found.labels, found.splits, strict=True)
    )
    repeated = len(found.hashes) - len(set(found.hashes))
    again = [f"{repeated:,} images are exact copies of others."] if repeated else []
    record = {
        "id": request["id"],
        "name": request["name"],
        "kind": "folder",
        "path": "",  # where the import lies in the end: the supervisor knows
        "classes": layout.classes,
        "counts": counts,
        "fingerprint": hashlib.sha256(json.dumps(identity).encode()).hexdigest(),
        "channels": 3 if found.colour else 1,
        "width": int(np.median(found.widths)),
        "height": int(np.median(found.heights)),
        "bytes": sum(found.sizes),
        "created_at": time.time(),
        "set_aside": found.set_aside,
        "notes": layout.notes + again,
    }
    index = {name: getattr(found, name) for name in ("ids", "files", "labels", "splits", "sizes")}
    (folder / INDEX).write_text(json.dumps(index, ensure_ascii=False), encoding="utf-8")
    (folder / "dataset.json").write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
