"""What each epoch trains on: images through the whole network, or features of its frozen stages, computed once."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn

from engine.caches.limits import SHARE, features_bytes
from engine.catalog import STRATEGIES
from engine.catalog.freezing import HEAD
from engine.data.batches import Batches
from engine.data.cached_file import Report
from engine.data.features import Features, features
from engine.specs import RunSpec
from engine.training.distributed.process_group import ProcessGroup
from engine.training.network.cut import CannotCut, Cut, cut, pieces
from engine.training.network.recompute import Recomputed
from engine.training.precision import Format
from engine.training.state import RuntimeChoices

VERSION = 1  # of how features are made; a change makes new files
READ_S_PER_GB = 1.0  # what reading features costs, on a slow disk
TIMED = 64  # images


@dataclass(frozen=True, slots=True)
class EpochData:
    """Batches, and the part of a network that they enter."""

    train: Batches
    validation: Batches
    cut: Cut | None = None  # None: images enter the whole network
    learns: nn.Module | None = None  # what training calls in place of `enter`, where asked to recompute or compile
    compiles: bool = False  # its first step does

    def enter(self, network: nn.Module) -> nn.Module:
        """Maps what the batches hold to logits."""
        return self.cut.rest(network) if self.cut else network


@dataclass(slots=True)
class TrainingData:
    """Finds the feed of each epoch; features are made when an epoch first needs them.

    Which stages are worth it is decided once, by time and bytes measured on this network and machine, and kept in
    `choices`, so that a resumed run goes on in the same way.
    """

    spec: RunSpec
    network: nn.Module
    images: EpochData
    count: int  # images in all
    identity: str  # of the data set and how its images are decoded and normalised
    folder: Path  # of the cached files
    format: Format
    choices: RuntimeChoices
    say: Callable[[str], None] = lambda text: None
    report: Report = lambda done, total: None  # (images done, in all); may raise to give up
    group: ProcessGroup = field(default_factory=ProcessGroup)
    again: bool = False  # others use the features too: they are worth whatever they cost, where there is room
    _made: dict[tuple[str, int | None], Features] = field(default_factory=dict)
    _cuts: dict[str, Cut] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)
    _learning: dict[str, nn.Module] = field(default_factory=dict)
    _threads: int = field(default_factory=torch.get_num_threads)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def for_epoch(self, epoch: int) -> EpochData:
        """The feed of `epoch` (0 is the first).

        Raises:
            OSError: No space for the features.
        """
        epoch_data, before = self._plain(epoch), len(self._learning)
        learns = self._learns(epoch_data.cut)
        return replace(epoch_data, learns=learns, compiles=self.spec.compute.compile and len(self._learning) > before)

    def _plain(self, epoch: int) -> EpochData:
        boundary = self.boundary(epoch)
        torch.set_num_threads(self._threads)
        if boundary is None:
            return self.images
        made = self._cut(boundary)
        if made is None:
            return self.images
        # one rank measures and computes, the others do the same and find its file
        self.choices.worth[boundary] = self.group.broadcast(lambda: self._is_worth_it(made, epoch))
        if not self.choices.worth[boundary]:
            return self.images
        changed = bool(self.spec.data.augmentations)
        view = epoch % self.spec.compute.views if changed else None
        seen = self.group.rank0_first(lambda: self._features(made, view))
        plain = self.group.rank0_first(lambda: self._features(made, None))
        if boundary == HEAD:  # threads cost more than they give where a small head is all there is to do
            torch.set_num_threads(1)
        return EpochData(self.images.train.seen_by(seen), self.images.validation.seen_by(plain), made)

    def _learns(self, made: Cut | None) -> nn.Module | None:
        """Made once for each cut: compiling takes a minute."""
        asked, key = self.spec.compute, made.boundary if made else ""
        if not (asked.recompute or asked.compile) or "compile" not in STRATEGIES[self.spec.strategy].takes:
            return None
        if key not in self._learning:
            module: Any = made.rest(self.network) if made else self.network
            if asked.recompute and (inner := self._inner(key)):
                module = Recomputed(pieces(self.network, self.spec.model, inner).of(self.network)[bool(key) :])
            self._learning[key] = torch.compile(module) if asked.compile else module  # type: ignore[assignment]
        return self._learning[key]

    def _inner(self, boundary: str) -> list[str]:
        """Where what trains can be cut again, beginning with `boundary` itself."""
        names = list(self.spec.thaw_plan)
        later = names[names.index(boundary) if boundary else 1 :]
        return [name for name in later if self._cut(name)]

    def boundary(self, epoch: int) -> str | None:
        """The first stage that learns in `epoch`, if what lies before it can be computed once; else None."""
        if not self.spec.keeps_features:
            return None
        plan = list(self.spec.thaw_plan.items())
        first = next(place for place, (_, thaws) in enumerate(plan) if thaws is not None and thaws <= epoch)
        return plan[first][0] if first else None

    def _cut(self, boundary: str) -> Cut | None:
        if boundary not in self._cuts:
            try:
                self._cuts[boundary] = cut(self.network, self.spec.model, boundary)
            except CannotCut as why:
                self.say(f"Frozen stages run in every epoch: {why}.")
                self.choices.worth[boundary] = False
                return None
        return self._cuts[boundary]

    def _is_worth_it(self, made: Cut, epoch: int) -> bool:
        if made.boundary in self.choices.worth:
            return self.choices.worth[made.boundary]
        epochs = sum(self.boundary(later) == made.boundary for later in range(epoch, self.spec.epochs))
        times = min(epochs, self.spec.compute.views) if self.spec.data.augmentations else 1
        needed, seconds = self._cost(made)
        saved = seconds * (epochs - times)
        reading = needed / 1e9 * READ_S_PER_GB * (epochs + times)
        self.folder.mkdir(parents=True, exist_ok=True)
        limit = min(features_bytes(), SHARE * shutil.disk_usage(self.folder).free)
        fits = needed * times <= limit
        known = self._path(made, None).exists() and times == 1  # another run has made them
        self.choices.worth[made.boundary] = known or (fits and (self.again or saved > reading))
        if not (known or fits):
            self.say(
                f"Frozen stages run in every epoch: what they make of all images takes {needed * times / 1e9:.1f} GB, "
                f"and there is room for {limit / 1e9:.3g} GB."
            )
        return self.choices.worth[made.boundary]

    @torch.inference_mode()
    def _cost(self, made: Cut) -> tuple[int, float]:
        """Bytes of all images' features, and seconds that the frozen stages need for all images."""
        frozen, chosen = made.first(self.network).eval(), torch.arange(min(TIMED, self.count))
        for _ in range(2):  # the first warms up
            began = time.perf_counter()
            with self.format.cast():
                some = frozen(self.images.validation.look(chosen))
            bytes_each = some[0].numel() * some.element_size()
            float(some.flatten()[0])  # waits for the device
            seconds = time.perf_counter() - began
        return bytes_each * self.count, seconds / len(chosen) * self.count

    def _features(self, made: Cut, view: int | None) -> Features:
        if (made.boundary, view) not in self._made:
            path, began = self._path(made, view), time.perf_counter()
            is_there = path.exists()
            frozen = made.first(self.network).eval()
            look = self.images.validation.look if view is None else self._changed(view)
            self._made[made.boundary, view] = features(
                path, frozen, look, self.count, device=self.device, cast=self.format.cast, report=self.report
            )
            size = f"{path.stat().st_size / 1e6:,.0f} MB" if path.exists() else "features"
            what = "Features of the frozen stages" if view is None else f"Features of changed images, view {view + 1}"
            how = "found, made by another run" if is_there else f"computed once in {time.perf_counter() - began:.1f} s"
            self.say(f"{what}: {size}, {how}.")
        return self._made[made.boundary, view]

    def _changed(self, view: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """Images changed by chances that belong to the view, whoever makes it and when."""

        def look(chosen: torch.Tensor) -> torch.Tensor:
            with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                torch.manual_seed(hash((self.spec.seed, view, int(chosen[0]))) % 2**31)
                return self.images.train.look(chosen)

        return look

    def _path(self, made: Cut, view: int | None) -> Path:
        """Everything that the features depend on makes the name of their file."""
        data, model = self.spec.data, self.spec.model
        changes = [sorted(data.augmentations), data.augmentation_strength, self.spec.seed, view]
        about = [
            VERSION,
            self.identity,
            [model.backbone, model.stem, model.input_layer],
            made.boundary,
            self._digest(made),
            self.format.precision,
            self.device.type,
            changes if view is not None else None,
            torch.__version__,
            torchvision.__version__,
        ]
        return self.folder / f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]}.npy"

    def _digest(self, made: Cut) -> str:
        """Of the frozen stages' weights and statistics."""
        if made.boundary not in self._digests:
            digest = hashlib.sha256()
            for name, value in sorted(made.first(self.network).state_dict().items()):
                digest.update(name.encode())
                digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
            self._digests[made.boundary] = digest.hexdigest()
        return self._digests[made.boundary]
