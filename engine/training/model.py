"""The networks that train, and the optimisers that train them."""

from importlib import import_module
from itertools import pairwise

import torch
from torch import nn

from engine import spec
from engine.catalog.backbones import BACKBONES
from engine.catalog.optimizers import OPTIMIZERS

WIDEST_GRID = 8  # cells a side that reach the linear layers: keeps their size in hand for large images


def build(model: spec.Model, *, classes: int, channels: int, image_size: int) -> nn.Module:
    """The network a spec names, with random weights; maps (n, channels, size, size) floats to (n, classes) logits."""
    module, _, function = BACKBONES[model.backbone].build.partition(":")
    network: nn.Module = getattr(import_module(module), function)(classes, channels, image_size)
    return network


def build_optimizer(asked: spec.Optimisation, network: nn.Module) -> torch.optim.Optimizer:
    """The optimiser a spec names over all weights of `network`, as one fused kernel (6 times the speed for AdamW)."""
    row = OPTIMIZERS[asked.optimizer]
    options = {name: getattr(asked, name) for name in row.takes}
    kind = getattr(torch.optim, row.torch_name)
    optimizer: torch.optim.Optimizer = kind(network.parameters(), lr=asked.learning_rate, fused=True, **options)
    return optimizer


def small_cnn(classes: int, channels: int, image_size: int) -> nn.Module:
    """Three blocks of convolution and pooling, then five linear layers; `image_size` of 8 px or more.

    Made for 96 px photos. For any other size the grid after the blocks (size / 8) is averaged down to at most
    8 x 8 cells, with whole windows, so that it runs on every device.
    """
    widths = (channels, 32, 64, 64)
    blocks: list[nn.Module] = []
    for before, after in pairwise(widths):
        blocks += [nn.Conv2d(before, after, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    grid = image_size // 8
    window = -(-grid // WIDEST_GRID)
    side = grid // window
    sizes = (widths[-1] * side**2, 256, 128, 128, 64)
    linear: list[nn.Module] = []
    for before, after in pairwise(sizes):
        linear += [nn.Linear(before, after), nn.ReLU()]
    network = nn.Sequential(*blocks, nn.AvgPool2d(window), nn.Flatten(), *linear, nn.Linear(sizes[-1], classes))
    network.apply(_scale_for_relu)
    return network


def resnet18(classes: int, channels: int, image_size: int) -> nn.Module:
    """torchvision's ResNet-18 with random weights; its first convolution takes any number of channels."""
    from torchvision import models  # costs a second: only for who needs it

    network: nn.Module = models.resnet18(weights=None, num_classes=classes)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    return network


def _scale_for_relu(layer: nn.Module) -> None:
    """Keep the signal's size through eight layers; torch's default halves it in each, and the start is slow."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
