"""torchvision's own sets through torchvision's own code: read from small files in its formats, fetched, refused."""

import functools
import gzip
import hashlib
import http.server
import inspect
import io
import os
import pickle
import struct
import tarfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.catalog.datasets import DATASET_KINDS
from engine.data.sources.fetched import TorchvisionSet, fetch, open_fetched
from engine.errors import Unavailable, Unfit
from tests.engine.torchvision_files import write_cifar, write_food, write_idx

FETCHED = {name: kind for name, kind in DATASET_KINDS.items() if kind.fetched}


class RecordedProgress:
    """Keeps what is told of a download."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)

    def report_step(self, step: int, steps: int, eta_s: float | None, message: str) -> None:
        assert 0 <= step < steps
        self.messages.append(message)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every address leads to a port where nobody listens."""
    monkeypatch.setattr(urllib.request, "_opener", None)  # else the addresses of an earlier download stay
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")


def opened(kind: str, root: Path) -> TorchvisionSet:
    return open_fetched({"kind": kind, "path": str(root)})


def test_every_kind_names_a_class_of_torchvision_and_what_it_takes() -> None:
    from torchvision import datasets

    for name, kind in FETCHED.items():
        assert kind.fetched is not None
        made = getattr(datasets, kind.fetched.torchvision)
        takes = set(inspect.signature(made.__init__).parameters)
        for base in made.__mro__:
            takes |= set(inspect.signature(base.__init__).parameters)
        for part, arguments in kind.fetched.parts.items():
            assert part in ("", "train", "validation", "test")
            assert set(arguments) <= takes, name
        assert kind.fetched.files
        assert kind.fetched.url.startswith("http")
        assert kind.fetched.bytes > 10**6


@pytest.mark.parametrize("kind", sorted(FETCHED))
def test_what_is_not_there_is_said_in_one_sentence(kind: str, tmp_path: Path, offline: None) -> None:
    with pytest.raises(Unfit) as refused:
        fetch(kind, tmp_path / "own", None, RecordedProgress())
    fetched = FETCHED[kind].fetched
    assert fetched is not None
    assert FETCHED[kind].label in refused.value.reason
    for expected in (fetched.url, str(tmp_path / "own"), *fetched.files):
        assert expected in refused.value.advice


def test_fashion_mnist_is_read_from_its_files(tmp_path: Path) -> None:
    files = write_idx(tmp_path, "FashionMNIST")
    source = opened("fashion_mnist", tmp_path)
    assert source.classes[9] == "Ankle boot"
    assert (source.splits.count("train"), source.splits.count("test")) == (40, 10)
    assert source.ids == sorted(source.ids)
    assert len(set(source.ids)) == 50
    place = source.ids.index("train/Ankle boot/000019")
    pixels = np.frombuffer(files["train-images-idx3-ubyte"][16:], np.uint8).reshape(-1, 28, 28)
    assert np.array_equal(np.asarray(source.read(place)), pixels[19])
    assert source.labels[place] == 9


