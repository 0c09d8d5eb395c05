"""What is found in a data set: its facts, and findings that would make a model worse or its validation too kind."""

import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SCAN, PICTURES = "scan.json", "thumbnails"
MOST_GROUPS = 2000  # of one finding that are kept


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str  # "duplicate", "near_duplicate", "leak", "contradiction", "imbalance", "tiny", "undecodable"
    title: str
    text: str
    groups: tuple[tuple[str, ...], ...] = ()  # image ids that belong together; one alone is a group too
    action: str | None = None  # "exclude": taking some of them out puts it right


@dataclass(frozen=True, slots=True)
class Scan:
    findings: tuple[Finding, ...]
    at: float
    mean: list[float]  # of each channel, 0 to 1
    std: list[float]
    sizes: list[list[int]]  # [width, height, images], most frequent first
    channels: dict[str, int]  # "grey" or "colour" -> images
    bytes: int = 0
    pictures: dict[str, str] = field(default_factory=dict)  # image id -> file of a small picture of it

    def write(self, folder: Path) -> None:
        (folder / SCAN).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Scan":
        """
        Raises:
            OSError: There is none.
            ValueError, TypeError: It is not readable.
        """
        values: dict[str, Any] = json.loads((folder / SCAN).read_text(encoding="utf-8"))
        findings = tuple(
            Finding(**{**one, "groups": tuple(tuple(group) for group in one["groups"])})
            for one in values.pop("findings")
        )
        return cls(findings=findings, **values)


@dataclass(frozen=True, slots=True)
class Facts:
    """Of all images, column by column, as findings need them."""

    ids: Sequence[str]
    labels: Sequence[int]
    splits: Sequence[str]
    widths: Sequence[int]
    heights: Sequence[int]
    classes: Sequence[str]
    equal: Sequence[tuple[int, ...]]  # groups of indices
    near: Sequence[tuple[int, ...]]
    set_aside: Sequence[dict[str, str]] = ()


def scan_of(facts: Facts, mean: list[float], std: list[float], channels: dict[str, int], *, size_bytes: int) -> Scan:
    """What is found in a data set.

    Args:
        facts: Of its images.
        mean: Of each channel, 0 to 1.
        std: Of each channel, 0 to 1.
        channels: "grey" or "colour" -> images.
        size_bytes: Of its files.
    """
    sizes = Counter(zip(facts.widths, facts.heights, strict=True))
    return Scan(
        findings=tuple(found for find in FINDERS for found in find(facts)),
        at=time.time(),
        mean=[round(value, 4) for value in mean],
        std=[round(value, 4) for value in std],
        sizes=[[width, height, count] for (width, height), count in sizes.most_common(5000)],
        channels=channels,
        bytes=size_bytes,
    )


def _undecodable(facts: Facts) -> list[Finding]:
    if not facts.set_aside:
        return []
    count = len(facts.set_aside)
    text = "They could not be read as images and were set aside at the import; nothing is trained on them."
    return [Finding("undecodable", f"{_files(count)} cannot be read", text)]


def _leaks(facts: Facts) -> list[Finding]:
    groups = []
    alike = [
        group for group in facts.equal if len({facts.labels[index] for index in group}) == 1
    ]  # else contradictions
    for group in [*alike, *facts.near]:
        parts = {facts.splits[index] or "train" for index in group}
        if "train" in parts and len(parts) > 1:  # what validates first: taking that out puts it right
            groups.append(sorted(group, key=lambda index: facts.splits[index] in ("train", "")))
    text = (
        "The same image, or nearly the same, is learned from and judged by: the accuracy shown will be too good. "
        "Take it out of one part."
    )
    return _finding("leak", "{} in training and in what judges", text, groups, facts)


def _contradictions(facts: Facts) -> list[Finding]:
    groups = [group for group in facts.equal if len({facts.labels[index] for index in group}) > 1]
    text = "The very same image lies in more than one class. Take the wrong ones out; which is right, you know."
    return _finding("contradiction", "{} in more than one class", text, groups, facts)


def _duplicates(facts: Facts) -> list[Finding]:
    text = (
        "Every pixel is equal. A repeat counts twice while learning, and when images are held back for validation "
        "it may stand on both sides."
    )
    groups = [group for group in facts.equal if len({facts.labels[index] for index in group}) == 1]
    return _finding("duplicate", "{} more than once", text, groups, facts)


def _near_duplicates(facts: Facts) -> list[Finding]:
    text = "They look the same by a perceptual hash: saved again, resized, or taken a moment later."
    return _finding("near_duplicate", "{} nearly the same", text, facts.near, facts)


def _imbalance(facts: Facts) -> list[Finding]:
    teaching = [label for label, part in zip(facts.labels, facts.splits, strict=True) if part in ("train", "")]
    counts = Counter(teaching)
    if len(counts) < 2:
        return []
    (most, many), (least, few) = counts.most_common()[0], counts.most_common()[-1]
    if many < IMBALANCED * few:
        return []
    text = (
        f"{facts.classes[most]} has {many:,} images to learn from, {facts.classes[least]} only {few:,}. Add images of "
        "it, or choose class weights or sampling under Rare classes when you train."
    )
    return [Finding("imbalance", f"Classes differ {many / few:.0f} times in size", text)]


def _tiny(facts: Facts) -> list[Finding]:
    shorter = [min(width, height) for width, height in zip(facts.widths, facts.heights, strict=True)]
    usual = sorted(shorter)[len(shorter) // 2] if shorter else 0
    groups = [(index,) for index, side in enumerate(shorter) if side < TINY_PX or side * TINY_SHARE < usual]
    if usual < TINY_PX:  # all are: that is what the data set is like
        return []
    text = f"Their shorter side is under {TINY_PX} px or a quarter of the usual {usual:,} px: little is left to see."
    return _finding("tiny", "{} much smaller than the rest", text, groups, facts)


IMBALANCED = 5  # times the smallest class
TINY_PX, TINY_SHARE = 16, 4
FINDERS = (_undecodable, _leaks, _contradictions, _duplicates, _near_duplicates, _tiny, _imbalance)


def _finding(kind: str, title: str, text: str, groups: Sequence[Sequence[int]], facts: Facts) -> list[Finding]:
    if not groups:
        return []
    count = sum(len(group) for group in groups)
    named = tuple(tuple(facts.ids[index] for index in group) for group in groups[:MOST_GROUPS])
    if len(groups) > MOST_GROUPS:
        text += f" The first {MOST_GROUPS:,} of {len(groups):,} groups are listed."
    return [Finding(kind, title.format(_images(count)), text, named, "exclude")]


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"


def _files(count: int) -> str:
    return f"{count:,} file{'s' * (count != 1)}"


def deviation(mean: Sequence[float], square: Sequence[float]) -> list[float]:
    """Standard deviation from means of values and of squares."""
    return [math.sqrt(max(0.0, of_squares - average**2)) for average, of_squares in zip(mean, square, strict=True)]
