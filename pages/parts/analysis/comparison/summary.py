"""The comparison in sentences: what is best, by how much, at what cost, and whether that is more than luck. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared
from pages.parts.analysis.comparison.group_values import GroupValues, Style, gap_of, listed, ranked, shown
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.comparison.significance import (
    EvaluationImages,
    by_chance,
    evaluation_images,
    have_same_split,
    one_in_permutations,
)
from pages.parts.analysis.comparison.tables import counted, values_of
from pages.parts.analysis.quantities import Quantity
from pages.parts.analysis.results.by_image import ByImage
from pages.parts.analysis.run_stats import RunStats
from storage import Run, RunState

WORTH_A_WORD = 0.8  # share: what costs more than that of another saves too little
NEAR = 1.0  # points: what is so near to the best may be the better choice
ALIKE = 0.05  # share: costs that differ by less are the same
FEW_CASES = 20  # luck that parts runs so in one of fewer cases is told
MOST_CLASSES = 3
MOST_VALUES = 4  # of groups that cannot be compared
COSTS = (("memory", "memory"), ("seconds", "time"), ("parameters", "parameters"))
NOT_COMPARABLE: dict[EvaluationImages, str] = {
    "other": "They were judged by different images, so the higher value is not the better run",
    "fewer": "Images were excluded in between, so the higher value need not be the better run",
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What all sentences are made of."""

    groups: Sequence[Group]
    ranking: Sequence[GroupValues]  # of those that have a value
    stats: Mapping[str, RunStats]  # by run id
    rows: Mapping[str, Quantity]
    setups: Mapping[str, int]  # by run id, the same for runs that differ in nothing but luck
    style: Style
    images: EvaluationImages
    by_image: ByImage | None

    @property
    def best(self) -> Quantity:
        return self.rows["best"]

    @property
    def runs(self) -> list[Run]:
        return [run for one in self.ranking for run in one.group.runs]

    @property
    def leading_setups(self) -> set[int]:
        """Of the first two groups; a run of another program is set up like none."""
        leading = [run for one in self.ranking[:2] for run in one.group.runs]
        return {self.setups.get(run.id, -place) for place, run in enumerate(leading, start=1)}

    @property
    def are_two_on_the_same_images(self) -> bool:
        return len(self.runs) == 2 and self.by_image is not None and self.by_image.are_all

    def name(self, one: GroupValues) -> str:
        return self.style.strong(one.group.name)

    def value(self, one: GroupValues) -> str:
        return shown(one, self.best)

    def gap(self, one: float, other: float) -> str | None:
        return gap_of(one, other, self.best)


def summary(compared: Compared, groups: Sequence[Group], style: Style, by_image: ByImage | None = None) -> list[str]:
    """Some sentences about the groups; [] of one alone.

    Args:
        compared: What is known of their runs.
        groups: Those of the comparison to write of.
        style: How names are set.
        by_image: The best runs of the best two groups, image by image, where both have kept that.
    """
    if len(groups) < 2:
        return []
    ranking = ranked(groups, compared.stats, compared.rows["best"])
    runs = [run for one in ranking for run in one.group.runs]
    images = evaluation_images(runs, compared.sources)
    if images == "other":
        by_image = None  # ids may be those of other images
    elif len(runs) == 2 and by_image and by_image.are_all:
        images = "same"  # what was said of each of them was kept
    facts = _Facts(groups, ranking, compared.stats, compared.rows, compared.setups, style, images, by_image)
    return [text for sentence in _sentences(facts) if (text := sentence(facts))]


def _sentences(facts: _Facts) -> Sequence[Callable[[_Facts], str]]:
    """What there is to say, in this order; each is "" where it has nothing to add."""
    if len(facts.ranking) < 2:
        return _only_value, _unfinished
    if facts.images in NOT_COMPARABLE:
        return _values_apart, _on_shared_images
    pair = len(facts.ranking) == 2
    return (
        _pair if pair else _first_of_many,
        _pair_costs if pair else _cheaper_ones,
        _luck,
        _next_setup,
        _gains_by_image,
        _unknown_images,
        _other_splits,
        _unfinished,
    )


def _only_value(facts: _Facts) -> str:
    if not facts.ranking:
        return ""
    only = facts.ranking[0]
    return f"Only {facts.name(only)} has a value: {facts.value(only)}."


