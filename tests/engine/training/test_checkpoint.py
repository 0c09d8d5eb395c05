"""A checkpoint is whole or not there, explains itself, and is loaded only unchanged."""

import json
import random
import resource
import shutil
import signal
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open

from engine.protocol.serialization import to_json
from engine.training import checkpoint
from engine.training.failures import BadCheckpoint, DiskFull
from tests.engine.digits_run import DigitsRun

FILES = ("weights.safetensors", "resume.pt", "predictions.parquet", "manifest.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = DigitsRun(tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("cache"), spec={"epochs": 1})
    assert run.fit()
    return run


@pytest.fixture(scope="module")
def good(run):
    return run.folder / "checkpoints" / "e0001"


def test_announcement_says_what_lies_there(run, good):
    line = run.reporter.of("checkpoint")[0]
    manifest = checkpoint.verify(good)
    assert line["bytes"] == sum(file.stat().st_size for file in good.iterdir())
    assert line["sha256"] == manifest.files["weights.safetensors"].sha256
    assert line["metrics"] == manifest.metrics


def test_manifest_is_enough_to_use_the_weights(run, good):
    manifest = checkpoint.verify(good)
    assert manifest.classes == tuple("0123456789")
    assert manifest.preprocessing["image_size"] == 16 and manifest.preprocessing["channels"] == 1
    assert len(manifest.preprocessing["mean"]) == len(manifest.preprocessing["std"]) == 1
    assert manifest.spec == run.spec.model_dump(mode="json")
    assert set(manifest.files) == {"weights.safetensors", "resume.pt", "predictions.parquet"}
    assert manifest.versions["torch"].startswith(torch.__version__.split("+")[0])


def test_weights_file_explains_itself(run, good):
    manifest = checkpoint.verify(good)
    with safe_open(good / "weights.safetensors", framework="pt") as file:
        thaw = json.loads(file.metadata()["thaw"])
    values = to_json(manifest)
    assert thaw == {key: values[key] for key in ("classes", "preprocessing", "spec", "epoch", "metrics")}


def _flip(content: bytearray, chance: random.Random) -> None:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def _truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


def _zero_page(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(0, max(1, len(content) - 4096), 4096)
    content[start : start + 4096] = bytes(len(content[start : start + 4096]))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("damage", [_flip, _truncate, _zero_page])
@pytest.mark.parametrize("name", FILES)
def test_damage_is_found_before_anything_is_loaded(good, tmp_path, name, damage, seed):
    folder = shutil.copytree(good, tmp_path / "e0001")
    content = bytearray((folder / name).read_bytes())
    damage(content, random.Random(seed))
    (folder / name).write_bytes(content)
    with pytest.raises(BadCheckpoint):
        checkpoint.verify(folder)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_found(good, tmp_path, name):
    folder = shutil.copytree(good, tmp_path / "e0001")
    (folder / name).unlink()
    with pytest.raises(BadCheckpoint, match=name):
        checkpoint.verify(folder)


def test_newer_format_is_refused(good, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.protocol.manifest.FORMAT", 0)
    with pytest.raises(BadCheckpoint, match="newer Thaw"):
        checkpoint.verify(good)


@pytest.mark.parametrize("rounds", [30, pytest.param(300, marks=pytest.mark.slow)])
def test_kill_while_saving_leaves_whole_ones_only(tmp_path, rounds):
    told = subprocess.run(
        [sys.executable, "-m", "tests.engine.checkpoint_killing", str(tmp_path), str(rounds)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(told.stdout)
    assert (found["bad"], found["lost"]) == (0, 0)
    assert found["caught"] >= rounds / 4  # else the kills came at the wrong moments and show nothing
    assert found["saved"] >= 2


def test_too_little_room_is_refused_before_writing(run, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=5_000_000))
    with pytest.raises(DiskFull, match=r"MB needed, 5 MB free"):
        checkpoint.write(tmp_path / "e0001", {"a": torch.zeros(2)}, {}, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("big", ["weights", "resume"])
def test_disk_that_fills_while_writing_leaves_nothing_behind(tmp_path, big):
    """A file size limit stands in for a full disk: the writes of torch and safetensors fail half-way, as there."""
    tensors = {"a": torch.zeros(500_000)}
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        about = dict.fromkeys(("epoch", "step", "classes", "preprocessing", "spec", "metrics"))
        with pytest.raises(DiskFull):
            checkpoint.write(
                tmp_path / "e0001", tensors if big == "weights" else {}, tensors if big == "resume" else {}, about
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert list(tmp_path.iterdir()) == []


def test_half_written_folders_are_swept_on_start(tmp_path):
    (tmp_path / "checkpoints" / "e0007.tmp").mkdir(parents=True)
    (tmp_path / "checkpoints" / "e0007.tmp" / "weights.safetensors").write_bytes(b"half")
    run = DigitsRun(tmp_path, tmp_path / "cache")
    assert run.saved() == []
