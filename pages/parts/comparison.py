"""What sets runs apart, and which of them are one way tried with several seeds. Pure: records in, plain data out."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import mean
from typing import Any

import engine
from engine import Setting
from pages.parts import words
from storage import Run

LUCK = ("name", "seed", "data.split_seed")  # what differs between runs of one way
MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is not the same in all runs, in words, one value a run."""

    path: str
    label: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """Runs set up alike but for luck."""

    name: str
    runs: tuple[Run, ...]

    @property
    def values(self) -> list[float]:
        return [run.best_value for run in self.runs if run.best_value is not None]

    @property
    def mean(self) -> float | None:
        return mean(self.values) if self.values else None


def line_names(runs: Sequence[Run]) -> list[str]:
    """Names that stand for one run each: of several alike, the id says which."""
    often = Counter(run.name for run in runs)
    return [run.name if often[run.name] == 1 else f"{run.name} ({run.id})" for run in runs]


def differences(runs: Sequence[Run]) -> list[Difference]:
    """Settings whose values differ, in the order of the form; one that a run has no use for is a dash there."""
    found = [Difference("data.fingerprint", "Images", _fingerprints(runs))]
    found += [
        Difference(setting.path, setting.label, tuple(_told(setting, run.spec) for run in runs))
        for setting in engine.settings()
        if setting.path != "name"
    ]
    return [one for one in found if len(set(one.values)) > 1]


def ways(runs: Sequence[Run]) -> list[Way]:
    """Runs that differ in nothing but luck together, best mean first.

    A way is called what the names of its runs begin with ("head only" of "head only, seed 1"), where that tells all
    ways apart; else by the fewest settings that do.
    """
    apart = [one for one in differences(runs) if one.path not in LUCK]
    alike: dict[tuple[str, ...], list[Run]] = {}
    for place, run in enumerate(runs):
        alike.setdefault(tuple(_named(one, place) for one in apart), []).append(run)
    names = [_beginning([run.name for run in members]) for members in alike.values()]
    if "" in names or len(set(names)) < len(names):
        names = _fewest(list(alike))
    found = [Way(name, tuple(members)) for name, members in zip(names, alike.values(), strict=True)]
    return sorted(found, key=lambda way: -1.0 if way.mean is None else way.mean, reverse=True)


def verdict(found: Sequence[Way]) -> str:
    """Which way is best, by how much, and whether that is more than luck: one or two sentences."""
    known = [way for way in found if way.values]
    if len(known) < 2:
        return ""
    runs = [run for way in known for run in way.runs]
    if len({run.dataset_id for run in runs}) > 1 or len({run.dataset_fingerprint or "" for run in runs} - {""}) > 1:
        return "They were judged by different images: the higher accuracy is not the better way."
    first, second = known[0], known[1]
    lead = f"**{words.escaped(first.name)}** is best: {_values(first)}. "
    gap = 100 * (first.mean or 0) - 100 * (second.mean or 0)
    lead += f"That is {gap:.1f} points above {words.escaped(second.name)} ({_values(second)})"
    if min(len(first.values), len(second.values)) < 2:
        return lead + "; one run each does not tell skill from luck."
    is_clear = min(first.values) > max(second.values)
    return lead + ("; no run of it does as well." if is_clear else "; single runs of both overlap.")


def _values(way: Way) -> str:
    if len(way.values) == 1:
        return words.percent(way.mean)
    low, high = words.percent(min(way.values)), words.percent(max(way.values))
    return f"{words.percent(way.mean)} on average of {len(way.values)} runs, {low} to {high}"


def _beginning(names: Sequence[str]) -> str:
    """The words that all names begin with, without "seed 3" at their end."""
    parts = zip(*(re.findall(r"[^\W_]+|[\W_]+", name) for name in names), strict=False)
    shared = "".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, parts))
    return re.sub(r"[\s,;:_(-]*((seed|run|#)[\s,;:_#=-]*\d*\)?)?$", "", shared, flags=re.IGNORECASE)


def _fewest(values: Sequence[tuple[str, ...]]) -> list[str]:
    """Names from as few settings as tell the rows apart, the one that parts most of them first."""
    chosen: list[int] = []

    def parted(by: Sequence[int]) -> int:
        return len({tuple(row[place] for place in by) for row in values})

    while parted(chosen) < len(values):
        chosen.append(max(range(len(values[0])), key=lambda place: parted([*chosen, place])))
    shown = [[row[place] for place in sorted(chosen) if row[place] != words.DASH] for row in values]
    return [" · ".join(row) or f"way {place}" for place, row in enumerate(shown, start=1)]


def _named(one: Difference, place: int) -> str:
    """A value that can stand without its setting beside it: "4" does not say what is four."""
    value = one.values[place]
    return f"{one.label} {value}" if value in ("yes", "no") or value[:1].isdigit() else value


def _fingerprints(runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple((run.dataset_fingerprint or words.DASH)[:8] for run in runs)


def _told(setting: Setting, spec: dict[str, Any]) -> str:
    if not spec:  # a run of another program
        return words.DASH
    if setting.when is not None and _value(spec, setting.when[0]) not in (*setting.when[1], MISSING):
        return words.DASH
    value = _value(spec, setting.path)
    value = setting.default if value is MISSING else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_label(setting, one) for one in value) or words.DASH
    return words.number(value) if isinstance(value, float) else _label(setting, value)


def _label(setting: Setting, value: Any) -> str:
    row = engine.TABLES.get(setting.choices, {}).get(value) if isinstance(setting.choices, str) else None
    return str(row.label if row is not None else value) or words.DASH


def _value(spec: dict[str, Any], path: str) -> Any:
    inner: Any = spec
    for part in path.split("."):
        inner = inner.get(part, MISSING) if isinstance(inner, dict) else MISSING
    return inner
