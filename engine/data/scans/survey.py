"""Looks at every image of a data set and writes its scan, with small pictures of all that findings name."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.data.parallel import in_order
from engine.data.scans.image_stats import ImageStats, image_stats
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

    Args:
        source: The data set's images.
        folder: The data set's.
        set_aside: Files that could not be read: their "path" and the "reason".
        size_bytes: Of all files.
        report: Takes (images done, images in all).

    Raises:
        Unavailable: An image is gone or was changed.
    """
    count = len(source.labels)
    stats: list[ImageStats] = []
    for one in in_order(lambda index: image_stats(source.read(index)), range(count)):
        stats.append(one)
        report(len(stats), count)
    facts = Facts(
        ids=source.ids,
        labels=source.labels.tolist(),
        splits=source.splits,
        widths=[one.width for one in stats],
        heights=[one.height for one in stats],
        classes=source.classes,
        equal=equal_images(stats),
        near=near_images(stats),
        set_aside=set_aside,
    )
    mean, std = _mean_std(stats)
    channels = Counter("grey" if one.mode == "L" else "colour" for one in stats)
    scan = scan_of(facts, mean, std, dict(channels), size_bytes=size_bytes)
    scan = replace(scan, pictures=_pictures(source, scan, folder / PICTURES))
    scan.write(folder)
    return scan


def _mean_std(stats: Sequence[ImageStats]) -> tuple[list[float], list[float]]:
    """Mean and deviation of each channel over all images; grey ones among colour ones count in each."""
    channels = max(len(one.mean) for one in stats)
    means = np.array([one.mean * (channels // len(one.mean)) for one in stats]).mean(axis=0).tolist()
    squares = np.array([one.square * (channels // len(one.square)) for one in stats]).mean(axis=0).tolist()
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
