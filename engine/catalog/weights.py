"""Where a network's first weights come from.

`load` names a function `(engine.training.network.weights.Request) -> Found` as "module:function".
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    label: str
    note: str
    load: str | None = None  # None: as the network was made
    source: str | None = None  # what `model.weights_from` names; None: nothing has to be named


WEIGHTS: dict[str, Weights] = {
    "random": Weights("Random", "From scratch. Needs many images, or a small network."),
    "pretrained": Weights(
        "Pretrained on ImageNet",
        "torchvision's weights from 1.3 million photos: the best start for photos. Downloaded once, then kept.",
        load="engine.training.network.weights:pretrained",
    ),
    "run": Weights(
        "One of my runs",
        "The weights of a checkpoint of yours: go on from what it learned, with other classes too.",
        load="engine.training.network.weights:from_file",
        source="a run: its id or name, then @best (usual), @last or @epoch if wanted",
    ),
    "file": Weights(
        "A weights file",
        "A .safetensors or .pt file of tensors on this machine.",
        load="engine.training.network.weights:from_file",
        source="the path of a .safetensors, .pt or .pth file on this machine",
    ),
}
