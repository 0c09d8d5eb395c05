"""torchvision's pretrained weights, from torch's own cache or named where they are missing; nothing is downloaded."""

from pathlib import Path

import pytest
import torch
from torchvision import models

import engine
from engine import RunSpec
from engine.previews import Previewing
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
    seed_datasets.digits(store)
    care = Previewing(store)
    spec = RunSpec.parse(SPEC)

    def told() -> bool:
        found = engine.preview(store, "layers", spec)
        care.tick()
        return found.values is not None or found.problem is not None

    until(told, within_s=120)
    query = {"data.dataset": "digits", "data.image_size": "32", "freeze.policy": "head"}
    query |= {"model.backbone": "resnet18", "model.weights": "pretrained"}
    said = texts(opened(NEW_RUN, **query))
    care.close()
    assert FILE in said
    assert checkpoints.name in said
