"""The comparison in sentences: what is best, by how much, at what cost, and how sure that is. Pure."""

from collections.abc import Mapping, Sequence
from statistics import fmean, median

from pages.parts import formatting
from pages.parts.analysis.comparison.group_values import GroupValues, Style, gap_of, listed, ranked, shown
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.comparison.significance import (
    chance_on_images,
    evaluation_images,
    have_same_split,
    on_shared,
    seed_significance,
)
from pages.parts.analysis.comparison.tables import counted, values_of
from pages.parts.analysis.quantities import Quantity
from pages.parts.analysis.results.by_image import ByImage
from pages.parts.analysis.run_stats import RunStats
from storage import RunState

WORTH_A_WORD = 0.8  # share: what costs more than that of another saves too little
NEAR = 1.0  # points: what is so near to the best may be the better choice
ALIKE = 0.05  # share: costs that differ by less are the same
COSTS = (("memory", "memory"), ("seconds", "time"), ("parameters", "parameters"))
MOST_CLASSES = 3
APART = {
    "other": "They were judged by different images, so the higher value is not the better run",
    "fewer": "Images were excluded in between, so the higher value need not be the better run",
}


def summary(
    groups: Sequence[Group],
    stats: Mapping[str, RunStats],
    rows: Mapping[str, Quantity],
    style: Style,
    by_image: ByImage | None = None,
    setups: Mapping[str, int] | None = None,
    sources: Mapping[str, str | None] | None = None,
) -> list[str]:
    """Some sentences; [] of one group alone.

    Args:
        kinds: By run id, the same for runs that differ in nothing but luck.
        sources: By run id, the fingerprint of its images before any was excluded, where that is known.
    """
    best = rows["best"]
    sides = ranked(groups, stats, best)
    if len(groups) < 2:
        return []
    if len(sides) < 2:
        only = f"Only {style.strong(sides[0].group.name)} has a value: {shown(sides[0], best)}." if sides else ""
        return [*filter(None, [only]), *_missing(groups)]
    first, second = sides[0], sides[1]
    runs = [run for side in sides for run in side.group.runs]
    images, are_two = evaluation_images(runs, sources or {}), len(runs) == 2
    if images == "other":
        by_image = None  # ids may be those of other images
    elif are_two and by_image and by_image.are_all:
        images = "same"  # what was said of each of them was kept
    if images in APART:
        return [_apart(sides, best, style, APART[images]), *on_shared(by_image if are_two else None, sides, style)]
    mostly = _mostly(by_image, style) if by_image and by_image.gained > by_image.lost else ""
    alike = {
        (setups or {}).get(run.id, -place) for place, run in enumerate((*first.group.runs, *second.group.runs), start=1)
    }
    told = [_pair(first, second, best, style, mostly) if len(sides) == 2 else _first(sides, best, style, mostly)]
    told += _costs(first, second, stats, rows, style) if len(sides) == 2 else _cheaper(sides, stats, rows, style)
    told.append(seed_significance(first, second, best, style, alike))
    told += _otherwise(sides, best, style, setups or {})
    if by_image and len(alike) > 1:  # of seeds it would seem to say more than luck
        told.append(chance_on_images(by_image, first, second))
    told += ["It is not known whether the same images judged them."] if images == "unknown" else []
    if not (are_two and by_image and by_image.are_all) and not have_same_split(runs):
        told.append("Their splits differ: they may have been judged by different images.")
    return [*told, *_missing(groups)]


def _pair(first: GroupValues, second: GroupValues, best: Quantity, style: Style, mostly: str) -> str:
    names = style.strong(first.group.name), style.strong(second.group.name)
    gap = gap_of(first.mean, second.mean, best)
    if gap is None:
        return f"{names[0]} and {names[1]} do equally well: {shown(first, best)}."
    return f"{names[0]} beats {names[1]} by {gap}: {shown(first, best)} against {shown(second, best)}{mostly}."


