"""Batches are what the textbook would compute, in an order that the generator alone decides."""

import numpy as np
import pytest
import torch

from engine.data.arrays import Arrays
from engine.data.batches import Batches, Pixels

CPU = torch.device("cpu")
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.25, 0.3]


def arrays(count: int) -> Arrays:
    """Labels are the images' own numbers, so that a test sees which came."""
    images = np.random.default_rng(0).integers(0, 256, (count, 5, 5, 3), dtype=np.uint8)
    return Arrays(images, np.arange(count))


def batches(count: int, batch_size: int, *, seed: int | None = None, indices: np.ndarray | None = None) -> Batches:
    shuffle = None if seed is None else torch.Generator().manual_seed(seed)
    chosen = np.arange(count) if indices is None else indices
    made = arrays(count)
    fetch = Pixels(made.images, mean=MEAN, std=STD, device=CPU)
    return Batches(fetch, made.labels, chosen, batch_size=batch_size, device=CPU, shuffle=shuffle)


def order(made: Batches) -> list[int]:
    return torch.cat([labels for _, labels in made]).tolist()


def test_pixels_are_normalised() -> None:
    raw = arrays(10).images
    for images, labels in batches(10, 4, seed=0):
        assert images.dtype == torch.float32
        assert images.is_contiguous(memory_format=torch.channels_last)
        expected = (torch.from_numpy(raw[labels]) / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
        torch.testing.assert_close(images, expected.permute(0, 3, 1, 2), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [1, 7, 8, 10, 64])
@pytest.mark.parametrize("batch_size", [1, 2, 4, 100])
def test_a_pass_without_shuffling_is_every_image_in_order(count: int, batch_size: int) -> None:
    made = batches(count, batch_size)
    assert order(made) == list(range(count))
    assert len(made) == len(list(made)) == -(-count // batch_size)
    assert made.images == count


def test_a_shuffled_pass_is_every_image_once() -> None:
    made = batches(50, 8, seed=1)
    first, second = order(made), order(made)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert order(batches(50, 8, seed=1)) == first
    assert order(batches(50, 8, seed=2)) != first


def test_only_the_asked_images_come() -> None:
    assert sorted(order(batches(50, 4, seed=1, indices=np.array([3, 14, 15, 9])))) == [3, 9, 14, 15]


def test_training_never_meets_a_single_image_in_a_larger_batch() -> None:
    made = batches(9, 4, seed=0)
    assert [len(labels) for _, labels in made] == [4, 4]
    assert (len(made), made.images) == (2, 8)
    assert len(order(batches(9, 1, seed=0))) == 9  # asked for one by one
    assert len(order(batches(1, 4, seed=0))) == 1  # all there is


def test_a_pass_goes_on_where_it_was_left() -> None:
    whole, resumed = batches(50, 8, seed=5), batches(50, 8, seed=5)
    rest = [labels.tolist() for _, labels in whole][3:]
    assert [labels.tolist() for _, labels in resumed.iterate(3)] == rest
    assert order(whole) == order(resumed)  # the next pass is the same again
