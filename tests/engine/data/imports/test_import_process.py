"""The import as the engine runs it: a process, a folder, and lines that say how it goes."""

import json
import signal
import stat
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.data.imports.importer import outcome
from engine.data.sources.embedded import open_digits
from tests.engine.pictures import (
    PHOTOS,
    Quiet,
    digits,
    encoded,
    needs_photos,
    patch_directory,
    rename_raw,
    write_zip,
)

Line = dict[str, Any]


def start(folder: Path, request: dict[str, Any]) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(json.dumps(request))
    with (folder / "log.txt").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "engine.data.imports.importer", str(folder)], stdout=log, stderr=log
        )


def lines(folder: Path) -> list[Line]:
    path = folder / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def imported(folder: Path, source: Path) -> Line:
    """The last line of an import that ran to its end."""
    process = start(folder, {"id": "a", "name": "A", "source": str(source)})
    process.wait(timeout=60)
    last = lines(folder)[-1]
    assert last["kind"] == "ended"
    assert (process.returncode == 0) == (last["state"] == "finished")
    assert (folder / "log.txt").read_text() == ""
    return last


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"log.txt"}


@needs_photos
def test_six_thousand_photos(tmp_path: Path) -> None:
    assert imported(tmp_path / "in", PHOTOS)["state"] == "finished"
    assert left(tmp_path / "in") == {
        "events.jsonl",
        "dataset.json",
        "index.json",
        "samples",
        "images",
        "scan.json",
        "thumbnails",
    }
    record = json.loads((tmp_path / "in/dataset.json").read_text())
    assert {part: set(by_class.values()) for part, by_class in record["counts"].items()} == {
        "train": {500},
        "validation": {100},
    }
    assert len(record["classes"]) == 10
    assert (record["channels"], record["width"], record["height"], record["set_aside"]) == (3, 32, 32, [])
    progress = [line for line in lines(tmp_path / "in") if line["kind"] == "progress"]
    steps = [line["step"] for line in progress]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1], progress[-1]["steps"]) == (0, 12_000, 12_000)
    assert all(line["message"] for line in progress)
    assert all(line["eta_s"] >= 0 for line in progress[1:])
    assert len(progress) <= 5 * (progress[-1]["at"] - progress[0]["at"]) + 3


def test_a_cancelled_import_leaves_nothing(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400, 3), dtype=np.uint8)
    photo = encoded(Image.fromarray(noise), "JPEG")
    source = write_zip(tmp_path / "a.zip", {f"{k % 2}/{k}.jpg": photo for k in range(1000)}, method=zipfile.ZIP_STORED)
    process = start(tmp_path / "in", {"id": "a", "name": "A", "source": str(source)})
    until(lambda: bool(lines(tmp_path / "in")))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    process.wait(timeout=30)
    assert time.monotonic() - began < 10
    assert lines(tmp_path / "in")[-1]["state"] == "stopped"
    assert left(tmp_path / "in") == {"events.jsonl"}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_samples_of_the_embedded_digits(tmp_path: Path) -> None:
    record = {"id": "digits", "name": "digits", "kind": "digits", "path": "", "classes": list("0123456789")}
    record |= {"set_aside": [], "bytes": 0}
    process = start(tmp_path / "in", {"id": "digits", "name": "digits", "dataset": record})
    assert process.wait(timeout=60) == 0
    assert json.loads((tmp_path / "in/dataset.json").read_text()) == record
    assert all(len(list((tmp_path / "in/samples" / str(label)).iterdir())) == 12 for label in range(10))
    source = open_digits(record)
    for label in range(10):
        smallest = np.asarray(
            Image.open(tmp_path / f"in/samples/{label}/0.png").resize((8, 8), Image.Resampling.NEAREST)
        )
        assert any(np.array_equal(smallest, np.asarray(source.read(k))) for k in np.flatnonzero(source.labels == label))


def with_link(path: Path) -> Path:
    entry = zipfile.ZipInfo("0/link.png")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(write_zip(path, digits()), "a") as archive:
        archive.writestr(entry, "/etc/passwd")
    return path


