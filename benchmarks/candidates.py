"""Number formats, layouts in memory and threads on this machine, one network a family; "auto" times formats alone."""

import os
from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision import models

from benchmarks.measure import Figure, alternate

NETWORKS = {  # name -> image size, batch size
    "resnet18": (64, 32),
    "vgg11": (64, 16),
    "squeezenet1_1": (64, 64),
    "mobilenet_v3_small": (64, 64),
    "shufflenet_v2_x1_0": (64, 64),
    "densenet121": (64, 16),
    "efficientnet_b0": (64, 16),
    "convnext_tiny": (64, 8),
    "vit_b_32": (224, 4),
}
LAYOUTS = {"channels last": torch.channels_last, "contiguous": torch.contiguous_format}
ROUNDS = 5


def measure() -> list[Figure]:
    return [figure for name, (size, batch) in NETWORKS.items() for figure in of_network(name, size, batch)]


def of_network(name: str, size: int, batch: int) -> list[Figure]:
    """Forward and backward of one batch in every way; the first is what "auto" would take without a trial."""
    cores, ways = len(os.sched_getaffinity(0)), dict[str, Callable[[], object]]()
    for threads in (cores, 1):
        for layout, memory in LAYOUTS.items():
            network = getattr(models, name)(num_classes=10, **({"image_size": size} if "vit" in name else {}))
            network.train().to(memory_format=memory)
            images = torch.randn(batch, 3, size, size).to(memory_format=memory)
            for precision in ("fp32", "bf16"):
                way = f"{precision}, {layout}, {threads} thread{'s' * (threads > 1)}"
                ways[way] = partial(step, network, images, precision == "bf16", threads)
    found = alternate(f"{name}, {size} px, {batch} images", ways, rounds=ROUNDS)
    torch.set_num_threads(cores)
    return found


def step(network: nn.Module, images: torch.Tensor, halved: bool, threads: int) -> None:
    torch.set_num_threads(threads)
    with torch.autocast("cpu", torch.bfloat16, enabled=halved):
        loss = cross_entropy(network(images).float(), torch.zeros(len(images), dtype=torch.long))
    loss.backward()
    network.zero_grad(set_to_none=True)
