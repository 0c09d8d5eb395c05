"""Scalars out of TensorBoard's event files, whoever wrote them, under the names that metrics have here."""

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import Problem, Refused, Unavailable
from engine.extras import EXTRA, without_tensorflow

MOST_POINTS = 1_000_000
DEEPEST = 2  # folders in folders that are looked into: a whole disk is not meant
LAST_MOMENT = 253_402_300_799  # the end of the year 9999: what comes after it has no date
PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "dev": "val",
    "test": "test",
}
KINDS = {"loss": "loss", "accuracy": "accuracy", "acc": "accuracy"}
SAID_BESIDE = {"epoch"}  # Keras and Lightning say so of what they log once an epoch

Points = list[tuple[int, float, float]]  # (step, Unix seconds, value)


@dataclass(slots=True)
class Scalars:
    """What was read: points by metric, and remarks for people."""

    metrics: dict[str, Points] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_scalars(path: Path) -> Scalars:
    """All scalars of one run: an event file, or a folder of them with, perhaps, folders for its parts in it.

    Raises:
        Unavailable: The `tensorboard` package is not there.
        Refused: There are no event files, none of them holds scalars, or they are of several runs.
    """
    loader = _loader()
    read = Scalars()
    renamed = []
    left_out: Counter[str] = Counter()
    for folder, files in _of_one_run(path).items():
        events = (event for file in files for event in loader(str(file)).Load())
        for tag, points in _points(events, left_out).items():
            own = f"{folder}/{tag}" if folder else tag
            name = metric_name(own)
            name = own if name in read.metrics else name
            renamed += [f"{own} as {name}"] if name != own else []
            read.metrics[name] = points
    lacking = ", ".join(f"{count:,} that {why}" for why, count in left_out.items())
    lacking = f"Values left out: {lacking}." if lacking else ""
    count = sum(map(len, read.metrics.values()))
    if not 0 < count <= MOST_POINTS:
        problem = f"at most {MOST_POINTS:,} points are taken, and it has {count:,}" if count else "it holds no scalars"
        raise Refused([Problem("path", str(path), f"{problem}. {lacking}" if lacking else problem)])
    read.remarks += [lacking] if lacking else []
    read.remarks += [f"Taken as {', '.join(renamed)}."] if renamed else []
    read.remarks += _as_shares(read.metrics)
    return read


def metric_name(tag: str) -> str:
    """The name that a metric has here: "Loss/train", "train_loss" and "training/epoch_loss" are "train/loss"."""
    words = [word for word in re.split(r"[^a-z0-9]+", tag.lower()) if word and word not in SAID_BESIDE]
    parts, kinds = [PARTS[word] for word in words if word in PARTS], [KINDS[word] for word in words if word in KINDS]
    return f"{parts[0]}/{kinds[0]}" if len(words) == 2 and len(parts) == len(kinds) == 1 else tag


def _loader() -> Any:
    """
    Raises:
        Unavailable: The package is not there.
    """
    without_tensorflow()
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    except ImportError:
        raise Unavailable(f"Reading event files needs the tensorboard package: {EXTRA}") from None
    return EventFileLoader


def _of_one_run(path: Path) -> dict[str, list[Path]]:
    """Name of a part -> its event files, oldest first; "" for those of the run as a whole.

    Raises:
        Refused: There are none, or they are of several runs.
    """
    if path.is_file():
        return {"": [path]}
    if not path.is_dir():
        raise Refused([Problem("path", str(path), "there is no such file or folder on this machine")])
    found: dict[str, list[Path]] = {}
    for file in sorted(file for depth in range(DEEPEST + 1) for file in path.glob("*/" * depth + "*tfevents*")):
        if file.is_file():
            found.setdefault(file.parent.relative_to(path).as_posix().removeprefix("."), []).append(file)
    if not found:
        raise Refused([Problem("path", str(path), "no event file (events.out.tfevents...) lies in it")])
    if "" in found or all(name in PARTS for name in found):
        return found
    parted = [Path(name).parent if Path(name).name in PARTS else Path(name) for name in found]
    runs = list(dict.fromkeys(one.as_posix() for one in parted))
    if len(runs) == 1:
        return _of_one_run(path / runs[0])
    names = ", ".join(runs[:10])
    raise Refused([Problem("path", str(path), f"it holds {len(runs)} runs, give one of them: {names}")])


def _points(events: Iterable[Any], left_out: Counter[str]) -> dict[str, Points]:
    """Tag -> its points in the order of steps. A writer that began anew at a step took back what came from there on.

    Args:
        left_out: Counts values that are no points, by what is wrong with them.
    """
    found: dict[str, Points] = {}
    of_scalars: set[str] = set()  # the first value of a tag says what it is
    for event in events:
        if event.session_log.status == event.session_log.START and event.step > 0:
            found = {tag: [one for one in points if one[0] < event.step] for tag, points in found.items()}
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "scalars":
                of_scalars.add(value.tag)
            if value.tag in of_scalars and 0 <= event.step < 2**62:
                read = _number(value.tensor)
                if read is None:
                    left_out["are not one number"] += 1
                elif not 0 <= event.wall_time < LAST_MOMENT:  # nor is NaN
                    left_out["have no time between the years 1970 and 9999"] += 1
                else:
                    found.setdefault(value.tag, []).append((event.step, event.wall_time, read))
    return {tag: sorted(points) for tag, points in found.items() if points}


def _number(tensor: Any) -> float | None:
    """None where it holds anything else: a vector, a text."""
    from tensorboard.util.tensor_util import make_ndarray

    try:
        made = make_ndarray(tensor)
    except (TypeError, ValueError):  # of a kind that it does not know, or not as long as its shape says
        return None
    value = made.item() if made.size == 1 else None
    return _short(value) if isinstance(value, int | float) else None


def _short(value: float) -> float:
    """They are kept in 32 bits: 0.9 comes back as 0.9, not as 0.8999999761581421."""
    with np.errstate(over="ignore"):  # what is beyond them is infinite
        return float(str(np.float32(value))) if math.isfinite(value) else value


def _as_shares(metrics: dict[str, Points]) -> list[str]:
    """Accuracies are from 0 to 1 here: those in per cent are divided."""
    changed = []
    for name, points in metrics.items():
        highest = max((value for _, _, value in points if math.isfinite(value)), default=0.0)
        if name.endswith("/accuracy") and 1.5 < highest <= 100:
            metrics[name] = [(step, at, value / 100) for step, at, value in points]
            changed.append(name)
    return [f"Read as per cent: {', '.join(changed)}."] if changed else []
