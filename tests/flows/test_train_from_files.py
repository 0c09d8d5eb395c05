"""The whole way on the command line, with real images: import, train, download, and the file does what was reported."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from storage import Store
from tests.cli import cli
from tests.conftest import ROOT
from tests.evaluation import accuracy_of_file


def train(*arguments: str | Path) -> dict[str, Any]:
    done = cli("train", *arguments, "--wait", "--json", timeout_s=280)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def accuracy_of_download(store: Store, run: dict[str, Any], folder: Path) -> float:
    """The downloaded file alone, judged on the validation images by what its own header says."""
    done = cli("download", run["id"], folder)
    assert done.returncode == 0, done.stderr
    return accuracy_of_file(store, Path(done.stdout.strip()), folder / "cache")


@pytest.mark.slow  # in the browser it is shown in `make test`
def test_the_demo_reaches_97_percent_and_its_file_does_too(store: Store, tmp_path: Path) -> None:
    run = train(ROOT / "examples" / "digits.yaml")
    assert run["state"] == "finished"
    assert run["best"]["name"] == "val/accuracy"
    assert run["best"]["value"] >= 0.97
    assert {"epoch", "path", "bytes", "sha256"} <= set(run["checkpoints"][0])
    assert accuracy_of_download(store, run, tmp_path) == pytest.approx(run["best"]["value"], abs=1e-9)


@pytest.mark.slow  # photos come in by a zip in a browser at every test run
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


@pytest.mark.slow
def test_photos_import_and_train_with_resnet18(store: Store, tmp_path: Path, cifar_zip: Path) -> None:
    added = cli("datasets", "add", "cifar", cifar_zip, "--json")
    assert added.returncode == 0, added.stderr
    dataset = json.loads(added.stdout)
    assert {part: sum(of.values()) for part, of in dataset["counts"].items()} == {"train": 5000, "validation": 1000}
    spec = tmp_path / "spec.yaml"
    exact = "compute: {precision: fp32}"  # as the file is judged
    spec.write_text(f"data: {{dataset: cifar, image_size: 32}}\nmodel: {{backbone: resnet18}}\n{exact}\nepochs: 1\n")
    run = train(spec)
    assert run["best"]["value"] > 0.2  # ten classes: chance is 0.1
    assert accuracy_of_download(store, run, tmp_path) == pytest.approx(run["best"]["value"], abs=0.003)