@pytest.mark.parametrize(("kind", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_cifar_is_read_from_its_files(kind: str, classes: int, tmp_path: Path) -> None:
    write_cifar(tmp_path, fine=classes == 100)
    source = opened(kind, tmp_path)
    assert source.classes == tuple(f"thing {n}" for n in range(classes))
    assert source.splits.count("train") == 100
    image = source.read(0)
    assert (image.mode, image.size) == ("RGB", (32, 32))


def test_photos_keep_their_names(tmp_path: Path) -> None:
    write_food(tmp_path)
    source = opened("food101", tmp_path)
    assert source.classes == ("apple_pie", "waffles")
    assert source.ids[:2] == ["test/apple_pie/test0.jpg", "test/apple_pie/test1.jpg"]
    assert [source.classes[label] for label in source.labels[:3]] == ["apple_pie", "apple_pie", "waffles"]
    (tmp_path / "food-101/images/waffles/train0.jpg").write_bytes(b"torn")
    with pytest.raises(Unavailable, match="waffles/train0"):
        source.read(source.ids.index("train/waffles/train0.jpg"))


def test_letters_that_begin_at_one_have_no_empty_class(tmp_path: Path) -> None:
    folder = tmp_path / "EMNIST/raw"
    folder.mkdir(parents=True)
    for part, number in (("train", 52), ("test", 26)):
        pixels = np.zeros((number, 28, 28), np.uint8)
        labels = (1 + np.arange(number) % 26).astype(np.uint8)
        (folder / f"emnist-letters-{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 0x803, number, 28, 28) + pixels.tobytes()
        )
        (folder / f"emnist-letters-{part}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 0x801, number) + labels.tobytes()
        )
    source = opened("emnist_letters", tmp_path)
    assert source.classes == tuple("abcdefghijklmnopqrstuvwxyz")
    assert np.bincount(source.labels).tolist() == [3] * 26


def test_the_first_of_several_labels_is_the_class(tmp_path: Path) -> None:
    folder = tmp_path / "QMNIST/raw"
    folder.mkdir(parents=True)
    for part in ("train", "test"):
        labels = np.tile(np.arange(8), (10, 1))
        labels[:, 0] = np.arange(10)
        (folder / f"qmnist-{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">IIII", 0x803, 10, 28, 28) + bytes(10 * 28 * 28)
        )
        (folder / f"qmnist-{part}-labels-idx2-int").write_bytes(
            struct.pack(">III", 0xC02, 10, 8) + labels.astype(">i4").tobytes()
        )
    source = opened("qmnist", tmp_path)
    assert source.classes[7] == "7 - seven"
    assert np.bincount(source.labels).tolist() == [2] * 10


def test_what_lies_in_the_named_folder_is_taken_up_there(tmp_path: Path, offline: None) -> None:
    write_cifar(tmp_path / "mine")
    assert fetch("cifar10", tmp_path / "own", tmp_path / "mine", RecordedProgress()) == tmp_path / "mine"
    assert not (tmp_path / "own").exists()


def test_a_named_folder_without_the_files_is_told_which(tmp_path: Path, offline: None) -> None:
    with pytest.raises(Unfit, match=r"train_32x32\.mat.*test_32x32\.mat"):
        fetch("svhn", tmp_path / "own", tmp_path, RecordedProgress())


def test_archives_in_a_named_folder_are_checked_and_unpacked(
    tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torchvision's own check meets the archive's true sum once, and a wrong one once."""
    from torchvision import datasets

    write_food(tmp_path / "made")
    archive = tmp_path / "mine" / "food-101.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(tmp_path / "made/food-101", "food-101")
    with pytest.raises(Unfit, match=r"Food-101 could not be downloaded"):  # its sum is not the one torchvision knows
        fetch("food101", tmp_path / "own", archive.parent, RecordedProgress())
    monkeypatch.setattr(datasets.Food101, "_MD5", _md5(archive.read_bytes()))
    progress = RecordedProgress()
    assert fetch("food101", tmp_path / "own", archive.parent, progress) == tmp_path / "own"
    assert len(opened("food101", tmp_path / "own").ids) == 10
    assert archive.exists()
    assert progress.messages


def test_a_fetch_that_was_killed_while_unpacking_leaves_no_half_set(
    tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    own = tmp_path / "own"
    write_food(own)
    with tarfile.open(own / "food-101.tar.gz", "w:gz") as packed:
        packed.add(own / "food-101", "food-101")
    monkeypatch.setattr(datasets.Food101, "_MD5", _md5((own / "food-101.tar.gz").read_bytes()))
    (own / "food-101/images/waffles/train0.jpg").unlink()
    (own / ".unfinished").touch()
    assert fetch("food101", own, None, RecordedProgress()) == own
    source = opened("food101", own)
    assert [source.read(index).size for index in range(10)] == [(30, 20)] * 10
    assert not (own / ".unfinished").exists()


def test_a_download_comes_over_http_with_its_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: str, served: Path
) -> None:
    from torchvision import datasets

    resources = []
    for name, data in write_idx(tmp_path / "made", "KMNIST").items():
        packed = io.BytesIO()
        with gzip.GzipFile(fileobj=packed, mode="wb") as file:
            file.write(data)
        (served / f"{name}.gz").write_bytes(packed.getvalue())
        resources.append((f"{name}.gz", _md5(packed.getvalue())))
    monkeypatch.setattr(datasets.KMNIST, "mirrors", [f"{site}/"])
    monkeypatch.setattr(datasets.KMNIST, "resources", resources)
    progress = RecordedProgress()
    root = fetch("kmnist", tmp_path / "own", None, progress)
    assert len(opened("kmnist", root).ids) == 50
    assert any("MB fetched" in message for message in progress.messages)


def test_files_that_are_gone_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="CIFAR-10"):
        opened("cifar10", tmp_path)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def site(served: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of the files in `served`."""
    monkeypatch.setattr(urllib.request, "_opener", None)
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=served)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


class Code:
    """What a pickle that runs code looks like."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.mark),)


def test_code_in_cifars_pickles_is_never_run(tmp_path: Path) -> None:
    write_cifar(tmp_path)
    batch = tmp_path / "cifar-10-batches-py/data_batch_1"
    batch.write_bytes(pickle.dumps({**pickle.loads(batch.read_bytes()), "more": Code(tmp_path / "ran")}))
    with pytest.raises(Unavailable, match="which is no array"):
        TorchvisionSet("cifar10", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_an_archive_that_differs_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.mkdir()
    (named / "cifar-10-python.tar.gz").write_bytes(b"something of the user's")
    with pytest.raises(Unfit, match="damaged, or another file"):
        fetch("cifar10", tmp_path / "own", named, RecordedProgress())
    assert (named / "cifar-10-python.tar.gz").read_bytes() == b"something of the user's"
