"""The checks of `python -m benchmarks gpu`, as far as a CPU can run them, on small things."""

import subprocess
import sys

import pytest
import torch

from benchmarks import drawn, gpu
from tests.conftest import ROOT

CPU = torch.device("cpu")
SMALL = {
    "model": {"backbone": "small_cnn"},
    "data": {"image_size": 16},
    "optimisation": {"batch_size": 32},
    "compute": {"precision": "fp32"},
}
BARE = """
import sys
for name in ("sqlite3", "sqlite_utils", "storage", "streamlit", "pandas", "plotly", "sklearn", "rich", "starlette"):
    sys.modules[name] = None
for name in ("yaml", "safetensors", "psutil", "pynvml", "torchinfo", "imagehash", "scipy"):
    sys.modules[name] = None
import torch
from benchmarks import drawn, gpu
run = drawn.Drawn.begun({"data": {"image_size": 16}, "model": {"backbone": "small_cnn"}}, torch.device("cpu"))
print(len(drawn.losses_of(run, 2)))
"""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "RESNET", SMALL)
    monkeypatch.setattr(gpu, "PLAIN", SMALL)
    monkeypatch.setattr(gpu, "STEPS", 4)
    monkeypatch.setattr(drawn, "TRAIN", 512)
    monkeypatch.setattr(drawn, "VALIDATION", 32)


def test_it_needs_torch_torchvision_and_pydantic_alone() -> None:
    done = subprocess.run([sys.executable, "-c", BARE], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "2", done.stderr


def test_a_resumed_training_is_as_uninterrupted() -> None:
    for check in gpu.resume(CPU):
        assert check.is_good, check


def test_resuming_without_the_chances_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.state.restore_random", lambda state: None)
    assert not all(check.is_good for check in gpu.resume(CPU))


def test_speed_is_told_beside_the_resident_limit(capsys: pytest.CaptureFixture[str]) -> None:
    limit, ours = gpu.throughput(CPU, "fp32")
    assert (limit.way, ours.way) == ("resident limit", "Thaw")
    assert "of the resident limit" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.measure() == []
    assert "No NVIDIA GPU" in capsys.readouterr().out