def _values_apart(facts: _Facts) -> str:
    values = [f"{facts.name(one)} {facts.value(one)}" for one in facts.ranking[:MOST_VALUES]]
    return f"{NOT_COMPARABLE[facts.images]}: {listed(values)}."


def _on_shared_images(facts: _Facts) -> str:
    """What can be said of two runs that were evaluated on some of the same images."""
    by_image = facts.by_image
    if by_image is None or len(facts.runs) != 2:
        return ""
    first, second = map(facts.name, facts.ranking)
    others = by_image.right - by_image.gained + by_image.lost
    return (
        f"Of the {formatting.count(by_image.images, 'image')} that judged both, {first} gets {by_image.right:,} right "
        f"and {second} {others:,}: {by_chance(by_image.gained, by_image.lost)}."
    )


def _pair(facts: _Facts) -> str:
    first, second = facts.ranking
    gap = facts.gap(first.mean, second.mean)
    if gap is None:
        return f"{facts.name(first)} and {facts.name(second)} do equally well: {facts.value(first)}."
    return (
        f"{facts.name(first)} beats {facts.name(second)} by {gap}: "
        f"{facts.value(first)} against {facts.value(second)}{_gaining_classes(facts)}."
    )


def _first_of_many(facts: _Facts) -> str:
    first, second, *rest = facts.ranking
    name = facts.name(second)
    if as_good := sum(facts.gap(second.mean, one.mean) is None for one in rest):
        name += f" and {as_good:,} more"
    gap = facts.gap(first.mean, second.mean)
    does = "do" if as_good else "does"
    above = f"{gap} better than {name}{_gaining_classes(facts)}" if gap else f"and {name} {does} as well"
    middle = facts.gap(first.mean, median(one.mean for one in facts.ranking))
    over = f", and {middle} better than the median" if middle and len(facts.ranking) > 3 else ""
    return f"{facts.name(first)} is best of {len(facts.ranking):,}: {facts.value(first)}, {above}{over}."


def _gaining_classes(facts: _Facts) -> str:
    """The classes that gain most of the images, where few of them do."""
    by_image = facts.by_image
    if by_image is None or by_image.gained <= by_image.lost:
        return ""
    gains = sorted(((gained - lost, name) for name, gained, lost in by_image.classes), reverse=True)
    total = sum(gain for gain, _ in gains if gain > 0)
    chosen, reached = [], 0
    for gain, name in gains[:MOST_CLASSES]:
        if gain <= 0 or 2 * reached >= total:
            break
        chosen.append(facts.style.soft(name))
        reached += gain
    return f", mostly on {listed(chosen)}" if chosen and 2 * reached >= total else ""


def _pair_costs(facts: _Facts) -> str:
    """1.6× the memory, 1.3× the time, the same parameters."""
    first, second = facts.ranking
    shares = [(_cost_share(first.group, second.group, key, facts), name) for key, name in COSTS]
    costs = [
        f"the same {name}" if abs(share - 1) < ALIKE else f"{_times(share)} the {name}"
        for share, name in shares
        if share is not None
    ]
    return f"It takes {listed(costs)}." if costs else ""


def _cheaper_ones(facts: _Facts) -> str:
    """What is nearly as good for a good deal less."""
    first, *others = facts.ranking
    is_percent = facts.best.unit == "%"
    near = NEAR if is_percent else abs(first.mean) * NEAR / 100
    near_ones = [one for one in others if abs(one.mean - first.mean) <= near]
    savings = []
    for key, name in COSTS:
        shares = [(_cost_share(one.group, first.group, key, facts), one) for one in near_ones]
        known = [(share, one) for share, one in shares if share is not None]
        share, cheapest = min(known, key=lambda one: one[0], default=(1.0, first))
        if share <= WORTH_A_WORD:
            savings.append(f"{facts.name(cheapest)} ({facts.value(cheapest)}) for {_times(share)} the {name}")
    return f"Within {'a point' if is_percent else '1 %'} of it: {listed(savings)}." if savings else ""


def _luck(facts: _Facts) -> str:
    """Whether what lies between the first two may be luck."""
    first, second = facts.ranking[:2]
    if not all(run.state is RunState.FINISHED for one in (first, second) for run in counted(one.group)):
        return "Not all of them ran to their end, which alone may be what lies between them."
    if len(facts.leading_setups) == 1:
        return "The two are set up alike, seeds aside: what lies between them is luck."
    single = [one for one in (first, second) if len(one.values) == 1]
    if len(single) == 2:
        return "One run each does not tell skill from luck: train both with a few seeds to be sure."
    if single:
        return (
            f"A single run of {facts.name(single[0])} does not tell skill from luck: "
            "train it with a few seeds to be sure."
        )
    return _luck_of_seeds(facts)


