"""The layers after the features, and how new layers begin."""

from torch import nn

from engine import specs
from engine.catalog import INITIALISATIONS

Layer = nn.Linear | nn.Conv2d  # a 1 x 1 convolution is a head in some families


def linear(original: Layer, classes: int, model_spec: specs.Model) -> nn.Module:
    return _new(original, _inputs(original), classes, model_spec)


def mlp(original: Layer, classes: int, model_spec: specs.Model) -> nn.Module:
    hidden = _new(original, _inputs(original), model_spec.head_width, model_spec)
    last = _new(original, model_spec.head_width, classes, model_spec)
    return nn.Sequential(hidden, nn.ReLU(), nn.Dropout(model_spec.head_dropout), last)


def after(original: Layer, classes: int, model_spec: specs.Model) -> nn.Module:
    """The original head stays in place 0 as part of the backbone; the new layer in place 1 is the head."""
    outputs = original.out_features if isinstance(original, nn.Linear) else original.out_channels
    return nn.Sequential(original, _new(original, outputs, classes, model_spec))


def initialise(layer: Layer, rule: str) -> None:
    """Set a new layer's first values by a row of the catalog."""
    row = INITIALISATIONS[rule]
    if row.weights is None:
        return
    getattr(nn.init, row.weights)(layer.weight, **dict(row.options))
    if layer.bias is not None:
        bound = layer.weight[0].numel() ** -0.5 if row.biases == "uniform" else 0.0
        nn.init.uniform_(layer.bias, -bound, bound)


def _new(like: Layer, inputs: int, outputs: int, model_spec: specs.Model) -> Layer:
    layer = nn.Linear(inputs, outputs) if isinstance(like, nn.Linear) else nn.Conv2d(inputs, outputs, kernel_size=1)
    initialise(layer, model_spec.initialisation)
    return layer


def _inputs(layer: Layer) -> int:
    return layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels
