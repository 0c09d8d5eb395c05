"""Which images train, which validate, which test."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import Problem, Refused
from engine.specs import Data


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of each part, (k,) int64, ascending; `test` may be empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split(
    labels: np.ndarray,
    splits: Sequence[str],
    *,
    fraction: float,
    seed: int,
    test_fraction: float = 0.0,
    groups: Sequence[str] | None = None,
    left_out: np.ndarray | None = None,
) -> Split:
    """The parts a data set came with; those it lacks are held back from its training images by `seed`.

    Held-back parts are stratified: every class with two images or more is in both. With `groups` whole groups are held
    back, so that none is on two sides, and shares are met as nearly as groups allow.

    Args:
        labels: (n,) int64, indices of classes.
        splits: (n,) the part that each image came in; "" where the data set is not split.
        fraction: Of each class for validation, where there is no such part.
        test_fraction: Of each class for a test part, where there is no such part; 0 makes none.
        seed: Of what is held back.
        groups: (n,) what images belong to.
        left_out: (k,) int64, indices that are in no part.
    """
    names = np.asarray(splits)
    train, validation, test = (np.flatnonzero(np.isin(names, own)) for own in PARTS)
    if left_out is not None:
        train, validation, test = (np.setdiff1d(part, left_out) for part in (train, validation, test))
    rng = np.random.default_rng(seed)
    of = np.asarray(groups) if groups is not None else None
    whole = len(train)
    if not len(validation):
        validation = _held_back(labels, train, fraction, rng, of)
        train = np.setdiff1d(train, validation)
    if not len(test) and test_fraction and len(train):
        test = _held_back(labels, train, min(test_fraction * whole / len(train), 0.9), rng, of)
        train = np.setdiff1d(train, test)
    return Split(train, validation, test)


def groups_of(ids: Sequence[str], pattern: str) -> list[str]:
    """What a regular expression finds in each id: its first group, or the whole match.

    Raises:
        Refused: It is no regular expression, or finds nothing in some id.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise _refused(pattern, f"is no regular expression: {error}") from None
    found = []
    for one in ids:
        match = compiled.search(one)
        if match is None:
            raise _refused(pattern, f"finds nothing in {one}; it must fit every file name")
        found.append(match[1] or "" if compiled.groups else match[0])
    if len(set(found)) < 2:
        raise _refused(pattern, "puts all images into one group; nothing could be held back")
    return found


def parts_of(
    ids: Sequence[str], labels: np.ndarray, splits: Sequence[str], data_spec: Data, excluded: Iterable[str]
) -> Split:
    """Which images train, validate and test.

    Args:
        ids: (n,) names of images.
        labels: (n,) int64, indices of classes.
        splits: (n,) the part that each image came in; "" where the data set is not split.
        data_spec: How what is missing is held back.
        excluded: Names of images that are in no part.

    Raises:
        Refused: The pattern of groups does not fit.
    """
    parts = split(
        labels,
        splits,
        fraction=data_spec.validation_fraction,
        seed=data_spec.split_seed,
        test_fraction=data_spec.test_fraction,
        groups=groups_of(ids, data_spec.group_by) if data_spec.group_by else None,
        left_out=left_out_of(ids, excluded),
    )
    if data_spec.group_by and not len(parts.validation):
        raise _refused(
            data_spec.group_by, "leaves nothing to judge by: no group can be held back without losing a class"
        )
    if not len(parts.validation):
        few = (
            "leaves nothing to judge by: every class has a single image left; add images, or take excluded ones back in"
        )
        raise Refused([Problem("data.dataset", data_spec.dataset, few)])
    return parts


def left_out_of(ids: Sequence[str], excluded: Iterable[str]) -> np.ndarray:
    """Indices of the excluded images: (k,) int64."""
    out = set(excluded)
    return np.array([place for place, one in enumerate(ids) if one in out], dtype=np.int64)


def _held_back(
    labels: np.ndarray, among: np.ndarray, fraction: float, rng: np.random.Generator, groups: np.ndarray | None
) -> np.ndarray:
    if groups is not None:
        return _whole_groups(labels, among, fraction, rng, groups)
    held = []
    for label in np.unique(labels[among]):
        of_class = rng.permutation(among[labels[among] == label])
        share = round(len(of_class) * fraction)
        held.append(of_class[: min(max(share, 1), len(of_class) - 1)])
    return np.sort(np.concatenate(held)) if held else among[:0]


def _whole_groups(
    labels: np.ndarray, among: np.ndarray, fraction: float, rng: np.random.Generator, groups: np.ndarray
) -> np.ndarray:
    """Groups by chance, each taken while it brings the classes nearer to their shares and leaves some of each to learn;
    where every group is too large for that, the smallest that can be spared.
    """
    _, group_of = np.unique(groups[among], return_inverse=True)
    members = np.split(among[np.argsort(group_of, kind="stable")], np.cumsum(np.bincount(group_of))[:-1])
    classes = int(labels.max()) + 1
    counts = np.bincount(labels[among], minlength=classes)
    target, held = counts * fraction, np.zeros(classes)
    taken, spared = [], []
    for group in rng.permutation(len(members)):
        brings = np.bincount(labels[members[group]], minlength=classes)
        after = held + brings
        if (after < counts)[brings > 0].all():
            spared.append(members[group])
            if np.abs(target - after).sum() < np.abs(target - held).sum():
                held = after
                taken.append(members[group])
    if spared and not taken:
        taken = [min(spared, key=len)]
    return np.sort(np.concatenate(taken)) if taken else among[:0]


def _refused(pattern: str, message: str) -> Refused:
    return Refused([Problem("data.group_by", pattern, message)])


PARTS = (("train", ""), ("validation",), ("test",))
