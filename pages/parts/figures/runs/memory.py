"""Memory over steps: of each GPU where there is one, else of the training process."""

import re
from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, band, curve, line, pairs
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series

MIB = 2**20
RANK = re.compile(r"rank(\d+)/\w+_mb")
KINDS = ("allocated_mb", "reserved_mb", "peak_mb", "used_mb")
NAMES = {"allocated_mb": "allocated", "reserved_mb": "reserved", "peak_mb": "peak", "used_mb": "whole GPU"}


def memory(
    measured: Sequence[Series], *, palette: Palette, window: Window = EVERYTHING, marks: Sequence[Mark] = ()
) -> Option:
    """The option of the chart.

    Args:
        measured: Series in MiB: `memory/rss_mb`, `gpu0/allocated_mb`, ...
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    factor, unit = _unit(measured)
    colours = (palette.train, *palette.others)
    drawn, names = [], []
    for index, one in enumerate(measured):
        names.append(_name(one.name, several=sum(other.name.endswith("/used_mb") for other in measured) > 1))
        colour = colours[index % len(colours)]
        drawn.append(
            line(names[-1], pairs(one, factor=factor), colour, filled=len(measured) == 1, tooltip=f"%.2f {unit}")
        )
        drawn += band(one, colour, factor=factor) if len(measured) == 1 else []
    return curve(drawn, palette=palette, window=window, marks=marks, unit=f" {unit}", legend=names, from_zero=True)


def memory_names(names: Sequence[str]) -> list[str]:
    """Those metrics of a run that its memory chart shows, in the order of their lines."""
    for kind in ("allocated_mb", "rss_mb"):  # ranks beside each other: is the work shared evenly?
        of_ranks = {name: int(found[1]) for name in names if (found := RANK.fullmatch(name)) and name.endswith(kind)}
        if of_ranks:
            return sorted(of_ranks, key=of_ranks.__getitem__)
    of_gpus = sorted(
        (name for name in names if name.startswith("gpu") and name.rpartition("/")[2] in KINDS),
        key=lambda name: (name.partition("/")[0], KINDS.index(name.rpartition("/")[2])),
    )
    return of_gpus or [name for name in names if name == "memory/rss_mb"]


def memory_title(names: Sequence[str]) -> str:
    if any(name.endswith("/allocated_mb") for name in names):
        return "GPU memory"
    return "Process memory (RSS)"


def _name(metric: str, *, several: bool) -> str:
    device, _, kind = metric.rpartition("/")
    if found := RANK.fullmatch(metric):
        return f"rank {found[1]} {NAMES.get(kind, '(RSS)')}"
    name = NAMES.get(kind, "process (RSS)")
    return f"{device.upper().replace('GPU', 'GPU ')} {name}" if several else name


def _unit(measured: Sequence[Series]) -> tuple[float, str]:
    """Factor from MiB and the unit that suits the largest value."""
    largest = max((value for one in measured for value in one.highs if value is not None), default=0.0)
    return (MIB / 1e9, "GB") if largest * MIB >= 1e9 else (MIB / 1e6, "MB")
