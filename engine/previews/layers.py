"""A network seen before it is trained: its layers, what thaws when, its tensors, and what its first weights give it."""

from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchinfo import summary

from engine.catalog import BACKBONES, WEIGHTS
from engine.previews.job import PreviewJob
from engine.specs import RunSpec
from engine.training.network import model, weights
from engine.training.network.stages import Stage, stages_of
from engine.training.preparation import channels_of


def layers(job: PreviewJob) -> dict[str, Any]:
    """Rows of layers and tensors, and totals: numbers of weights, their bytes."""
    spec, dataset = job.spec, job.request["dataset"]
    classes, channels, size = dataset["classes"], channels_of(dataset, spec), spec.data.image_size
    network = _unreal(spec, len(classes), channels)
    stages = stages_of(network, spec.model)
    rows = _rows(network, stages, (1, channels, size, size))
    state = network.state_dict()
    size_bytes = sum(value.numel() * value.element_size() for value in state.values())
    return {
        "layers": rows,
        "stages": [{"name": stage.name, "weights": stage.weights} for stage in stages],
        "tensors": [
            {"name": name, "shape": list(value.shape), "type": str(value.dtype).removeprefix("torch.")}
            for name, value in state.items()
        ],
        "weights": sum(stage.weights for stage in stages),
        "bytes": size_bytes,
        "first_weights": _first_weights(spec, job.request["weights_path"], classes, channels),
    }


def _unreal(spec: RunSpec, classes: int, channels: int) -> nn.Module:
    """The network without memory for its weights, where it can be made so."""
    shape = {"classes": classes, "channels": channels, "image_size": spec.data.image_size}
    try:
        with torch.device("meta"):
            return model.build(spec.model, **shape)
    except NotImplementedError:  # RegNet counts its blocks with tensors
        return model.build(spec.model, **shape)


def _rows(network: nn.Module, stages: list[Stage], shape: tuple[int, ...]) -> list[dict[str, Any]]:
    device = next(network.parameters()).device
    seen = summary(network, input_size=shape, device=device, depth=12, verbose=0, mode="eval")
    paths = {id(layer): path for path, layer in network.named_modules()}
    rows = []
    for info in seen.summary_list:
        if not info.is_leaf_layer or id(info.module) not in paths:
            continue
        path = paths[id(info.module)]
        owner = next((one.name for one in stages if any(name.startswith(f"{path}.") for name in one.parameters)), None)
        rows.append(
            {
                "path": path,
                "kind": info.class_name,
                "output": list(info.output_size)[1:],
                "weights": info.num_params if info.num_params > 0 else 0,
                "stage": owner,
            }
        )
    return rows


def _first_weights(spec: RunSpec, path: str | None, classes: list[str], channels: int) -> dict[str, Any] | None:
    """What would become of each tensor; for a download that is still to come, which file it will be."""
    if WEIGHTS[spec.model.weights].load is None:
        return None
    file = Path(torch.hub.get_dir()) / "checkpoints" / BACKBONES[spec.model.backbone].weights_file
    if spec.model.weights == "pretrained" and not file.exists():
        return {"missing": file.name, "folder": str(file.parent), "url": weights.url_of(spec.model.backbone)}
    found = weights.find(weights.Request(spec.model, Path(path) if path else None))
    if found is None:
        return None
    network = model.build(spec.model, classes=len(classes), channels=channels, image_size=spec.data.image_size)
    fitted = weights.load(network, spec.model, found, classes=classes)
    return {
        "source": fitted.source,
        "loaded": len(fitted.loaded),
        "new": fitted.new,
        "left_out": fitted.left_out,
        "changed": fitted.changed,
    }