def _luck_of_seeds(facts: _Facts) -> str:
    first, second = facts.ranking[:2]
    name, differ_in_one_way = facts.name(second), len(facts.leading_setups) == 2
    is_clear = max(first.values) < min(second.values) if facts.best.lowest else min(first.values) > max(second.values)
    if not is_clear:
        more = "more seeds would tell" if differ_in_one_way else "what else differs between them matters as much"
        return f"Single runs of it and of {name} overlap: {more}."
    cases = one_in_permutations(len(first.values), len(second.values))
    luck = f", as luck alone would have it in 1 of {cases} cases" if cases < FEW_CASES else ""
    else_ = "" if differ_in_one_way else " More than that differs between them and may be the reason."
    return f"Each of its {len(first.values)} runs does better than each of {name}{luck}.{else_}"


def _next_setup(facts: _Facts) -> str:
    """Where seeds of one way lead, what comes after them."""
    if len(facts.leading_setups) != 1:
        return ""
    first, _, *rest = facts.ranking
    for one in rest:
        if facts.leading_setups.isdisjoint(facts.setups.get(run.id) for run in one.group.runs):
            gap = facts.gap(first.mean, one.mean)
            behind = f"The best that is set up otherwise is {facts.name(one)}, {gap} behind: {facts.value(one)}."
            return behind if gap else ""
    return ""


def _gains_by_image(facts: _Facts) -> str:
    """Image by image, with the chance of it; of groups about their best runs."""
    by_image = facts.by_image
    if by_image is None or len(facts.leading_setups) == 1:  # of seeds it would seem to say more than luck
        return ""
    are_alone = all(len(one.group.runs) == 1 for one in facts.ranking[:2])
    one, other = ("it gets", "the other") if are_alone else ("its best run gets", "the best of the other")
    images = formatting.count(by_image.images, "image") + ("" if by_image.are_all else " that judged both")
    if by_image.gained == by_image.lost == 0:
        return f"Of {images} both get the same right."
    return (
        f"Of {images} {one} {by_image.gained:,} right that {other} gets wrong, and {by_image.lost:,} the other way "
        f"round: {by_chance(by_image.gained, by_image.lost)}."
    )


def _unknown_images(facts: _Facts) -> str:
    return "It is not known whether the same images judged them." if facts.images == "unknown" else ""


def _other_splits(facts: _Facts) -> str:
    if facts.are_two_on_the_same_images or have_same_split(facts.runs):
        return ""
    return "Their splits differ: they may have been judged by different images."


def _unfinished(facts: _Facts) -> str:
    """What has no value, or not its last."""
    runs = [run for group in facts.groups for run in group.runs]
    on = sum(not run.state.is_over for run in runs)
    early = [run for run in runs if run.state in (RunState.STOPPED, RunState.FAILED)]
    none = sum(run.best_value is None for run in early)
    parts = [f"{formatting.count(on, 'run')} {'is' if on == 1 else 'are'} not over yet"] if on else []
    parts += [f"{formatting.count(len(early) - none, 'run')} ended early"] if len(early) > none else []
    parts += [f"{formatting.count(none, 'run')} ended without a value"] if none else []
    return f"{listed(parts)[0].upper()}{listed(parts)[1:]}." if parts else ""


def _cost_share(one: Group, other: Group, key: str, facts: _Facts) -> float | None:
    """What one costs as a share of the other; None where that is not known or cannot be compared."""
    both = [facts.stats[run.id] for run in (*counted(one), *counted(other))]
    if key == "seconds" and not all(each.run.state is RunState.FINISHED for each in both):
        return None
    if not facts.rows[key].is_alike(both):
        return None
    mine, theirs = (values_of(group, facts.stats, facts.rows[key]) for group in (one, other))
    return fmean(mine) / fmean(theirs) if mine and theirs and fmean(theirs) > 0 else None


def _times(share: float) -> str:
    """1.6×, 0.25×, 12×."""
    return f"{share:.0f}×" if share >= 9.95 else f"{share:.1f}×" if share >= 0.95 else f"{share:.2g}×"