def with_text(path: Path) -> Path:
    path.write_text("just text")
    return path


HARMFUL: dict[str, tuple[Callable[[Path], Path], str]] = {
    "leads out": (lambda path: write_zip(path, digits() | {"../evil.png": b"x"}), "'..'"),
    "absolute": (lambda path: write_zip(path, digits() | {"/tmp/evil.png": b"x"}), "absolute"),
    "backslash": (lambda path: write_zip(path, digits() | {"0\\evil.png": b"x"}), "backslash"),
    "link": (with_link, "a link"),
    "nul": (lambda path: rename_raw(write_zip(path, digits() | {"0/evil_.png": b"x"}), b"evil_", b"evil\0"), "NUL"),
    "ratio": (lambda path: write_zip(path, digits() | {"0/big.bmp": bytes(60 * 10**6)}), "zip bomb"),
    "overlap": (lambda path: patch_directory(write_zip(path, digits()), 9, 42, struct.pack("<I", 0)), "zip bomb"),
    "lies": (lambda path: patch_directory(write_zip(path, digits()), 40, 24, struct.pack("<I", 10**5)), "claims"),
    "encrypted": (lambda path: patch_directory(write_zip(path, digits()), 5, 8, struct.pack("<H", 1)), "encrypted"),
    "no zip": (with_text, "not a zip"),
    "empty class": (lambda path: write_zip(path, digits() | {"owl/": b""}), "'owl'"),
    "unreadable class": (lambda path: write_zip(path, digits() | {"owl/1.png": b"x"}), "'owl'"),
    "one class": (lambda path: write_zip(path, {"owl/1.png": b"x", "owl/2.png": b"x"}), "'owl'"),
    "missing": (lambda path: path, "No such file"),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_harm_is_refused_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    make, words = HARMFUL[name]
    folder = tmp_path / "datasets" / "in"
    folder.mkdir(parents=True)
    request = {"id": "a", "name": "A", "source": str(make(tmp_path / "a.zip"))}
    (folder / "request.json").write_text(json.dumps(request))
    ending = outcome(folder, Quiet())  # type: ignore[arg-type]
    assert ending.state == "failed"
    assert words in str(ending.reason)
    assert ending.advice
    assert [*folder.iterdir()] == []
    assert {path.name for path in tmp_path.iterdir()} <= {"a.zip", "datasets"}
    assert not Path("/tmp/evil.png").exists()


def test_a_refusal_is_the_last_line(tmp_path: Path) -> None:
    """Found only when the entry is read, with images written already."""
    last = imported(tmp_path / "in", HARMFUL["lies"][0](tmp_path / "a.zip"))
    assert last["state"] == "failed"
    assert "'6/6-4.png'" in last["reason"]
    assert left(tmp_path / "in") == {"events.jsonl"}


def test_a_disk_that_fills_up_is_told(tmp_path: Path) -> None:
    """A limit on the size of files stands in for it."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    source = write_zip(tmp_path / "a.zip", digits() | {"9/large.bmp": encoded(Image.fromarray(noise), "BMP")})
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps({"id": "a", "name": "A", "source": str(source)}))
    limited = f"ulimit -f 8; exec {sys.executable} -m engine.data.imports.importer {folder}"
    assert subprocess.run(["bash", "-c", limited], timeout=60).returncode == 1
    last = lines(folder)[-1]
    assert last["state"] == "failed"
    assert "File too large" in last["reason"]
    assert left(folder) == {"events.jsonl"}


@pytest.mark.parametrize("request_text", ["", "{", "[]", "{}"])
def test_a_broken_request_ends_too(tmp_path: Path, request_text: str) -> None:
    (tmp_path / "request.json").write_text(request_text)
    ending = outcome(tmp_path, Quiet())  # type: ignore[arg-type]
    assert ending.state == "failed"
    assert "Traceback" in str(ending.detail)
    assert [*tmp_path.iterdir()] == []
