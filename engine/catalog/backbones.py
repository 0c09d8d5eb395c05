"""Backbones: what turns an image into features and, with a head, into classes.

`build` names a function `(classes: int, channels: int, image_size: int) -> torch.nn.Module` as "module:function";
it is imported only where training happens, because torch costs seconds.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backbone:
    label: str
    note: str  # one line: when to choose it
    build: str
    parameters_m: float  # millions, at 3 channels, 64 px and 10 classes
    smallest_px: int


BACKBONES: dict[str, Backbone] = {
    "small_cnn": Backbone(
        label="Small CNN",
        note="Three convolution blocks and five linear layers, as in the course notes. Fast; for small images.",
        build="engine.training.model:small_cnn",
        parameters_m=1.16,
        smallest_px=8,
    ),
    "resnet18": Backbone(
        label="ResNet-18",
        note="The usual first choice for photos: accurate for its size.",
        build="engine.training.model:resnet18",
        parameters_m=11.18,
        smallest_px=32,
    ),
}
