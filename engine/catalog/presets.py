"""Presets of the New run form: values laid over the spec's defaults."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    label: str
    note: str
    values: dict[str, Any]  # a partial RunSpec, nested


PRESETS: dict[str, Preset] = {
    "demo": Preset(
        label="Demo",
        note="Handwritten digits with the small CNN; about 30 s on a laptop.",
        values={
            "name": "digits demo",
            "data": {"dataset": "digits", "image_size": 24},
            "model": {"backbone": "small_cnn"},
            "optimisation": {"optimizer": "adamw", "learning_rate": 1e-3, "batch_size": 32},
            "compute": {"precision": "fp32"},  # so that it gives the same on every machine
            "epochs": 20,
        },
    ),
    "quick": Preset(
        label="Quick look",
        note="Is there something to learn? A small model for a few epochs.",
        values={"model": {"backbone": "small_cnn"}, "data": {"image_size": 64}, "epochs": 5},
    ),
    "balanced": Preset(
        label="Balanced",
        note="ResNet-18 at a medium size: a fair first result on photos.",
        values={"model": {"backbone": "resnet18"}, "data": {"image_size": 96}, "epochs": 20},
    ),
    "thorough": Preset(
        label="Thorough",
        note="ResNet-18 at 224 px for longer. Best on a GPU.",
        values={"model": {"backbone": "resnet18"}, "data": {"image_size": 224}, "epochs": 60},
    ),
}
