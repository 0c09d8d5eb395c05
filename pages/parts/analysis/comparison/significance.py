"""What can be concluded from values: whether the same images evaluated the runs, and what luck alone would do. Pure."""

from collections.abc import Mapping, Sequence
from math import comb
from typing import Literal

from storage import Run

SPLIT = ("validation_fraction", "split_seed", "group_by")
EvaluationImages = Literal["same", "fewer", "unknown", "other"]


def evaluation_images(runs: Sequence[Run], sources: Mapping[str, str | None]) -> EvaluationImages:
    """Whether the same images evaluated all of them, as far as their records tell.

    Args:
        runs: Those that are compared.
        sources: By run id, the fingerprint of its images before any was excluded, where that is known.
    """
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


def sign_test(gained: int, lost: int) -> float:
    """How likely a split at least so uneven is if each image could as well have gone the other way (two-sided).

    Of two classifiers on the same images it is McNemar's test in its exact form (Dietterich 1998).
    """
    from scipy.special import bdtr  # late: a page without two runs to compare does not wait for it

    return min(1.0, 2 * float(bdtr(min(gained, lost), gained + lost, 0.5)))


def by_chance(gained: int, lost: int) -> str:
    """How easily chance alone parts images so unevenly."""
    share = sign_test(gained, lost)
    if share < 0.01:
        return "hardly by chance"
    return f"a split as uneven comes about by chance in {round(100 * share)} of 100 cases"


def one_in_permutations(first: int, second: int) -> int:
    """In one of how many cases luck parts `first` runs wholly from `second` ones, either way: a permutation test."""
    return comb(first + second, first) // 2
