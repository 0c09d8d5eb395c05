"""From a spec to a network: the backbone as it was made, its input layer and head fitted to the data."""

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from engine import specs
from engine.catalog import BACKBONES, HEADS
from engine.catalog.named import named
from engine.training.network.heads import initialise

WIDEST_GRID = 8  # cells a side that small_cnn's first linear layer sees: bounds its weights for large images


def build(model_spec: specs.Model, *, classes: int, channels: int, image_size: int) -> nn.Module:
    """The network a spec names, with random weights; maps (n, channels, size, size) float32 to (n, classes) logits.

    Args:
        model_spec: Backbone, head, stem and how new layers begin.
        classes: How many logits.
        channels: Of the images.
        image_size: Side of the images, pixels.
    """
    row = BACKBONES[model_spec.backbone]
    network: nn.Module = named(row.build)(model_spec.backbone, channels, image_size)
    path, first = first_convolution(network)
    if first.in_channels != channels:
        network.set_submodule(path, _with_channels(first, channels, model_spec))
    if model_spec.stem == "small":
        for path in row.layout.stem.split():
            layer = network.get_submodule(path)
            if isinstance(layer, nn.Conv2d):
                layer.stride = (1, 1)
            else:
                network.set_submodule(path, nn.Identity())
    original = network.get_submodule(row.layout.head)
    network.set_submodule(row.layout.head, named(HEADS[model_spec.head].build)(original, classes, model_spec))
    return network


def load_tensors(network: nn.Module, tensors: dict[str, Tensor], *, strict: bool = True) -> None:
    """`load_state_dict` of tensors out of a file, whose plain mapping lacks the versions of layers MNASNet asks for."""
    own = network.state_dict()
    state = OrderedDict(tensors)
    state._metadata = own._metadata  # type: ignore[attr-defined]
    network.load_state_dict(state, strict=strict)


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """The layer that images enter by, with its path."""
    return next((path, layer) for path, layer in network.named_modules() if isinstance(layer, nn.Conv2d))


def from_torchvision(name: str, channels: int, image_size: int) -> nn.Module:
    """torchvision's network of that name with random weights, for 3 channels and 1,000 classes."""
    from torchvision import models  # costs a second: only for who needs it

    layout = BACKBONES[name].layout
    options = dict(layout.options)
    if layout.size_option:
        options[layout.size_option] = (image_size, image_size) if layout.size_option == "input_size" else image_size
    network: nn.Module = models.get_model(name, weights=None, **options)
    return network


def small_cnn(name: str, channels: int, image_size: int) -> nn.Module:
    """Three blocks of convolution and pooling, then five linear layers, for 10 classes; `image_size` of 8 px or more.

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
    network = nn.Sequential(*blocks, nn.AvgPool2d(window), nn.Flatten(), *linear, nn.Linear(sizes[-1], 10))
    network.apply(_scale_for_relu)
    return network


def _with_channels(layer: nn.Conv2d, channels: int, model_spec: specs.Model) -> nn.Conv2d:
    """A convolution like `layer`, for other channels; loaded weights are fitted to it later."""
    new = nn.Conv2d(
        channels,
        layer.out_channels,
        kernel_size=layer.kernel_size,  # type: ignore[arg-type]
        stride=layer.stride,  # type: ignore[arg-type]
        padding=layer.padding,  # type: ignore[arg-type]
        bias=layer.bias is not None,
    )
    if model_spec.initialisation == "torch":  # torchvision's own rule for first layers
        nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    else:
        initialise(new, model_spec.initialisation)
    return new


def _scale_for_relu(layer: nn.Module) -> None:
    """Keep the signal's size through eight layers; torch's default halves it in each, and the start is slow."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
