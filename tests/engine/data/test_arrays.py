"""Decoded images are made once, equal for everyone, and never by half."""

import fcntl
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data.arrays import mean_std, prepare
from engine.data.decode import to_array
from engine.data.sources.base import Source
from engine.data.sources.embedded import open_digits

DIGITS = {"classes": [str(digit) for digit in range(10)]}
TWO_AT_ONCE = """
import sys, hashlib
from pathlib import Path
from engine.data.arrays import prepare
from engine.data.sources.embedded import open_digits
source = open_digits({"classes": [str(digit) for digit in range(10)]})
print("ready", flush=True)
sys.stdin.readline()
told = [1]
report = lambda done, total: told.append(done)
arrays = prepare(source, "f", image_size=64, channels=3, cache=Path(sys.argv[1]), report=report)
print(hashlib.sha256(arrays.images).hexdigest(), min(told) >= 1)
"""


class GivenUp(Exception):
    pass


@pytest.fixture(scope="module")
def source() -> Source:
    return open_digits(DIGITS)


def made(cache: Path) -> list[str]:
    return sorted(path.suffix for path in (cache / "images").iterdir())


def test_arrays_hold_every_image(source: Source, tmp_path: Path) -> None:
    reported: list[tuple[int, int]] = []
    arrays = prepare(
        source,
        "f",
        image_size=16,
        channels=1,
        cache=tmp_path,
        report=lambda done, total: reported.append((done, total)),
    )
    assert arrays.images.shape == (1797, 16, 16, 1)
    assert arrays.images.dtype == np.uint8
    assert not arrays.images.flags.writeable
    assert isinstance(arrays.images.base, np.memmap)
    assert np.array_equal(arrays.labels, source.labels)
    for index in (0, 255, 256, 257, 1796):
        assert np.array_equal(arrays.images[index], to_array(source.read(index), size=16, channels=1))
    assert reported == [(done, 1797) for done in range(1, 1798)]


def test_the_second_time_nothing_is_decoded(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(source, "f", image_size=8, channels=1, cache=tmp_path)

    def read(index: int) -> Image.Image:
        raise AssertionError("decoded again")

    monkeypatch.setattr(source, "read", read)
    second = prepare(source, "f", image_size=8, channels=1, cache=tmp_path)
    assert np.array_equal(first.images, second.images)
    for other in ({"image_size": 9, "channels": 1}, {"image_size": 8, "channels": 3}):
        with pytest.raises(AssertionError):
            prepare(source, "f", cache=tmp_path, **other)
    with pytest.raises(AssertionError):
        prepare(source, "another", image_size=8, channels=1, cache=tmp_path)


def test_two_processes_at_once_share_one_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWO_AT_ONCE, str(tmp_path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in both}
    assert len(answers) == 1
    assert answers.pop().endswith("True\n")
    assert made(tmp_path) == [".lock", ".npy"]


def test_who_waits_for_another_can_give_up(source: Source, tmp_path: Path) -> None:
    prepare(source, "f", image_size=8, channels=1, cache=tmp_path)
    (file,) = (tmp_path / "images").glob("*.npy")
    file.unlink()

    def give_up(done: int, total: int) -> None:
        raise GivenUp

    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(GivenUp):
            prepare(source, "f", image_size=8, channels=1, cache=tmp_path, report=give_up)


def test_giving_up_leaves_nothing_and_no_lock(source: Source, tmp_path: Path) -> None:
    children = []

    def start_a_child_and_give_up(done: int, total: int) -> None:
        if done == 300:
            command = [sys.executable, "-c", "import time; time.sleep(30)"]
            children.append(subprocess.Popen(command, close_fds=False))
            raise GivenUp

    with pytest.raises(GivenUp):
        prepare(source, "f", image_size=8, channels=1, cache=tmp_path, report=start_a_child_and_give_up)
    assert made(tmp_path) == [".lock"]
    prepare(source, "f", image_size=8, channels=1, cache=tmp_path)  # would wait if the child held the lock
    assert made(tmp_path) == [".lock", ".npy"]
    children[0].kill()
    children[0].wait()


def test_a_full_disk_is_an_error_not_a_crash(source: Source, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            prepare(source, "f", image_size=32, channels=1, cache=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert made(tmp_path) == [".lock"]


def test_mean_and_deviation_agree_with_numpy() -> None:
    rng = np.random.default_rng(0)
    images = (rng.integers(0, 256, (50, 6, 6, 3)) * [1.0, 0.5, 0.1]).astype(np.uint8)
    chosen = np.arange(0, 50, 2)
    mean, std = mean_std(images, chosen)
    pixels = images[chosen] / 255
    assert np.allclose(mean, pixels.mean(axis=(0, 1, 2)), atol=1e-5)
    assert np.allclose(std, pixels.std(axis=(0, 1, 2)), atol=1e-5)


def test_deviation_is_never_zero() -> None:
    assert mean_std(np.zeros((3, 4, 4, 1), np.uint8), np.arange(3)) == ([0.0], [0.01])
