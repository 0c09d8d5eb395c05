"""First weights, freezing and thawing in real runs on real digits; what is missing or does not fit is told."""

import json
import socket
from itertools import pairwise
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torchvision import models

from engine.catalog import BACKBONES
from engine.errors import Unavailable
from engine.specs import Model
from engine.training.network import weights
from engine.training.network.model import build, load_tensors
from tests.engine.digits_run import DigitsRun, equal

SMALL_NET = {"model": {"backbone": "small_cnn"}}

LARGEST_M = 100  # the larger ones are the same code


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def torch_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """torch's own cache of weights, empty and of this test alone; nothing answers outside of this machine."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def snapshots(run: DigitsRun, epochs: int) -> list[dict[str, torch.Tensor]]:
    """The weights before training and after each epoch."""
    taken = [run.weights()]
    for epoch in range(1, epochs + 1):
        run.fit(until_step=epoch * len(run.train))
        taken.append(run.weights())
    return taken


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}


def test_stages_thaw_one_by_one_from_the_head(tmp_path: Path, cache: Path) -> None:
    spec = {**SMALL_NET, "freeze": {"policy": "gradual", "every_epochs": 1}, "epochs": 5}
    run = DigitsRun(tmp_path, cache, spec=spec)
    taken = snapshots(run, 5)
    learned = [changed(before, after) for before, after in pairwise(taken)]
    dense = {"11", "13", "15", "17"}
    assert learned == [
        {"19"},
        {"19"} | dense,
        {"19", "6"} | dense,
        {"19", "6", "3"} | dense,
        {"19", "6", "3", "0"} | dense,
    ]
    told = [line["text"] for line in run.reporter.of("message")]
    assert told == [
        f"Epoch {n}: {name} thawed." for n, name in ((2, "dense"), (3, "block3"), (4, "block2"), (5, "block1"))
    ]


def test_each_stage_learns_at_its_own_rate(tmp_path: Path, cache: Path) -> None:
    spec = {
        **SMALL_NET,
        "freeze": {"policy": "gradual", "every_epochs": 1, "rate_decay": 0.5},
        "optimisation": {"learning_rate": 0.01, "schedule": "step", "step_epochs": 2, "batch_size": 64},
    }
    run = DigitsRun(tmp_path, cache, spec=spec)
    run.fit()
    rates = [line["values"] for line in run.reporter.of("metrics") if "lr/head" in line["values"]]
    assert [set(one) & {"lr/head", "lr/dense", "lr/block3"} for one in rates] == [
        {"lr/head"},
        {"lr/head", "lr/dense"},
        {"lr/head", "lr/dense", "lr/block3"},
    ]
    assert [one["lr/head"] for one in rates] == [pytest.approx(rate) for rate in (0.01, 0.01, 0.001)]
    assert rates[2]["lr/block3"] == pytest.approx(0.001 / 4)


EVERYTHING = {
    "data": {"dataset": "digits", "image_size": 16, "augmentations": ["shift", "rotate", "erase"]},
    "model": {"backbone": "small_cnn", "head": "mlp", "head_dropout": 0.3},
    "freeze": {"policy": "gradual", "every_epochs": 1, "rate_decay": 0.5},
    "optimisation": {
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "nesterov": True,
        "batch_size": 64,
        "schedule": "plateau",
        "plateau_epochs": 1,
        "warmup_epochs": 0.5,
        "mixing": "both",
        "label_smoothing": 0.1,
        "balance": "sampling",
        "clip_norm": 1.0,
        "ema_decay": 0.9,
        "early_stopping": 3,
        "decay_on": "weights",
    },
    "epochs": 4,
}


@pytest.mark.parametrize("left_at", [5, pytest.param(40, marks=pytest.mark.slow), 60])
def test_with_every_control_on_resumed_is_uninterrupted(tmp_path: Path, cache: Path, left_at: int) -> None:
    whole = DigitsRun(tmp_path / "whole", cache, spec=EVERYTHING)
    assert whole.fit()
    first = DigitsRun(tmp_path / "parts", cache, spec=EVERYTHING)
    assert not first.fit(until_step=left_at)
    second = DigitsRun(tmp_path / "parts", cache, spec=EVERYTHING)
    newest = second.saved()[-1]
    second.resume(f"checkpoints/{newest}")
    assert second.fit()
    assert equal(whole.training, second.training)
    ours, theirs = whole.training.eval_model.state_dict(), second.training.eval_model.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert whole.training.plateau == second.training.plateau


def test_early_stopping_ends_a_run_that_learns_nothing_more(tmp_path: Path, cache: Path) -> None:
    frozen = {"learning_rate": 1e-9, "batch_size": 64, "early_stopping": 2}
    run = DigitsRun(tmp_path, cache, spec={**SMALL_NET, "optimisation": frozen, "epochs": 50})
    assert run.fit()
    assert run.training.progress.epoch == 3
    assert "no better validation for 2 epochs" in run.reporter.of("message")[-1]["text"]


def test_weights_of_a_run_are_taken_over_and_the_rest_is_listed(tmp_path: Path, cache: Path) -> None:
    run = DigitsRun(tmp_path, cache, spec={**SMALL_NET, "epochs": 1})
    run.fit()
    path = next((tmp_path / "checkpoints").iterdir()) / "weights.safetensors"
    found = weights.from_file(weights.Request(Model(backbone="small_cnn"), path))
    assert found.classes == tuple("0123456789")
    assert found.norm_stats is not None

    same = build(Model(backbone="small_cnn"), classes=10, channels=1, image_size=16)
    fitted = weights.load(same, Model(backbone="small_cnn"), found, classes=list("0123456789"))
    assert (fitted.new, fitted.left_out, fitted.changed) == ([], [], [])
    assert all(torch.equal(value, run.weights()[name]) for name, value in same.state_dict().items())

    other = build(Model(backbone="small_cnn"), classes=3, channels=3, image_size=16)
    fitted = weights.load(other, Model(backbone="small_cnn"), found, classes=["a", "b", "c"])
    assert fitted.new == ["19.weight 3 x 64", "19.bias 3"]
    assert fitted.left_out == ["19.bias 10", "19.weight 10 x 64"]
    assert fitted.changed == ["0.weight 32 x 1 x 3 x 3 to 32 x 3 x 3 x 3"]
    grey = torch.rand(2, 1, 16, 16)
    torch.testing.assert_close(other[0](grey.repeat(1, 3, 1, 1)), same[0](grey))


def test_same_number_of_other_classes_gets_a_new_head(tmp_path: Path) -> None:
    network = build(Model(backbone="small_cnn"), classes=2, channels=1, image_size=16)
    about = json.dumps({"classes": ["cat", "dog"]})
    safetensors.torch.save_file(network.state_dict(), tmp_path / "w.safetensors", metadata={"thaw": about})
    found = weights.from_file(weights.Request(Model(backbone="small_cnn"), tmp_path / "w.safetensors"))
    other = build(Model(backbone="small_cnn"), classes=2, channels=1, image_size=16)
    assert weights.load(other, Model(backbone="small_cnn"), found, classes=["dog", "cat"]).new == [
        "19.weight 2 x 64",
        "19.bias 2",
    ]
    assert weights.load(other, Model(backbone="small_cnn"), found, classes=["cat", "dog"]).new == []


def test_pretrained_weights_are_read_from_torchs_cache(torch_cache: Path) -> None:
    torch.manual_seed(1)
    original = models.resnet18()
    torch.save(original.state_dict(), torch_cache / "resnet18-f37072fd.pth")
    for way, head in (("linear", "fc"), ("after", "fc.1")):
        asked = Model(weights="pretrained", head=way)
        found = weights.find(weights.Request(asked, None))
        assert found is not None
        network = build(asked, classes=7, channels=1, image_size=64)
        fitted = weights.load(network, asked, found, classes=list("abcdefg"))
        assert torch.equal(network.layer4[1].conv2.weight, original.layer4[1].conv2.weight)
        torch.testing.assert_close(network.conv1.weight, original.conv1.weight.sum(dim=1, keepdim=True))
        inputs = 1000 if way == "after" else 512
        assert fitted.new == [f"{head}.weight 7 x {inputs}", f"{head}.bias 7"]
        assert fitted.left_out == ([] if way == "after" else ["fc.bias 1000", "fc.weight 1000 x 512"])
    assert found.norm_stats == ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def test_without_network_and_file_one_sentence_says_what_to_put_where(torch_cache: Path) -> None:
    with pytest.raises(Unavailable) as told:
        weights.find(weights.Request(Model(weights="pretrained"), None))
    text = str(told.value)
    assert text.startswith(f"resnet18-f37072fd.pth is not in {torch_cache} and could not be downloaded")
    assert "Put the file from https://download.pytorch.org/models/resnet18-f37072fd.pth there" in text


def test_damaged_and_foreign_files_are_told(torch_cache: Path, tmp_path: Path) -> None:
    (torch_cache / "resnet18-f37072fd.pth").write_bytes(b"half a download")
    with pytest.raises(Unavailable, match="Delete it"):
        weights.find(weights.Request(Model(weights="pretrained"), None))
    network = build(Model(backbone="small_cnn"), classes=2, channels=1, image_size=16)
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in network.state_dict().items()}}, tmp_path / "w.pt"
    )
    asked = Model(backbone="resnet18", weights="file", weights_from=str(tmp_path / "w.pt"))
    found = weights.find(weights.Request(asked, None))
    assert found is not None
    with pytest.raises(Unavailable, match="fit nothing in resnet18"):
        weights.load(build(asked, classes=2, channels=1, image_size=32), asked, found, classes=["a", "b"])
    for name in ("none.pt", "text.safetensors", "text.pt"):
        path = tmp_path / name
        if name != "none.pt":
            path.write_text("no weights")
        with pytest.raises(Unavailable, match=name):
            weights.from_file(weights.Request(asked, path))


@pytest.mark.parametrize(
    "backbone",
    [
        pytest.param(name, marks=[pytest.mark.slow] if BACKBONES[name].parameters_m > LARGEST_M else [])
        for name in sorted({id(row.layout): name for name, row in reversed(BACKBONES.items())}.values())
    ],
)
def test_every_family_takes_over_its_own_weights_and_resumes(backbone: str) -> None:
    layout, asked = BACKBONES[backbone].layout, Model(backbone=backbone)
    size = -(-layout.smallest_px // layout.multiple_of) * layout.multiple_of
    original = build(asked, classes=3, channels=3, image_size=size)
    found = weights.Found(dict(original.state_dict()), "another run", classes=("a", "b", "c"))
    network = build(asked, classes=3, channels=3, image_size=size)
    assert weights.load(network, asked, found, classes=["a", "b", "c"]).new == []
    assert all(torch.equal(value, original.state_dict()[name]) for name, value in network.state_dict().items())
    load_tensors(network, dict(original.state_dict()))  # as a resumed run does


@pytest.mark.parametrize("backbone", ["densenet121", "vit_b_16", "googlenet"])
def test_weights_saved_for_another_shape_fit(backbone: str) -> None:
    row = models.get_model(backbone, **({"init_weights": False} if backbone == "googlenet" else {}))
    state = row.state_dict()
    if backbone == "densenet121":  # as they lie on torchvision's server
        state = {name.replace("norm1.", "norm.1.").replace("conv2.", "conv.2."): value for name, value in state.items()}
    asked = Model(backbone=backbone, weights="pretrained")
    size = 64
    network = build(asked, classes=7, channels=3, image_size=size)
    found = weights.Found(weights.renamed(backbone, state), "here")
    fitted = weights.load(network, asked, found, classes=list("abcdefg"))
    assert all(name.startswith(("classifier.", "heads.", "fc.")) for name in (one.split(" ")[0] for one in fitted.new))
    assert network.eval()(torch.rand(1, 3, size, size)).shape == (1, 7)
