"""Runs taken together: by what is alike in them but luck, or by any one setting. Pure: records in, plain data out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from pages.parts import formatting as words
from pages.parts.analysis.comparison.differences import LUCK, Difference
from storage import Run

EACH, SEEDS = "each", "seeds"  # beside the paths of settings: what runs can be grouped by


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that are one line of a chart and one side of a comparison."""

    key: str  # the same as long as it stands for the same
    name: str
    runs: tuple[Run, ...]


def groups(runs: Sequence[Run], names: Sequence[str], apart: Sequence[Difference], by: str) -> list[Group]:
    """Groups in the order of their first runs: each run alone, all seeds of a way, or a value of the setting `by`.

    Args:
        runs: Those to be grouped.
        names: What to call each of them, in their order.
        apart: What sets them apart, setting by setting.
        by: `EACH`, `SEEDS`, or the path of a setting in `apart`.
    """
    if by == SEEDS:
        return ways(runs, names, apart)
    setting = next((one for one in apart if one.path == by), None)
    if setting is None:
        return [Group(run.id, name, (run,)) for name, run in zip(names, runs, strict=True)]
    alike: dict[str, list[Run]] = {}
    for run, value in zip(runs, setting.values, strict=True):
        alike.setdefault(value, []).append(run)
    return [Group(f"{by}={value}", _named(setting.label, value), tuple(own)) for value, own in alike.items()]


def ways(runs: Sequence[Run], names: Sequence[str], apart: Sequence[Difference]) -> list[Group]:
    """Runs that differ in nothing but luck together, then each alone that another program trained.

    A way is called what the names of its runs begin with ("head only" of "head only, seed 1"), where that tells all
    ways apart; else by the fewest settings that do.
    """
    settings = [one for one in apart if one.path not in LUCK]
    alike: dict[tuple[str, ...], list[Run]] = {}
    for place, run in enumerate(runs):
        if run.spec:
            alike.setdefault(tuple(_named(one.label, one.values[place]) for one in settings), []).append(run)
    called = [_beginning([run.name for run in members]) for members in alike.values()]
    if "" in called or len(set(called)) < len(called):
        called = _fewest(list(alike))
    together = [Group(f"{SEEDS}={name}", name, tuple(own)) for name, own in zip(called, alike.values(), strict=True)]
    # a run of another program may be called what a way is called: one name is one line and one colour
    alone = [
        Group(run.id, f"{name} (imported)" if name in called else name, (run,))
        for run, name in zip(runs, names, strict=True)
        if not run.spec
    ]
    return together + alone


def _beginning(names: Sequence[str]) -> str:
    """The words that all names begin with, without "seed 3" at their end."""
    parts = zip(*(re.findall(r"[^\W_]+|[\W_]+", name) for name in names), strict=False)
    shared = "".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, parts))
    return re.sub(r"[\s,;:_(-]*((seed|run|시드|#)[\s,;:_#=-]*\d*\)?)?$", "", shared, flags=re.IGNORECASE)


def _fewest(values: Sequence[tuple[str, ...]]) -> list[str]:
    """Names from as few settings as tell the rows apart, the one that parts most of them first."""
    chosen: list[int] = []

    def parted(by: Sequence[int]) -> int:
        return len({tuple(row[place] for place in by) for row in values})

    while parted(chosen) < len(values):
        chosen.append(max(range(len(values[0])), key=lambda place: parted([*chosen, place])))
    shown = [[row[place] for place in sorted(chosen) if row[place] != words.DASH] for row in values]
    return [" · ".join(row) or f"way {place}" for place, row in enumerate(shown, start=1)]


def _named(label: str, value: str) -> str:
    """A value that can stand without its setting beside it: "4" does not say what is four."""
    return f"{label} {value}" if value in ("yes", "no", words.DASH) or value[:1].isdigit() else value
