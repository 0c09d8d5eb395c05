"""The comparison in sentences: what is best, by how much, at what cost, and how sure that is. Pure."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean, median
from typing import Literal

from pages.parts import words
from pages.parts.by_image import ByImage
from pages.parts.compared_tables import counted, values_of
from pages.parts.figures.palette import Palette
from pages.parts.groups import Group
from pages.parts.measured import Measured
from pages.parts.quantities import Quantity
from pages.parts.settings_table import dot
from storage import Run, RunState

WORTH_A_WORD = 0.8  # share: what costs more than that of another saves too little
NEAR = 1.0  # points: what is so near to the best may be the better choice
ALIKE = 0.05  # share: costs that differ by less are the same
COSTS = (("memory", "memory"), ("seconds", "time"), ("parameters", "parameters"))
MOST_CLASSES = 3
SPLIT = ("validation_fraction", "split_seed", "group_by")
Images = Literal["same", "fewer", "unknown", "other"]
FEW = 20  # cases: luck that parts runs so in one of fewer is told
APART = {
    "other": "They were judged by different images, so the higher value is not the better run",
    "fewer": "Images were excluded in between, so the higher value need not be the better run",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How names are set in a kind of text."""

    strong: Callable[[str], str]
    soft: Callable[[str], str]


PLAIN = Style(str, str)


def painted(colours: Mapping[str, str], palette: Palette) -> Style:
    """For HTML: names beside the colours they wear."""
    return Style(
        lambda name: (
            f'<span style="white-space:nowrap">{dot(colours.get(name), palette)}</span><b>{html.escape(name)}</b>'
        ),
        lambda name: f"<i>{html.escape(name)}</i>",
    )


@dataclass(frozen=True, slots=True)
class Side:
    """A group with its values, in the unit of its quantity."""

    group: Group
    values: list[float]

    @property
    def mean(self) -> float:
        return fmean(self.values)


def ranked(groups: Sequence[Group], measured: Mapping[str, Measured], best: Quantity) -> list[Side]:
    """Groups that have a value, the best mean first."""
    sides = [Side(group, values_of(group, measured, best)) for group in groups]
    return sorted((one for one in sides if one.values), key=lambda one: one.mean, reverse=not best.lowest)


def written(
    groups: Sequence[Group],
    measured: Mapping[str, Measured],
    rows: Mapping[str, Quantity],
    style: Style,
    by_image: ByImage | None = None,
    kinds: Mapping[str, int] | None = None,
    sources: Mapping[str, str | None] | None = None,
) -> list[str]:
    """Some sentences; [] of one group alone.

    Args:
        kinds: By run id, the same for runs that differ in nothing but luck.
        sources: By run id, the fingerprint of its images before any was excluded, where that is known.
    """
    best = rows["best"]
    sides = ranked(groups, measured, best)
    if len(groups) < 2:
        return []
    if len(sides) < 2:
        only = f"Only {style.strong(sides[0].group.name)} has a value: {_values(sides[0], best)}." if sides else ""
        return [*filter(None, [only]), *_missing(groups)]
    first, second = sides[0], sides[1]
    runs = [run for side in sides for run in side.group.runs]
    images, are_two = judged(runs, sources or {}), len(runs) == 2
    if images == "other":
        by_image = None  # ids may be those of other images
    elif are_two and by_image and by_image.are_all:
        images = "same"  # what was said of each of them was kept
    if images in APART:
        return [_apart(sides, best, style, APART[images]), *_shared(by_image if are_two else None, sides, style)]
    mostly = _mostly(by_image, style) if by_image and by_image.gained > by_image.lost else ""
    alike = {
        (kinds or {}).get(run.id, -place) for place, run in enumerate((*first.group.runs, *second.group.runs), start=1)
    }
    told = [_pair(first, second, best, style, mostly) if len(sides) == 2 else _first(sides, best, style, mostly)]
    told += _costs(first, second, measured, rows, style) if len(sides) == 2 else _cheaper(sides, measured, rows, style)
    told.append(_sureness(first, second, best, style, alike))
    told += _otherwise(sides, best, style, kinds or {})
    if by_image and len(alike) > 1:  # of seeds it would seem to say more than luck
        told.append(_chance(by_image, first, second))
    told += ["It is not known whether the same images judged them."] if images == "unknown" else []
    if not (are_two and by_image and by_image.are_all) and not _same_split(runs):
        told.append("Their splits differ: they may have been judged by different images.")
    return [*told, *_missing(groups)]


def judged(runs: Sequence[Run], sources: Mapping[str, str | None]) -> Images:
    """Whether the same images judged all of them, as far as their records tell."""
    prints = {run.dataset_fingerprint for run in runs} - {None, ""}
    if len({run.dataset_id for run in runs} - {""}) > 1:
        return "other"
    if len(prints) > 1:
        before = {sources.get(run.id) for run in runs}
        return "fewer" if len(before) == 1 and None not in before else "other"
    return "same" if all(run.dataset_id for run in runs) else "unknown"


