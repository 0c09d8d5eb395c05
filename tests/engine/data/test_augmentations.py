"""Every row changes real images by chance, keeps their shape, and repeats itself from a seed."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.catalog import AUGMENTATIONS
from engine.data.augment import augmenter
from tests.engine.pictures import photos


@pytest.fixture(scope="module")
def photo(cifar_zip: Path) -> Tensor:
    image = Image.open(io.BytesIO(photos(1)[0])).convert("RGB")
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)


def sized(photo: Tensor, size: int, channels: int) -> Tensor:
    small = torch.nn.functional.interpolate(photo[None].float(), (size, size), mode="area").to(torch.uint8)
    return small if channels == 3 else small[:, :channels]


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("size", [8, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_row_changes_images_each_in_its_own_way(
    name: str, channels: int, size: int, strength: float, photo: Tensor
) -> None:
    augment = augmenter([name], strength=strength, size=size, channels=channels)
    if AUGMENTATIONS[name].colour_only and channels == 1:
        assert augment is None
        return
    assert augment is not None
    batch = sized(photo, size, channels).repeat(24, 1, 1, 1)
    torch.manual_seed(3)
    made = augment(batch)
    assert (made.shape, made.dtype) == (batch.shape, torch.uint8)
    if strength == 0.5:
        assert len({image.numpy().tobytes() for image in made}) > 1
    torch.manual_seed(3)
    assert torch.equal(augment(batch), made)


def test_several_are_applied_in_the_order_of_the_table(photo: Tensor) -> None:
    names = list(AUGMENTATIONS)[:4]
    both = [augmenter(order, strength=0.5, size=32, channels=3) for order in (names, names[::-1])]
    made = []
    for augment in both:
        assert augment is not None
        torch.manual_seed(0)
        made.append(augment(sized(photo, 32, 3)))
    assert torch.equal(*made)


def test_nothing_is_done_unless_chosen() -> None:
    assert augmenter([], strength=1.0, size=32, channels=3) is None
