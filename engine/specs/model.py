"""Which network, what it knows at the start, and which part of it learns."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen

from engine.catalog.backbones import BACKBONES
from engine.catalog.freezing import FREEZE_POLICIES
from engine.catalog.heads import HEADS, INITIALISATIONS
from engine.catalog.weights import WEIGHTS
from engine.specs.setting import Part, one_of, setting, takers


class Model(Part):
    backbone: Annotated[str, one_of(BACKBONES)] = setting(
        "resnet18", "Backbone", "The network that turns images into features.", choices="backbones"
    )
    weights: Annotated[str, one_of(WEIGHTS)] = setting(
        "random",
        "Weights",
        "What the network knows at the start. With few images of your own, never start from random.",
        term="pretrained weights",
        choices="weights",
    )
    weights_from: Annotated[str, MaxLen(500)] = setting(
        "",
        "Taken from",
        "One of my runs: its id or name, with @best, @last or @epoch behind it if wanted. A weights file: its path.",
        term="checkpoint to load",
        when=("model.weights", tuple(name for name, row in WEIGHTS.items() if row.source)),
    )
    input_layer: Literal["sum", "average", "new", "repeat"] = setting(
        "sum",
        "Input layer",
        "What to do where images have other channels than the weights: add up or average the first kernels over "
        "channels, learn new ones, or repeat a grey image to all channels.",
        advanced=True,
    )
    stem: Literal["original", "small"] = setting(
        "original",
        "Stem",
        "small takes the first stride and pooling away, so that images under 64 px are not shrunk to nothing; "
        "each step then costs more.",
        advanced=True,
    )
    head: Annotated[str, one_of(HEADS)] = setting(
        "linear", "Head", "The layers that turn features into your classes.", choices="heads", advanced=True
    )
    head_width: Annotated[int, Ge(2), Le(16_384)] = setting(
        256, "Hidden width", "Units of the hidden layer.", when=("model.head", ("mlp",)), advanced=True
    )
    head_dropout: Annotated[float, Ge(0), Lt(1)] = setting(
        0.2,
        "Dropout",
        "Share of hidden units silenced at each step. Raise it when the model learns by heart.",
        when=("model.head", ("mlp",)),
        advanced=True,
    )
    initialisation: Annotated[str, one_of(INITIALISATIONS)] = setting(
        "torch", "Initialisation", "First values of the new layers.", choices="initialisations", advanced=True
    )


class Freeze(Part):
    policy: Annotated[str, one_of(FREEZE_POLICIES)] = setting(
        "none",
        "Freezing",
        "Which part of the network learns, and from when. Frozen stages keep what their weights know.",
        term="frozen layers",
        choices="freeze_policies",
    )
    last_stages: Annotated[int, Ge(1), Le(20)] = setting(
        1,
        "Last stages that learn",
        "So many next to the head, beside the head itself.",
        when=takers("freeze.policy", FREEZE_POLICIES, "last_stages"),
    )
    stages: tuple[str, ...] = setting(
        (),
        "Stages that learn",
        "Names of stages of the backbone, beside the head.",
        choices="stages",
        when=takers("freeze.policy", FREEZE_POLICIES, "stages"),
    )
    every_epochs: Annotated[int, Ge(1), Le(1000)] = setting(
        2,
        "A stage thaws every",
        "Fewer thaws quickly; more lets each stage settle before the next joins.",
        term="gradual unfreezing",
        unit="epochs",
        when=takers("freeze.policy", FREEZE_POLICIES, "every_epochs"),
    )
    rate_decay: Annotated[float, Gt(0), Le(1)] = setting(
        1.0,
        "Rate a stage",
        "Each stage learns at this share of the rate of the next one towards the head; 1 is the same rate for all. "
        "Try 0.4 with pretrained weights: early stages need little change.",
        term="layer-wise learning rate decay",
        advanced=True,
    )
    batchnorm: bool = setting(
        True,
        "Freeze statistics too",
        "BatchNorm layers of frozen stages also keep their running means and deviations. Off, they follow your images "
        "although their weights are frozen.",
        term="BatchNorm in evaluation mode",
        advanced=True,
    )
