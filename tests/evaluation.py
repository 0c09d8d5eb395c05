"""A downloaded checkpoint, evaluated by itself: what its header says is all that is used to rebuild and run it."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import safe_open

from engine.data import open_source
from engine.data.arrays import prepare
from engine.data.batches import Batches, Pixels
from engine.data.split import split
from engine.specs import RunSpec
from engine.training.network.model import build
from storage import Store


def accuracy_of_file(store: Store, weights: Path, cache: Path) -> float:
    """The share of the validation images, of the data set named in the file's header, that it gets right."""
    with safe_open(weights, "pt") as file:
        about = json.loads(file.metadata()["thaw"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    spec, how = RunSpec.parse(about["spec"]), about["preprocessing"]
    model = build(spec.model, classes=len(about["classes"]), channels=how["channels"], image_size=how["image_size"])
    model.load_state_dict(tensors)
    model.eval()
    dataset = store.datasets.get(spec.data.dataset)
    source = open_source(asdict(dataset))
    shape = {"image_size": how["image_size"], "channels": how["channels"]}
    arrays = prepare(source, dataset.fingerprint, cache=cache, **shape)
    parts = split(source.labels, source.splits, fraction=spec.data.validation_fraction, seed=spec.data.split_seed)
    cpu = torch.device("cpu")
    pixels = Pixels(arrays.images, mean=how["mean"], std=how["std"], device=cpu)
    right = 0
    with torch.inference_mode():
        for images, labels in Batches(pixels, arrays.labels, parts.validation, batch_size=256, device=cpu):
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(parts.validation)
