"""torchvision's data sets from files in its own formats, on the command line: fetched, looked through, trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import api
from storage import RunState, Store
from tests.cli import SOME, TINY, cli, queue, spec_file, until, until_state
from tests.engine.pictures import digits, write_folder
from tests.engine.torchvision_files import write_cifar, write_idx

Write = Callable[[Path], object]

KINDS: dict[str, tuple[Write, dict[str, int], int, str]] = {  # files, images of each part, side, a class
    "fashion_mnist": (
        lambda root: write_idx(root, "FashionMNIST", train=200, test=50),
        {"train": 200, "test": 50},
        28,
        "Ankle boot",
    ),
    "cifar10": (write_cifar, {"train": 100, "test": 20}, 32, "thing 9"),
    "cifar100": (lambda root: write_cifar(root, fine=True, each=40), {"train": 200, "test": 200}, 32, "thing 99"),
}


def thaw_json(*arguments: str | Path) -> dict[str, Any]:
    done = cli(*arguments, "--json", timeout_s=280)
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def run_file(run: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((Path(run["folder"]) / "run.json").read_text())
    return values


def until_digits_are_scanned(store: Store) -> None:
    """The engine does that by itself when it first starts."""
    until(lambda: not store.requests.open() and (store.home.dataset("digits") / "scan.json").exists())


@pytest.mark.parametrize(
    "kind", [kind if kind == "cifar10" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_files_are_taken_up_where_they_lie_and_train(kind: str, store: Store, tmp_path: Path) -> None:
    write, parts, side, name = KINDS[kind]
    write(tmp_path / "mine")
    files = sorted((tmp_path / "mine").rglob("*"))
    dataset = thaw_json("datasets", "fetch", kind, "--folder", tmp_path / "mine")
    assert {part: sum(of.values()) for part, of in dataset["counts"].items()} == parts
    assert name in dataset["classes"]
    assert dataset["scan"]["sizes"] == [[side, side, sum(parts.values())]]
    spec = TINY | {"data": {"dataset": kind, "image_size": 16}, "epochs": 1}
    run = thaw_json("train", spec_file(tmp_path, spec), "--wait")
    assert run["state"] == "finished"
    assert run["best"]["name"] == "val/accuracy"
    assert run_file(run)["dataset"]["fingerprint"] == dataset["fingerprint"]
    assert cli("datasets", "delete", kind).returncode == 0
    assert sorted((tmp_path / "mine").rglob("*")) == files


@pytest.mark.slow
def test_files_put_by_hand_go_with_the_last_data_set_that_reads_them(store: Store) -> None:
    root = store.home.downloads / "kmnist"
    write_idx(root, "KMNIST")
    for name in ("one", "two"):
        assert thaw_json("datasets", "fetch", "kmnist", "--name", name)["images"] == 50
    assert cli("datasets", "delete", "one").returncode == 0
    assert api.dataset_image(store, "two", "train/o/000000").size == (28, 28)
    assert cli("datasets", "delete", "two").returncode == 0
    assert not root.exists()


def test_a_csv_of_files_on_the_disk_is_scanned_and_trains(store: Store, tmp_path: Path) -> None:
    write_folder(tmp_path, digits(20))
    rows = [f"{path},{path[0]},{'validation' if path.endswith('-1.png') else 'train'}" for path in digits(20)]
    (tmp_path / "list.csv").write_text("\n".join(["path,label,split", *rows, "3/3-2.png,3,train", "9/no.png,9,train"]))
    dataset = thaw_json("datasets", "add", "mine", tmp_path / "list.csv")
    assert (dataset["images"], [one["path"] for one in dataset["set_aside"]]) == (200, ["9/no.png"])
    assert [one["kind"] for one in dataset["scan"]["findings"]] == ["undecodable"]
    assert thaw_json("train", spec_file(tmp_path, TINY | {"data": {"dataset": "mine", "image_size": 8}}), "--wait")[
        "best"
    ]


@pytest.mark.slow
def test_a_resumed_run_keeps_the_data_it_began_with(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    until_state(store, run.id, RunState.RUNNING)
    assert cli("stop", run.id).returncode == 0
    until_state(store, run.id, RunState.STOPPED)
    until_digits_are_scanned(store)
    before = store.runs.get(run.id).dataset_fingerprint
    assert before == store.datasets.get("digits").fingerprint
    without = thaw_json("datasets", "exclude", "digits", "0003", "0005")
    assert (without["images"], without["excluded"]) == (1795, ["0003", "0005"])
    assert cli("resume", run.id).returncode == 0
    until_state(store, run.id, RunState.FINISHED)
    assert store.runs.get(run.id).dataset_fingerprint == before
    assert run_file(thaw_json("show", run.id))["dataset"]["excluded"] == []
    after = thaw_json("train", spec_file(tmp_path, TINY), "--wait")
    assert store.runs.get(after["id"]).dataset_fingerprint == without["fingerprint"] != before
    assert run_file(after)["dataset"]["excluded"] == ["0003", "0005"]
    assert thaw_json("datasets", "include", "digits", "0003", "0005")["fingerprint"] == before


def test_words_of_the_commands(store: Store, tmp_path: Path) -> None:
    assert cli("datasets", "fetch", "mnist").returncode == 2
    until_digits_are_scanned(store)
    for arguments, words in (
        (("fetch", "nope"), "must be one of mnist"),
        (("fetch", "svhn", "--folder", tmp_path), "train_32x32.mat"),
        (("exclude", "digits", "none"), "no such image"),
        (("scan", "none"), "no data set 'none'"),
        (("show", "none"), "no data set 'none'"),
    ):
        done = cli("datasets", *arguments)
        assert done.returncode == 2
        assert words in " ".join(done.stderr.split())
    assert "1,797 real handwritten digits" in cli("datasets", "show", "digits").stdout
    assert "The scan found nothing to put right." in cli("datasets", "scan", "digits").stdout