def _first(sides: Sequence[GroupValues], best: Quantity, style: Style, mostly: str) -> str:
    first, second = sides[0], sides[1]
    gap = gap_of(first.mean, second.mean, best)
    name = style.strong(second.group.name)
    if as_good := sum(gap_of(second.mean, side.mean, best) is None for side in sides[2:]):
        name += f" and {as_good:,} more"
    above = f"{gap} better than {name}{mostly}" if gap else f"and {name} {'do' if as_good else 'does'} as well"
    middle = gap_of(first.mean, median(side.mean for side in sides), best)
    over = f", and {middle} better than the median" if middle and len(sides) > 3 else ""
    return f"{style.strong(first.group.name)} is best of {len(sides):,}: {shown(first, best)}, {above}{over}."


def _costs(
    first: GroupValues, second: GroupValues, stats: Mapping[str, RunStats], rows: Mapping[str, Quantity], style: Style
) -> list[str]:
    """1.6× the memory, 1.3× the time, the same weights."""
    told = []
    for key, name in COSTS:
        share = _share(first.group, second.group, key, stats, rows)
        if share is not None:
            told.append(f"the same {name}" if abs(share - 1) < ALIKE else f"{times(share)} the {name}")
    return [f"It takes {listed(told)}."] if told else []


def _cheaper(
    sides: Sequence[GroupValues], stats: Mapping[str, RunStats], rows: Mapping[str, Quantity], style: Style
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
            and (share := _share(side.group, first.group, key, stats, rows)) is not None
        ]
        if found and (cheapest := min(found, key=lambda one: one[0]))[0] <= WORTH_A_WORD:
            side = cheapest[1]
            told.append(f"{style.strong(side.group.name)} ({shown(side, best)}) for {times(cheapest[0])} the {name}")
    within = "a point" if best.unit == "%" else "1 %"
    return [f"Within {within} of it: {listed(told)}."] if told else []


def _otherwise(sides: Sequence[GroupValues], best: Quantity, style: Style, setups: Mapping[str, int]) -> list[str]:
    """Where seeds of one way lead, what comes after them."""
    first, second, *rest = sides
    alike = {setups.get(run.id) for run in (*first.group.runs, *second.group.runs)}
    other = next((side for side in rest if alike.isdisjoint(setups.get(run.id) for run in side.group.runs)), None)
    gap = gap_of(first.mean, other.mean, best) if other and len(alike) == 1 and None not in alike else None
    if other is None or gap is None:
        return []
    return [
        f"The best that is set up otherwise is {style.strong(other.group.name)}, {gap} behind: {shown(other, best)}."
    ]


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
    return f", mostly on {listed(chosen)}" if chosen and 2 * reached >= total else ""


def _missing(groups: Sequence[Group]) -> list[str]:
    """What has no value, or not its last."""
    runs = [run for group in groups for run in group.runs]
    on = sum(not run.state.is_over for run in runs)
    early = [run for run in runs if run.state in (RunState.STOPPED, RunState.FAILED)]
    none = sum(run.best_value is None for run in early)
    told = [f"{formatting.count(on, 'run')} {'is' if on == 1 else 'are'} not over yet"] if on else []
    told += [f"{formatting.count(len(early) - none, 'run')} ended early"] if len(early) > none else []
    told += [f"{formatting.count(none, 'run')} ended without a value"] if none else []
    return [f"{listed(told)[0].upper()}{listed(told)[1:]}."] if told else []


def _apart(sides: Sequence[GroupValues], best: Quantity, style: Style, why: str) -> str:
    told = [f"{style.strong(side.group.name)} {shown(side, best)}" for side in sides[:4]]
    return f"{why}: {listed(told)}."


def _share(
    one: Group, other: Group, key: str, stats: Mapping[str, RunStats], rows: Mapping[str, Quantity]
) -> float | None:
    """What one costs as a share of the other; None where that cannot be told or compared."""
    both = [stats[run.id] for run in (*counted(one), *counted(other))]
    if key == "seconds" and not all(each.run.state is RunState.FINISHED for each in both):
        return None
    kind = {"memory": lambda each: each.memory_of, "seconds": lambda each: each.run.device}.get(key)
    if kind and len({kind(each) for each in both}) > 1:
        return None
    mine, theirs = values_of(one, stats, rows[key]), values_of(other, stats, rows[key])
    return fmean(mine) / fmean(theirs) if mine and theirs and fmean(theirs) > 0 else None


def times(share: float) -> str:
    """1.6×, 0.25×, 12×."""
    return f"{share:.0f}×" if share >= 9.95 else f"{share:.1f}×" if share >= 0.95 else f"{share:.2g}×"
