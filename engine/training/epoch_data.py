"""What each epoch trains on: images through the whole network, or features of its frozen stages, computed once."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from engine.caches.limits import SHARE, features_bytes
from engine.catalog import STRATEGIES
from engine.catalog.freezing import HEAD
from engine.data.batches import Batches
from engine.protocol.events import EventCode, Say, unsaid
from engine.specs import RunSpec
from engine.training.distributed.process_group import ProcessGroup
from engine.training.feature_cache import FeatureCache
from engine.training.network.cut import CannotCut, Cut, cut, pieces
from engine.training.network.recompute import Recomputed
from engine.training.state import RuntimeChoices

READ_S_PER_GB = 1.0  # what reading features costs, on a slow disk


@dataclass(frozen=True, slots=True)
class EpochData:
    """Batches, and the part of a network that they enter."""

    train: Batches
    validation: Batches
    cut: Cut | None = None  # None: images enter the whole network
    train_module: nn.Module | None = None  # what training calls in place of `rest_of`, to recompute or compiled
    compiles: bool = False  # its first step does

    def rest_of(self, network: nn.Module) -> nn.Module:
        """The part of `network` that maps what the batches hold to logits."""
        return self.cut.rest(network) if self.cut else network


class TrainModules:
    """What training calls instead of the network itself, where a spec asks to recompute activations or to compile.

    Made once for each cut: compiling takes a minute.
    """

    def __init__(self, spec: RunSpec, network: nn.Module, can_cut: Callable[[str], bool]) -> None:
        self._spec, self._network, self._can_cut = spec, network, can_cut
        self._modules: dict[str, nn.Module] = {}

    def get(self, cut: Cut | None) -> tuple[nn.Module | None, bool]:
        """The module to train behind `cut`, None: the network itself; and whether its first step compiles it."""
        compute, key = self._spec.compute, cut.boundary if cut else ""
        if not (compute.recompute or compute.compile) or "compile" not in STRATEGIES[self._spec.strategy].takes:
            return None, False
        if key in self._modules:
            return self._modules[key], False
        module: Any = cut.rest(self._network) if cut else self._network
        if compute.recompute and (inner := self._inner(key)):
            module = Recomputed(pieces(self._network, self._spec.model, inner).of(self._network)[bool(key) :])
        self._modules[key] = torch.compile(module) if compute.compile else module  # type: ignore[assignment]
        return self._modules[key], compute.compile

    def _inner(self, boundary: str) -> list[str]:
        """Where what trains can be cut again, beginning with `boundary` itself."""
        names = list(self._spec.thaw_plan)
        later = names[names.index(boundary) if boundary else 1 :]
        return [name for name in later if self._can_cut(name)]


@dataclass(slots=True)
class TrainingData:
    """The data of each epoch; features are made when an epoch first needs them.

    Which stages are worth it is decided once, by time and bytes measured on this network and machine, and kept in
    `choices`, so that a resumed run goes on in the same way.
    """

    spec: RunSpec
    network: nn.Module
    images: EpochData
    features: FeatureCache
    choices: RuntimeChoices
    message: Say = unsaid
    group: ProcessGroup = field(default_factory=ProcessGroup)
    is_shared: bool = False  # others use the features too: they are worth whatever they cost, where there is room
    _cuts: dict[str, Cut] = field(default_factory=dict)
    _modules: TrainModules = field(init=False)
    _threads: int = field(default_factory=torch.get_num_threads)

    def __post_init__(self) -> None:
        self._modules = TrainModules(self.spec, self.network, lambda name: self._cut(name) is not None)

    def for_epoch(self, epoch: int) -> EpochData:
        """The data of `epoch` (0 is the first).

        Raises:
            OSError: No space for the features.
        """
        data = self._images_or_features(epoch)
        module, compiles = self._modules.get(data.cut)
        return replace(data, train_module=module, compiles=compiles)

    def boundary(self, epoch: int) -> str | None:
        """The first stage that learns in `epoch`, if what lies before it can be computed once; else None."""
        if not self.spec.keeps_features:
            return None
        plan = list(self.spec.thaw_plan.items())
        first = next(place for place, (_, thaws) in enumerate(plan) if thaws is not None and thaws <= epoch)
        return plan[first][0] if first else None

    def _images_or_features(self, epoch: int) -> EpochData:
        boundary = self.boundary(epoch)
        torch.set_num_threads(self._threads)
        cut = self._cut(boundary) if boundary else None
        if cut is None:
            return self.images
        # one rank measures and computes, the others do the same and find its file
        self.choices.worth[cut.boundary] = self.group.broadcast(lambda: self._is_worth_it(cut, epoch))
        if not self.choices.worth[cut.boundary]:
            return self.images
        view = epoch % self.spec.compute.views if self.spec.data.augmentations else None
        train = self.group.rank0_first(lambda: self.features.get(cut, view))
        validation = self.group.rank0_first(lambda: self.features.get(cut, None))
        if cut.boundary == HEAD:  # threads cost more than they give where a small head is all there is to do
            torch.set_num_threads(1)
        return EpochData(self.images.train.with_fetch(train), self.images.validation.with_fetch(validation), cut)

    def _cut(self, boundary: str) -> Cut | None:
        if boundary not in self._cuts:
            try:
                self._cuts[boundary] = cut(self.network, self.spec.model, boundary)
            except CannotCut as why:
                self.message(EventCode.NOT_CUT, detail=why)
                self.choices.worth[boundary] = False
                return None
        return self._cuts[boundary]

    def _is_worth_it(self, cut: Cut, epoch: int) -> bool:
        if cut.boundary in self.choices.worth:
            return self.choices.worth[cut.boundary]
        epochs = sum(self.boundary(later) == cut.boundary for later in range(epoch, self.spec.epochs))
        passes = min(epochs, self.spec.compute.views) if self.spec.data.augmentations else 1
        size_bytes, seconds = self.features.cost(cut)
        saved_s = seconds * (epochs - passes)
        reading_s = size_bytes / 1e9 * READ_S_PER_GB * (epochs + passes)
        self.features.folder.mkdir(parents=True, exist_ok=True)
        limit = min(features_bytes(), SHARE * shutil.disk_usage(self.features.folder).free)
        fits = size_bytes * passes <= limit
        is_made = self.features.path(cut, None).exists() and passes == 1  # by another run
        if not (is_made or fits):
            needed = size_bytes * passes / 1e9
            self.message(EventCode.NO_ROOM_FOR_FEATURES, needed=needed, limit=limit / 1e9)
        return is_made or (fits and (self.is_shared or saved_s > reading_s))
