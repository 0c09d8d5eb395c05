"""torchvision's pretrained weights, from torch's own cache or named where they are missing; nothing is downloaded."""

from pathlib import Path
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest
from torchvision import models

from engine import api
from engine.api import RunSpec
from engine.previews.requests import Previewing
from storage import RunState, Store
from tests.cli import cli, spec_file, until
from tests.pages import seed_datasets
from tests.pages.pages import NEW_RUN, fresh_store, opened, texts

__all__ = ["fresh_store"]

FILE = "resnet18-f37072fd.pth"
SPEC = {
    "data": {"dataset": "digits", "image_size": 32},
    "model": {"backbone": "resnet18", "weights": "pretrained"},
    "freeze": {"policy": "head"},
    "epochs": 1,
}


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's cache, empty, and a way out that leads nowhere."""
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    return folder


def test_a_missing_file_is_named_with_its_place_and_put_there_it_trains(
    store: Store, tmp_path: Path, checkpoints: Path
) -> None:
    spec = spec_file(tmp_path, SPEC)
    refused = cli("train", spec, "--wait")
    said = refused.stdout
    assert refused.returncode == 1
    for part in (FILE, str(checkpoints), f"https://download.pytorch.org/models/{FILE}"):
        assert part in said, said
    torch.save(models.resnet18().state_dict(), checkpoints / FILE)
    assert cli("train", spec, "--wait").returncode == 0
    states = [run.state for run in store.runs.list()]
    assert states == [RunState.FINISHED, RunState.FAILED]
    assert FILE in str(store.runs.list()[1].reason)  # in the list of runs too


def test_the_page_names_the_missing_file_before_the_start(store: Store, checkpoints: Path) -> None:
    said = texts(previewed_page(store, SPEC))
    assert FILE in said
    assert checkpoints.name in said


def test_a_file_that_is_no_weights_is_told_and_the_rest_of_the_form_stands(store: Store, tmp_path: Path) -> None:
    torch.save(models.squeezenet1_1(), tmp_path / "whole.pt")
    model = {"backbone": "resnet18", "weights": "file", "weights_from": str(tmp_path / "whole.pt")}
    app = previewed_page(store, {**SPEC, "model": model})
    assert "with torch.save instead" in " ".join(one.value for one in app.warning).replace("\\", "")
    assert app.number_input(key="new_epochs").value == 1


def previewed_page(store: Store, values: dict[str, Any]) -> AppTest:
    """The New run page on these values, once the engine has made its look at the layers."""
    seed_datasets.digits(store)
    care, spec = Previewing(store), RunSpec.parse(values)

    def has_message() -> bool:
        found = api.preview(store, "layers", spec)
        care.tick()
        return found.values is not None or found.problem is not None

    until(has_message, within_s=120)
    care.close()
    pairs = {
        f"{part}.{name}": str(value) for part in ("data", "model", "freeze") for name, value in values[part].items()
    }
    return opened(NEW_RUN, **pairs, epochs=str(values["epochs"]))