def _same_split(runs: Sequence[Run]) -> bool:
    """Whether they held back the same share of the images by the same chances, as far as is known."""
    splits = [{name: run.spec.get("data", {}).get(name) for name in SPLIT} for run in runs if run.spec]
    return all(one == splits[0] for one in splits)


def chance_of(gained: int, lost: int) -> float:
    """How likely a split at least so uneven is if each image could as well have gone the other way (sign test)."""
    from scipy.special import bdtr  # late: a page without two runs to compare does not wait for it

    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def by_chance(gained: int, lost: int) -> str:
    """How easily chance alone parts images so unevenly."""
    share = chance_of(gained, lost)
    if share < 0.01:
        return "hardly by chance"
    return f"a split as uneven comes about by chance in {round(100 * share)} of 100 cases"


def _pair(first: Side, second: Side, best: Quantity, style: Style, mostly: str) -> str:
    names = style.strong(first.group.name), style.strong(second.group.name)
    gap = _gap(first.mean, second.mean, best)
    if gap is None:
        return f"{names[0]} and {names[1]} do equally well: {_values(first, best)}."
    return f"{names[0]} beats {names[1]} by {gap}: {_values(first, best)} against {_values(second, best)}{mostly}."


def _first(sides: Sequence[Side], best: Quantity, style: Style, mostly: str) -> str:
    first, second = sides[0], sides[1]
    gap = _gap(first.mean, second.mean, best)
    name = style.strong(second.group.name)
    if as_good := sum(_gap(second.mean, side.mean, best) is None for side in sides[2:]):
        name += f" and {as_good:,} more"
    above = f"{gap} better than {name}{mostly}" if gap else f"and {name} {'do' if as_good else 'does'} as well"
    middle = _gap(first.mean, median(side.mean for side in sides), best)
    over = f", and {middle} better than the median" if middle and len(sides) > 3 else ""
    return f"{style.strong(first.group.name)} is best of {len(sides):,}: {_values(first, best)}, {above}{over}."


def _costs(
    first: Side, second: Side, measured: Mapping[str, Measured], rows: Mapping[str, Quantity], style: Style
) -> list[str]:
    """1.6× the memory, 1.3× the time, the same weights."""
    told = []
    for key, name in COSTS:
        share = _share(first.group, second.group, key, measured, rows)
        if share is not None:
            told.append(f"the same {name}" if abs(share - 1) < ALIKE else f"{times(share)} the {name}")
    return [f"It takes {_listed(told)}."] if told else []


def _cheaper(
    sides: Sequence[Side], measured: Mapping[str, Measured], rows: Mapping[str, Quantity], style: Style
) -> list[str]:
    """What is nearly as good for a good deal less."""
    first, best = sides[0], rows["best"]
    near = NEAR if best.unit == "%" else abs(first.mean) * NEAR / 100
    told: list[str] = []
    for key, name in COSTS:
        found = [
            (share, side)
            for side in sides[1:]
            if abs(side.mean - first.mean) <= near
            and (share := _share(side.group, first.group, key, measured, rows)) is not None
        ]
        if found and (cheapest := min(found, key=lambda one: one[0]))[0] <= WORTH_A_WORD:
            side = cheapest[1]
            told.append(f"{style.strong(side.group.name)} ({_values(side, best)}) for {times(cheapest[0])} the {name}")
    within = "a point" if best.unit == "%" else "1 %"
    return [f"Within {within} of it: {_listed(told)}."] if told else []


def _sureness(first: Side, second: Side, best: Quantity, style: Style, alike: set[int]) -> str:
    """`alike` holds a number for each way that their runs are set up, seeds aside."""
    if not all(run.state is RunState.FINISHED for run in (*counted(first.group), *counted(second.group))):
        return "Not all of them ran to their end, which alone may be what lies between them."
    if len(alike) == 1:
        return "The two are set up alike, seeds aside: what lies between them is luck."
    single = [side for side in (first, second) if len(side.values) == 1]
    if len(single) == 2:
        return "One run each does not tell skill from luck: train both with a few seeds to be sure."
    name = style.strong(second.group.name)
    if single:
        return (
            f"A single run of {style.strong(single[0].group.name)} does not tell skill from luck: "
            "train it with a few seeds to be sure."
        )
    is_clear = max(first.values) < min(second.values) if best.lowest else min(first.values) > max(second.values)
    if not is_clear:
        more = "more seeds would tell" if len(alike) == 2 else "what else differs between them matters as much"
        return f"Single runs of it and of {name} overlap: {more}."
    cases = comb(len(first.values) + len(second.values), len(first.values)) // 2
    luck = f", as luck alone would have it in 1 of {cases} cases" if cases < FEW else ""
    else_ = "" if len(alike) == 2 else " More than that differs between them and may be the reason."
    return f"Each of its {len(first.values)} runs does better than each of {name}{luck}.{else_}"


