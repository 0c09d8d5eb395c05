"""Devices are chosen in words, memory is read under the names that charts expect."""

import mmap
import os

import pytest
import torch

from engine.errors import Unavailable
from engine.training import device as devices
from engine.training.memory import Memory

no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="has a GPU")
with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="has no GPU")


def test_cpu_is_always_there():
    assert devices.describe(devices.choose("cpu")) == "cpu"


@no_gpu
@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_missing_device_asked_for_by_name_is_unavailable(name):
    if name == "mps" and torch.backends.mps.is_available():
        pytest.skip("has an Apple GPU")
    with pytest.raises(Unavailable, match=f"{name} was asked for but"):
        devices.choose(name)


def test_cores_are_those_this_process_may_use():
    assert 1 <= devices.cores() <= os.cpu_count()


def test_threads_follow_cores():
    devices.prepare(devices.choose("cpu"))
    assert torch.get_num_threads() == devices.cores()


def test_resident_memory_grows_with_what_is_held():
    memory = Memory(torch.device("cpu"))
    before = memory.read()["memory/rss_mb"]
    with mmap.mmap(-1, 256 * 2**20) as held:  # an allocator may have that much at hand
        for _ in range(256):
            held.write(b"x" * 2**20)
        assert memory.read()["memory/rss_mb"] - before == pytest.approx(256, abs=64)


@with_gpu
def test_gpu_memory_is_allocated_reserved_peak_and_device_wide():
    device = devices.choose("auto")
    assert device == torch.device("cuda", 0) and devices.describe(device).startswith("cuda:0 ")
    memory = Memory(device)
    held = torch.ones(256 * 2**20 // 4, device=device)
    reading = memory.read()
    assert list(reading) == ["gpu0/allocated_mb", "gpu0/reserved_mb", "gpu0/peak_mb", "gpu0/used_mb", "gpu0/total_mb"]
    assert 256 <= reading["gpu0/allocated_mb"] <= reading["gpu0/reserved_mb"] <= reading["gpu0/used_mb"]
    assert reading["gpu0/used_mb"] <= reading["gpu0/total_mb"]
    del held
    assert memory.read()["gpu0/peak_mb"] >= 256
