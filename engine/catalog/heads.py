"""Heads: what turns features into classes; `build` names a function `(original layer, classes, asked) -> layer`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    note: str
    build: str


@dataclass(frozen=True, slots=True)
class Initialisation:
    """First values of new layers: functions of torch.nn.init by name; None leaves torch's own."""

    label: str
    note: str
    weights: str | None = None
    options: tuple[tuple[str, Any], ...] = ()  # of that function
    biases: str = "zero"  # "zero", or "uniform": between -1/sqrt(n) and 1/sqrt(n), n inputs


HEADS: dict[str, Head] = {
    "linear": Head(
        "Linear", "One new layer from features to your classes. Usual.", "engine.training.network.heads:linear"
    ),
    "mlp": Head(
        "Two layers with dropout",
        "A hidden layer between features and classes: when the classes are far from what the backbone learned.",
        "engine.training.network.heads:mlp",
    ),
    "after": Head(
        "Keep the original, add a layer",
        "The backbone's own 1,000-way head stays, and a new layer maps its answers to your classes.",
        "engine.training.network.heads:after",
    ),
}

INITIALISATIONS: dict[str, Initialisation] = {
    "torch": Initialisation("torch's default", "Uniform, by the number of inputs; right for nearly everything."),
    "xavier": Initialisation(
        "Xavier",
        "Glorot and Bengio 2010: keeps the size of signals in both directions; biases uniform by inputs.",
        "xavier_uniform_",
        biases="uniform",
    ),
    "kaiming": Initialisation(
        "Kaiming", "He et al. 2015: made for ReLU; biases 0.", "kaiming_normal_", (("nonlinearity", "relu"),)
    ),
    "normal": Initialisation("Normal", "Small random numbers, deviation 0.01; biases 0.", "normal_", (("std", 0.01),)),
    "constant": Initialisation(
        "Constant", "All 0.01, biases 0: to see why chance is needed.", "constant_", (("val", 0.01),)
    ),
}
