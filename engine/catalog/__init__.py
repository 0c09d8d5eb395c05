"""The choices a user has, one table a file. A new choice is one entry."""

from collections.abc import Mapping
from typing import Protocol

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


class Choice(Protocol):
    """What each row of each table says of itself."""

    @property
    def label(self) -> str: ...

    @property
    def note(self) -> str: ...


TABLES: Mapping[str, Mapping[str, Choice]] = {  # by the name that a spec's field gives as its `choices`
    "algorithms": ALGORITHMS,
    "augmentations": AUGMENTATIONS,
    "backbones": BACKBONES,
    "freeze_policies": FREEZE_POLICIES,
    "heads": HEADS,
    "initialisations": INITIALISATIONS,
    "optimizers": OPTIMIZERS,
    "precisions": PRECISIONS,
    "schedulers": SCHEDULERS,
    "schedules": SCHEDULES,
    "strategies": STRATEGIES,
    "weights": WEIGHTS,
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
    "Choice",
    "DatasetKind",
    "Preset",
]
