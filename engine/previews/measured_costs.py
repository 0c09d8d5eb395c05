"""What the preview "fit" measures of a spec's steps: written by `fit_measurement`, read by `fit`. Bytes and seconds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one step and one image, by a line through two batches."""

    floor: float  # bytes held even by a small batch
    base: float  # bytes where the line begins
    image: float  # bytes of each image in the batch
    step_s: float
    image_s: float

    def bytes(self, images: int) -> float:
        """Held by a step of so many images."""
        return max(self.floor, self.base + self.image * images)


@dataclass(frozen=True, slots=True)
class FeatureCosts:
    """With what frozen stages make of images computed once."""

    cost: Cost  # of a step on features
    making: Cost  # of computing them
    at_once: int  # images that are computed together
    bytes: int  # of an image's features
    views: int  # of each image, where images are changed by chance

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "FeatureCosts":
        """From JSON."""
        return cls(**values | {"cost": Cost(**values["cost"]), "making": Cost(**values["making"])})


@dataclass(frozen=True, slots=True)
class StateCosts:
    """While the same stages learn."""

    epoch: int  # the first one
    whole: Cost  # of a step on images
    eval_s: float  # of an image that is evaluated
    kept: FeatureCosts | None = None  # None: nothing is frozen that could be computed once

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "StateCosts":
        """From JSON; `looking_s` is what `eval_s` was called before."""
        eval_s = values["eval_s"] if "eval_s" in values else values["looking_s"]
        kept = FeatureCosts.parse(values["kept"]) if values.get("kept") else None
        return cls(values["epoch"], Cost(**values["whole"]), eval_s, kept)


@dataclass(frozen=True, slots=True)
class RunCosts:
    """Of a run, in every state that its freeze policy brings."""

    device: str  # torch's device type
    precision: str
    decode_s: float  # of an image; 0 where all are decoded already
    image_bytes: int  # of a decoded image; 0 where all are decoded already
    read_s_per_gb: float  # of features
    images_on_gpu: bool
    states: tuple[StateCosts, ...]  # in the order of their epochs
    weights: int  # bytes that are always held, as those of the next three
    gradients: int
    optimizer: int
    average: int

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "RunCosts":
        """From JSON, as `dataclasses.asdict` makes it of these."""
        return cls(**values | {"states": tuple(map(StateCosts.parse, values["states"]))})

    @property
    def held(self) -> dict[str, int]:
        """Bytes that are held whatever the batch, by what holds them."""
        return {
            "weights": self.weights,
            "gradients": self.gradients,
            "optimizer": self.optimizer,
            "average": self.average,
        }