def _otherwise(sides: Sequence[Side], best: Quantity, style: Style, kinds: Mapping[str, int]) -> list[str]:
    """Where seeds of one way lead, what comes after them."""
    first, second, *rest = sides
    alike = {kinds.get(run.id) for run in (*first.group.runs, *second.group.runs)}
    other = next((side for side in rest if alike.isdisjoint(kinds.get(run.id) for run in side.group.runs)), None)
    gap = _gap(first.mean, other.mean, best) if other and len(alike) == 1 and None not in alike else None
    if other is None or gap is None:
        return []
    return [
        f"The best that is set up otherwise is {style.strong(other.group.name)}, {gap} behind: {_values(other, best)}."
    ]


def _chance(by_image: ByImage, first: Side, second: Side) -> str:
    """Of groups it tells of their best runs."""
    alone = len(first.group.runs) == len(second.group.runs) == 1
    one, other = ("it gets", "the other") if alone else ("its best run gets", "the best of the other")
    images = words.count(by_image.images, "image") + ("" if by_image.are_all else " that judged both")
    if by_image.gained == by_image.lost == 0:
        return f"Of {images} both get the same right."
    told = f"Of {images} {one} {by_image.gained:,} right that {other} gets wrong, and {by_image.lost:,} the other way"
    return f"{told} round: {by_chance(by_image.gained, by_image.lost)}."


def _shared(by_image: ByImage | None, sides: Sequence[Side], style: Style) -> list[str]:
    """What can be said of two that were judged by some of the same images."""
    if by_image is None:
        return []
    first, second = (style.strong(side.group.name) for side in sides)
    other = by_image.right - by_image.gained + by_image.lost
    told = f"Of the {words.count(by_image.images, 'image')} that judged both, {first} gets {by_image.right:,} right"
    return [f"{told} and {second} {other:,}: {by_chance(by_image.gained, by_image.lost)}."]


def _mostly(by_image: ByImage, style: Style) -> str:
    """The classes that gain most of the images, where few of them do."""
    gains = sorted(((gained - lost, name) for name, gained, lost in by_image.classes), reverse=True)
    total = sum(gain for gain, _ in gains if gain > 0)
    chosen, reached = [], 0
    for gain, name in gains[:MOST_CLASSES]:
        if gain <= 0 or 2 * reached >= total:
            break
        chosen.append(style.soft(name))
        reached += gain
    return f", mostly on {_listed(chosen)}" if chosen and 2 * reached >= total else ""


def _missing(groups: Sequence[Group]) -> list[str]:
    """What has no value, or not its last."""
    runs = [run for group in groups for run in group.runs]
    on = sum(not run.state.is_over for run in runs)
    early = [run for run in runs if run.state in (RunState.STOPPED, RunState.FAILED)]
    none = sum(run.best_value is None for run in early)
    told = [f"{words.count(on, 'run')} {'is' if on == 1 else 'are'} not over yet"] if on else []
    told += [f"{words.count(len(early) - none, 'run')} ended early"] if len(early) > none else []
    told += [f"{words.count(none, 'run')} ended without a value"] if none else []
    return [f"{_listed(told)[0].upper()}{_listed(told)[1:]}."] if told else []


def _apart(sides: Sequence[Side], best: Quantity, style: Style, why: str) -> str:
    shown = [f"{style.strong(side.group.name)} {_values(side, best)}" for side in sides[:4]]
    return f"{why}: {_listed(shown)}."


def _share(
    one: Group, other: Group, key: str, measured: Mapping[str, Measured], rows: Mapping[str, Quantity]
) -> float | None:
    """What one costs as a share of the other; None where that cannot be told or compared."""
    both = [measured[run.id] for run in (*one.runs, *other.runs)]
    if key == "seconds" and not all(each.run.state is RunState.FINISHED for each in both):
        return None
    kind = {"memory": lambda each: each.memory_of, "seconds": lambda each: each.run.device}.get(key)
    if kind and len({kind(each) for each in both}) > 1:
        return None
    mine, theirs = values_of(one, measured, rows[key]), values_of(other, measured, rows[key])
    return fmean(mine) / fmean(theirs) if mine and theirs and fmean(theirs) > 0 else None


def times(share: float) -> str:
    """1.6×, 0.25×, 12×."""
    return f"{share:.0f}×" if share >= 9.95 else f"{share:.1f}×" if share >= 0.95 else f"{share:.2g}×"


def _gap(first: float, second: float, best: Quantity) -> str | None:
    """In words; None when there is none to speak of."""
    gap = abs(first - second)
    if best.told(first) == best.told(second):
        return None
    if best.unit == "%":
        return None if gap < 0.05 else f"{gap:.1f} {'point' if f'{gap:.1f}' == '1.0' else 'points'}"
    return None if gap < 1e-9 else words.number(float(f"{gap:.2g}"))


def _values(side: Side, best: Quantity) -> str:
    if len(side.values) == 1:
        return best.told(side.values[0])
    low, high = best.told(min(side.values)), best.told(max(side.values))
    return f"{best.told(side.mean)} on average of {len(side.values)} runs ({low} to {high})"


def _listed(parts: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
