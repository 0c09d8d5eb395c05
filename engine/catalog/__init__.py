"""The choices a user has, one table a file. A new choice is one entry."""

from engine.catalog.algorithms import ALGORITHMS
from engine.catalog.augmentations import AUGMENTATIONS
from engine.catalog.backbones import BACKBONES, Backbone
from engine.catalog.datasets import DATASET_KINDS, DatasetKind
from engine.catalog.freezing import FREEZE_POLICIES
from engine.catalog.heads import HEADS, INITIALISATIONS
from engine.catalog.optimizers import OPTIMIZERS
from engine.catalog.precisions import PRECISIONS
from engine.catalog.presets import PRESETS, Preset
from engine.catalog.schedulers import SCHEDULERS
from engine.catalog.schedules import SCHEDULES
from engine.catalog.search_presets import SEARCH_PRESETS
from engine.catalog.strategies import STRATEGIES
from engine.catalog.trackers import TRACKERS
from engine.catalog.weights import WEIGHTS

TABLES: dict[str, dict[str, object]] = {  # by the name that a spec's field gives as its `choices`
    "algorithms": dict(ALGORITHMS),
    "augmentations": dict(AUGMENTATIONS),
    "backbones": dict(BACKBONES),
    "freeze_policies": dict(FREEZE_POLICIES),
    "heads": dict(HEADS),
    "initialisations": dict(INITIALISATIONS),
    "optimizers": dict(OPTIMIZERS),
    "precisions": dict(PRECISIONS),
    "schedulers": dict(SCHEDULERS),
    "schedules": dict(SCHEDULES),
    "strategies": dict(STRATEGIES),
    "weights": dict(WEIGHTS),
}

__all__ = [
    "ALGORITHMS",
    "AUGMENTATIONS",
    "BACKBONES",
    "DATASET_KINDS",
    "FREEZE_POLICIES",
    "HEADS",
    "INITIALISATIONS",
    "OPTIMIZERS",
    "PRECISIONS",
    "PRESETS",
    "SCHEDULERS",
    "SCHEDULES",
    "SEARCH_PRESETS",
    "STRATEGIES",
    "TABLES",
    "TRACKERS",
    "WEIGHTS",
    "Backbone",
    "DatasetKind",
    "Preset",
]
