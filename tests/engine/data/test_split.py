"""Splits are disjoint, stratified and seeded, whatever the numbers of images."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.split import groups_of, parts_of, split
from engine.errors import Refused
from engine.specs import RunSpec


def label_sets() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sets = [np.array([0, 1]), np.array([0, 0, 1, 1, 1]), np.repeat(np.arange(10), 180)]
    return sets + [rng.integers(0, rng.integers(2, 9), rng.integers(2, 300)) for _ in range(40)]


@pytest.mark.parametrize("fraction", [0.05, 0.2, 0.5])
def test_held_back_images_are_of_every_class_and_no_others(fraction: float) -> None:
    for labels in label_sets():
        parts = split(labels, [""] * len(labels), fraction=fraction, seed=3)
        assert np.array_equal(np.sort(np.concatenate([parts.train, parts.validation])), np.arange(len(labels)))
        assert len(parts.test) == 0
        for label, count in zip(*np.unique(labels, return_counts=True), strict=True):
            held = (labels[parts.validation] == label).sum()
            assert (labels[parts.train] == label).any()
            assert held >= (count > 1)
            assert abs(held - fraction * count) <= 1


def test_the_seed_alone_decides() -> None:
    labels = np.repeat(np.arange(10), 50)
    one, same, other = (split(labels, [""] * 500, fraction=0.2, seed=seed).validation for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_given_parts_are_used_as_they_are() -> None:
    labels = np.array([0, 1] * 4)
    splits = ["train", "train", "validation", "validation", "test", "test", "train", "train"]
    parts = split(labels, splits, fraction=0.5, seed=0)
    assert parts.train.tolist() == [0, 1, 6, 7]
    assert parts.validation.tolist() == [2, 3]
    assert parts.test.tolist() == [4, 5]


def test_a_test_part_is_kept_for_the_end() -> None:
    parts = split(np.repeat([0, 1], 10), ["train", "train", "train", "train", "test"] * 4, fraction=0.25, seed=0)
    assert parts.test.tolist() == [4, 9, 14, 19]
    assert len(parts.validation) == 4
    assert not set(parts.test) & (set(parts.validation) | set(parts.train))


def test_shares_of_validation_and_test_are_of_all_images() -> None:
    parts = split(np.repeat([0, 1], 50), [""] * 100, fraction=0.2, test_fraction=0.3, seed=1)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [50, 20, 30]


def test_what_is_left_out_is_in_no_part_and_moves_no_other() -> None:
    labels, out = np.repeat([0, 1], 50), np.array([3, 70])
    parts = split(labels, [""] * 100, fraction=0.2, seed=1, left_out=out)
    assert sorted(np.concatenate([parts.train, parts.validation]).tolist()) == sorted(set(range(100)) - {3, 70})


@given(st.integers(0, 1000), st.floats(0.05, 0.5))
def test_a_group_is_never_on_two_sides(seed: int, fraction: float) -> None:
    groups = [f"patient{index // 4}" for index in range(120)]
    labels = np.array([(index // 4) % 3 for index in range(120)])
    parts = split(labels, [""] * 120, fraction=fraction, test_fraction=0.1, seed=seed, groups=groups)
    sides = [{groups[index] for index in part} for part in (parts.train, parts.validation, parts.test)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert len(parts.validation)
    assert set(labels[parts.train]) == {0, 1, 2}


def test_a_few_large_groups_still_leave_something_to_judge_by() -> None:
    groups = ["a"] * 60 + ["b"] * 40
    parts = split(np.tile([0, 1], 50), [""] * 100, fraction=0.2, seed=0, groups=groups)
    assert parts.validation.tolist() == list(range(60, 100))


def test_many_groups_take_no_time() -> None:
    count = 60_000
    groups = [f"{index:06d}" for index in range(count)]
    began = time.perf_counter()
    parts = split(np.arange(count) % 100, [""] * count, fraction=0.2, test_fraction=0.1, seed=0, groups=groups)
    assert time.perf_counter() - began < 20
    assert abs(len(parts.validation) - 12_000) < 200
    assert abs(len(parts.test) - 6_000) < 200


def test_groups_that_are_classes_are_refused() -> None:
    ids, labels = [f"{name}/{n}.png" for name in "ab" for n in range(10)], np.repeat([0, 1], 10)
    data = RunSpec.parse({"data": {"dataset": "x", "group_by": "^[ab]"}}).data
    with pytest.raises(Refused, match="leaves nothing to judge by"):
        parts_of(ids, labels, [""] * 20, data, ())


def test_groups_come_from_names_or_are_refused() -> None:
    assert groups_of(["a/p1_x.png", "a/p2_y.png"], r"p(\d)") == ["1", "2"]
    assert groups_of(["a/p1_x.png", "b/p1_y.png"], r"^\w+") == ["a", "b"]
    for pattern, words in (("(", "no regular expression"), ("q", "finds nothing in a/p1.png"), ("a", "one group")):
        with pytest.raises(Refused, match=words):
            groups_of(["a/p1.png", "a/p2.png"], pattern)


def test_train_alone_is_split() -> None:
    parts = split(np.repeat([0, 1], 10), ["train"] * 20, fraction=0.2, seed=0)
    assert (len(parts.train), len(parts.validation)) == (16, 4)
