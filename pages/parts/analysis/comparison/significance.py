"""How sure a comparison is: whether the same images judged the runs, and what luck alone would do. Pure."""

from collections.abc import Mapping, Sequence
from math import comb
from typing import Literal

from pages.parts import formatting
from pages.parts.analysis.comparison.group_values import GroupValues, Style
from pages.parts.analysis.comparison.tables import counted
from pages.parts.analysis.quantities import Quantity
from pages.parts.analysis.results.by_image import ByImage
from storage import Run, RunState

FEW = 20  # cases: luck that parts runs so in one of fewer is told
SPLIT = ("validation_fraction", "split_seed", "group_by")
EvaluationImages = Literal["same", "fewer", "unknown", "other"]


def evaluation_images(runs: Sequence[Run], sources: Mapping[str, str | None]) -> EvaluationImages:
    """Whether the same images judged all of them, as far as their records tell."""
    prints = {run.dataset_fingerprint for run in runs} - {None, ""}
    if len({run.dataset_id for run in runs} - {""}) > 1:
        return "other"
    if len(prints) > 1:
        before = {sources.get(run.id) for run in runs}
        return "fewer" if len(before) == 1 and None not in before else "other"
    return "same" if all(run.dataset_id for run in runs) else "unknown"


def have_same_split(runs: Sequence[Run]) -> bool:
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


def seed_significance(first: GroupValues, second: GroupValues, best: Quantity, style: Style, alike: set[int]) -> str:
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


def chance_on_images(by_image: ByImage, first: GroupValues, second: GroupValues) -> str:
    """Of groups it tells of their best runs."""
    alone = len(first.group.runs) == len(second.group.runs) == 1
    one, other = ("it gets", "the other") if alone else ("its best run gets", "the best of the other")
    images = formatting.count(by_image.images, "image") + ("" if by_image.are_all else " that judged both")
    if by_image.gained == by_image.lost == 0:
        return f"Of {images} both get the same right."
    counts = f"Of {images} {one} {by_image.gained:,} right that {other} gets wrong, and {by_image.lost:,} the other way"
    return f"{counts} round: {by_chance(by_image.gained, by_image.lost)}."


def on_shared(by_image: ByImage | None, sides: Sequence[GroupValues], style: Style) -> list[str]:
    """What can be said of two that were judged by some of the same images."""
    if by_image is None:
        return []
    first, second = (style.strong(side.group.name) for side in sides)
    other = by_image.right - by_image.gained + by_image.lost
    counts = (
        f"Of the {formatting.count(by_image.images, 'image')} that judged both, {first} gets {by_image.right:,} right"
    )
    return [f"{counts} and {second} {other:,}: {by_chance(by_image.gained, by_image.lost)}."]
