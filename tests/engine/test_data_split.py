"""Splits are disjoint, stratified and seeded, whatever the numbers of images."""

import numpy as np
import pytest

from engine.data.split import split


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


def test_a_test_part_judges_where_there_is_no_validation() -> None:
    parts = split(np.array([0, 1, 0, 1]), ["train", "train", "test", "test"], fraction=0.5, seed=0)
    assert (parts.train.tolist(), parts.validation.tolist(), parts.test.tolist()) == ([0, 1], [2, 3], [])


def test_train_alone_is_split() -> None:
    parts = split(np.repeat([0, 1], 10), ["train"] * 20, fraction=0.2, seed=0)
    assert (len(parts.train), len(parts.validation)) == (16, 4)
