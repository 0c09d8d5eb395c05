"""The choices a user has, one table a file. A new choice is one entry."""

from engine.catalog.backbones import BACKBONES, Backbone
from engine.catalog.datasets import DATASET_KINDS, DatasetKind
from engine.catalog.optimizers import OPTIMIZERS, Optimizer
from engine.catalog.presets import PRESETS, Preset
from engine.catalog.strategies import STRATEGIES, Strategy

__all__ = [
    "BACKBONES",
    "DATASET_KINDS",
    "OPTIMIZERS",
    "PRESETS",
    "STRATEGIES",
    "Backbone",
    "DatasetKind",
    "Optimizer",
    "Preset",
    "Strategy",
]
