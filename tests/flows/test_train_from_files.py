"""The whole way on the command line, with real images: import, train, download, and the file does what was reported."""

import json
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from sklearn.datasets import load_digits

from engine.data import open_source
from engine.data.arrays import prepare
from engine.data.batches import Batches
from engine.data.split import split
from engine.spec import RunSpec
from engine.training.model import build
from storage import Store
from tests.cli import cli
from tests.conftest import ROOT


def train(*arguments: str | Path) -> dict[str, Any]:
    done = cli("train", *arguments, "--wait", "--json", timeout_s=280)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def accuracy_of_download(store: Store, run: dict[str, Any], folder: Path) -> float:
    """The downloaded file alone, judged on the validation images by what its own header says."""
    done = cli("download", run["id"], folder)
    assert done.returncode == 0, done.stderr
    with safe_open(done.stdout.strip(), "pt") as file:
        about = json.loads(file.metadata()["thaw"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    spec, how = RunSpec.parse(about["spec"]), about["preprocessing"]
    model = build(spec.model, classes=len(about["classes"]), channels=how["channels"], image_size=how["image_size"])
    model.load_state_dict(weights)
    model.eval()
    dataset = store.datasets.get(spec.data.dataset)
    source = open_source(asdict(dataset))
    shape = {"image_size": how["image_size"], "channels": how["channels"]}
    arrays = prepare(source, dataset.fingerprint, cache=folder / "cache", **shape)
    parts = split(source.labels, source.splits, fraction=spec.data.validation_fraction, seed=spec.data.split_seed)
    look = {"mean": how["mean"], "std": how["std"], "device": torch.device("cpu")}
    right = 0
    with torch.inference_mode():
        for images, labels in Batches(arrays, parts.validation, batch_size=256, **look):
            right += int((model(images).argmax(1) == labels).sum())
    return right / len(parts.validation)


def test_the_demo_reaches_97_percent_and_its_file_does_too(store: Store, tmp_path: Path) -> None:
    run = train(ROOT / "examples" / "digits.yaml")
    assert run["state"] == "finished"
    assert run["best"]["name"] == "val/accuracy"
    assert run["best"]["value"] >= 0.97
    assert {"epoch", "path", "bytes", "sha256"} <= set(run["checkpoints"][0])
    assert accuracy_of_download(store, run, tmp_path) == pytest.approx(run["best"]["value"], abs=1e-9)


def test_digits_as_a_zip_of_class_folders(store: Store, tmp_path: Path) -> None:
    digits = load_digits()
    with zipfile.ZipFile(tmp_path / "digits.zip", "w") as archive:
        for number, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
            picture = tmp_path / "one.png"
            Image.fromarray(np.round(pixels * 255 / 16).astype(np.uint8)).save(picture)
            archive.write(picture, f"my digits/{label}/{number:04d}.png")
    added = cli("datasets", "add", "숫자", tmp_path / "digits.zip", "--json")
    assert added.returncode == 0, added.stderr
    dataset = json.loads(added.stdout)
    assert (dataset["images"], len(dataset["classes"]), dataset["set_aside"]) == (1797, 10, [])
    run = train(ROOT / "examples" / "digits.yaml", "--set", "data.dataset=숫자")
    assert run["best"]["value"] >= 0.97


def test_photos_import_and_train_with_resnet18(store: Store, tmp_path: Path, cifar_zip: Path) -> None:
    added = cli("datasets", "add", "cifar", cifar_zip, "--json")
    assert added.returncode == 0, added.stderr
    dataset = json.loads(added.stdout)
    assert {part: sum(of.values()) for part, of in dataset["counts"].items()} == {"train": 5000, "validation": 1000}
    spec = tmp_path / "spec.yaml"
    spec.write_text("data: {dataset: cifar, image_size: 32}\nmodel: {backbone: resnet18}\nepochs: 1\n")
    run = train(spec)
    assert run["best"]["value"] > 0.2  # ten classes: chance is 0.1
    assert accuracy_of_download(store, run, tmp_path) == pytest.approx(run["best"]["value"], abs=0.003)
