"""What each augmentation adds to a step of ResNet-18 in bf16, on photos of CIFAR-10; v2 draws for each image anew."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import resnet18

from benchmarks.candidates import step
from benchmarks.measure import Figure, alternate
from benchmarks.photos import imported, unpacked
from engine.catalog import AUGMENTATIONS
from engine.data import open_source
from engine.data.augment import augmenter
from engine.data.decode import to_array

SIZES = {64: 64, 224: 16}  # image size -> batch size
ROUNDS = 5


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        source = open_source(imported(Path(folder) / "home", unpacked(Path(folder) / "photos", 100)))
        arrays = {
            size: torch.stack(
                [torch.from_numpy(to_array(source.read(at), size=size, channels=3)) for at in range(batch)]
            )
            for size, batch in SIZES.items()
        }
    return [one for size, images in arrays.items() for one in of_size(size, images.permute(0, 3, 1, 2))]


def of_size(size: int, images: Tensor) -> list[Figure]:
    network = resnet18(num_classes=10).train().to(memory_format=torch.channels_last)
    shown = images.float().contiguous(memory_format=torch.channels_last)
    ways: dict[str, Callable[[], object]] = {"the step": partial(step, network, shown, True, torch.get_num_threads())}
    for name, row in AUGMENTATIONS.items():
        augment = augmenter([name], strength=0.5, size=size, channels=3)
        if augment is not None:
            ways[row.label] = partial(augment, images)
    return alternate(f"{size} px, {len(images)} images", ways, rounds=ROUNDS)
