"""Features of a network's frozen stages: what they cost, and the files in which all runs share them."""

import hashlib
import json
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.data.batches import Fetch
from engine.data.cached_file import Report
from engine.data.features import Features, features
from engine.protocol.events import EventCode, Say, unsaid
from engine.specs import RunSpec
from engine.training.network.cut import Cut
from engine.training.precision import Format

VERSION = 1  # of how features are made; a change makes new files
TIMED = 64  # images


@dataclass(slots=True)
class FeatureCache:
    """Computes features once; whatever they depend on makes the name of their file."""

    spec: RunSpec
    network: nn.Module
    plain: Fetch  # images as they are
    augmented: Fetch  # changed by chance
    count: int  # images in all
    identity: str  # of the data set and how its images are decoded and normalised
    folder: Path
    format: Format
    message: Say = unsaid
    report: Report = lambda done, total: None  # (images done, in all); may raise to give up
    _features: dict[tuple[str, int | None], Features] = field(default_factory=dict)
    _digests: dict[str, str] = field(default_factory=dict)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def get(self, cut: Cut, view: int | None) -> Features:
        """What lies before `cut` makes of all images; of their `view`, a set of random changes, where it is not None.

        Raises:
            OSError: No space for the file.
        """
        if (cut.boundary, view) not in self._features:
            path, began = self.path(cut, view), time.perf_counter()
            is_there = path.exists()
            fetch = self.plain if view is None else self._seeded(view)
            self._features[cut.boundary, view] = features(
                path,
                cut.first(self.network).eval(),
                fetch,
                self.count,
                device=self.device,
                cast=self.format.cast,
                report=self.report,
            )
            size = f"{path.stat().st_size / 1e6:,.0f} MB" if path.exists() else "features"
            if view is None:
                code = EventCode.FEATURES_FOUND if is_there else EventCode.FEATURES_MADE
            else:
                code = EventCode.VIEW_FOUND if is_there else EventCode.VIEW_MADE
            self.message(code, size=size, view=(view or 0) + 1, seconds=time.perf_counter() - began)
        return self._features[cut.boundary, view]

    @torch.inference_mode()
    def cost(self, cut: Cut) -> tuple[int, float]:
        """Bytes of all images' features, and seconds that the frozen stages need for all images: measured on a few."""
        frozen, chosen = cut.first(self.network).eval(), torch.arange(min(TIMED, self.count))
        for _ in range(2):  # the first warms up
            began = time.perf_counter()
            with self.format.cast():
                some = frozen(self.plain(chosen))
            bytes_each = some[0].numel() * some.element_size()
            float(some.flatten()[0])  # waits for the device
            seconds = time.perf_counter() - began
        return bytes_each * self.count, seconds / len(chosen) * self.count

    def path(self, cut: Cut, view: int | None) -> Path:
        """The file that holds them, once it is made."""
        data, model = self.spec.data, self.spec.model
        changes = [sorted(data.augmentations), data.augmentation_strength, self.spec.seed, view]
        about = [
            VERSION,
            self.identity,
            [model.backbone, model.stem, model.input_layer],
            cut.boundary,
            self._digest(cut),
            self.format.precision,
            self.device.type,
            changes if view is not None else None,
            torch.__version__,
            version("torchvision"),
        ]
        return self.folder / f"{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:24]}.npy"

    def _seeded(self, view: int) -> Fetch:
        """Images changed by random numbers that belong to the view, whoever makes it and when."""

        def fetch(chosen: Tensor) -> Tensor:
            with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
                torch.manual_seed(hash((self.spec.seed, view, int(chosen[0]))) % 2**31)
                return self.augmented(chosen)

        return fetch

    def _digest(self, cut: Cut) -> str:
        """Of the frozen stages' weights and statistics."""
        if cut.boundary not in self._digests:
            digest = hashlib.sha256()
            for name, value in sorted(cut.first(self.network).state_dict().items()):
                digest.update(name.encode())
                digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
            self._digests[cut.boundary] = digest.hexdigest()
        return self._digests[cut.boundary]
