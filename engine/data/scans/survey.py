"""Looks at every image of a data set and writes its scan, with small pictures of all that findings name."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.data.parallel import in_order
from engine.data.scans.image_stats import Look, look_at
from engine.data.scans.likeness import equal_images, near_images
from engine.data.scans.scan import PICTURES, Facts, Scan, deviation, scan_of
from engine.data.sources.base import Source

PICTURE_PX = 128
MOST_PICTURES = 3000


def survey(
    source: Source,
    folder: Path,
    *,
    set_aside: Sequence[dict[str, str]],
    size_bytes: int,
    report: Callable[[int, int], None],
) -> Scan:
    """Write scan.json and thumbnails/ into `folder`.

    Raises:
        Unavailable: An image is gone or was changed.
    """
    count = len(source.labels)
    looks: list[Look] = []
    for look in in_order(lambda index: look_at(source.read(index)), range(count)):
        looks.append(look)
        report(len(looks), count)
    facts = Facts(
        ids=source.ids,
        labels=source.labels.tolist(),
        splits=source.splits,
        widths=[look.width for look in looks],
        heights=[look.height for look in looks],
        classes=source.classes,
        equal=equal_images(looks),
        near=near_images(looks),
        set_aside=set_aside,
    )
    mean, std = _values(looks)
    channels = Counter("grey" if look.mode == "L" else "colour" for look in looks)
    scan = scan_of(facts, mean, std, dict(channels), size_bytes=size_bytes)
    scan = replace(scan, pictures=_pictures(source, scan, folder / PICTURES))
    scan.write(folder)
    return scan


def _values(looks: Sequence[Look]) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel over all images; grey ones among colour ones count in each."""
    channels = max(len(look.mean) for look in looks)
    means = np.array([look.mean * (channels // len(look.mean)) for look in looks]).mean(axis=0).tolist()
    squares = np.array([look.square * (channels // len(look.square)) for look in looks]).mean(axis=0).tolist()
    return means, deviation(means, squares)


def _pictures(source: Source, scan: Scan, folder: Path) -> dict[str, str]:
    named = dict.fromkeys(name for found in scan.findings for group in found.groups for name in group)
    place = {name: index for index, name in enumerate(source.ids)}
    folder.mkdir(exist_ok=True)

    def one(name: str) -> tuple[str, str]:
        image = source.read(place[name])
        image.thumbnail((PICTURE_PX, PICTURE_PX))
        file = f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:20]}.png"
        image.save(folder / file)
        return name, file

    return dict(in_order(one, list(named)[:MOST_PICTURES]))
