"""An import as a whole: what it leaves on the disk, and that a refusal leaves nothing."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.data import open_source
from engine.data.imports import importer
from engine.data.imports.importer import run
from engine.data.sources.base import Source
from engine.errors import Unavailable, Unfit
from storage import Dataset
from tests.engine.pictures import Quiet, digits, encoded, write_folder, write_zip


def imported(folder: Path, source: Path, **more: Any) -> tuple[Dataset, Source]:
    """The record and the source, as the supervisor makes them once the folder is in its place."""
    folder.mkdir()
    request = {"id": "numbers", "name": "Numbers", "source": str(source), **more}
    (folder / "request.json").write_text(json.dumps(request))
    run(folder, Quiet())  # type: ignore[arg-type]
    record = json.loads((folder / "dataset.json").read_text())
    assert record["path"] == ""
    record["path"] = str(folder)
    lists = {name: tuple(record[name]) for name in ("classes", "set_aside", "notes", "excluded")}
    return Dataset(**{**record, **lists}), open_source(record)


def refusal(folder: Path, source: Path) -> str:
    with pytest.raises(Unfit) as refused:
        imported(folder, source)
    return refused.value.reason


def test_a_zip_becomes_a_data_set(tmp_path: Path) -> None:
    files = digits()
    dataset, source = imported(tmp_path / "new", write_zip(tmp_path / "a.zip", files))
    assert dataset.kind == "folder"
    assert dataset.classes == source.classes == tuple("0123456789")
    assert dataset.counts == {"all": dict.fromkeys("0123456789", 6)}
    assert (dataset.images, dataset.channels, dataset.width, dataset.height) == (60, 1, 8, 8)
    assert dataset.bytes == sum(map(len, files.values()))
    assert (dataset.set_aside, dataset.notes) == ((), ())
    assert source.ids == sorted(files)
    assert source.labels.tolist() == sorted(list(range(10)) * 6)
    assert source.splits == [""] * 60
    for index, path in enumerate(source.ids):
        assert np.array_equal(np.asarray(source.read(index)), np.asarray(Image.open(BytesIO(files[path]))))
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "dataset.json",
        "images",
        "index.json",
        "samples",
        "scan.json",
        "thumbnails",
    ]


def test_samples_are_small_and_of_every_class(tmp_path: Path) -> None:
    files = digits(15) | {"9/large.png": encoded(Image.new("RGB", (900, 300), "red"))}
    imported(tmp_path / "new", write_zip(tmp_path / "a.zip", files))
    for label in range(10):
        samples = sorted((tmp_path / "new/samples" / str(label)).iterdir())
        assert len(samples) == 12
        for path in samples:
            assert 48 <= max(Image.open(path).size) <= 96


def test_wrapping_and_place_do_not_change_what_a_data_set_is(tmp_path: Path) -> None:
    files = digits()
    inside = {f"x/y/{path}": data for path, data in files.items()}
    same = [write_zip(tmp_path / "a.zip", files), write_zip(tmp_path / "b.zip", inside)]
    same.append(write_folder(tmp_path / "c", files))
    assert len({imported(tmp_path / f"same{k}", source)[0].fingerprint for k, source in enumerate(same)}) == 1

    changed = files | {"3/3-0.png": files["4/4-0.png"]}
    moved = {path.replace("3/3-0", "4/3-0"): data for path, data in files.items()}
    others = [write_zip(tmp_path / f"{k}.zip", one) for k, one in enumerate((files, changed, moved))]
    assert len({imported(tmp_path / f"other{k}", source)[0].fingerprint for k, source in enumerate(others)}) == 3


def test_parts_are_kept(tmp_path: Path) -> None:
    parts = {"train": "train", "val": "validation", "test": "test"}
    files = {f"{part}/{path}": data for path, data in digits().items() for part in parts}
    dataset, source = imported(tmp_path / "new", write_zip(tmp_path / "a.zip", files))
    assert dataset.counts == {part: dict.fromkeys("0123456789", 6) for part in parts.values()}
    assert [parts[path.split("/")[0]] for path in source.ids] == source.splits
    assert "Repeats in another part: 120." in " ".join(dataset.notes)


def test_bad_images_are_set_aside_and_listed(tmp_path: Path) -> None:
    bad = {"3/cut.png": digits()["3/3-0.png"][:60], "4/text.jpg": b"hello", "5/empty.png": b""}
    dataset, source = imported(tmp_path / "new", write_zip(tmp_path / "a.zip", digits() | bad))
    assert [one["path"] for one in dataset.set_aside] == list(bad)
    assert all(one["reason"] for one in dataset.set_aside)
    assert dataset.images == len(source.ids) == 60
    assert not set(source.ids) & set(bad)


def test_an_entry_damaged_in_the_archive_is_set_aside(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", digits(), method=zipfile.ZIP_STORED)
    data = digits()["7/7-1.png"]
    path.write_bytes(path.read_bytes().replace(data, data[:-20] + bytes(20)))
    dataset, _ = imported(tmp_path / "new", path)
    assert [(one["path"], "checksum" in one["reason"]) for one in dataset.set_aside] == [("7/7-1.png", True)]


def test_a_class_of_bad_images_only_is_refused_by_name(tmp_path: Path) -> None:
    files = digits() | {"owl/1.png": b"no image", "owl/2.png": b"none either"}
    assert "'owl'" in refusal(tmp_path / "new", write_zip(tmp_path / "a.zip", files))


def test_colour_in_one_image_makes_the_set_coloured(tmp_path: Path) -> None:
    files = digits() | {"9/red.png": encoded(Image.new("RGB", (8, 8), "red"))}
    assert imported(tmp_path / "new", write_zip(tmp_path / "a.zip", files))[0].channels == 3


def test_korean_classes_of_windows(tmp_path: Path) -> None:
    files = {path.replace("0/", "cccccc/").replace("1/", "dddddd/"): data for path, data in digits().items()}
    path = write_zip(tmp_path / "a.zip", files)
    data = path.read_bytes().replace(b"cccccc", "고양이".encode("cp949")).replace(b"dddddd", "강아지".encode("cp949"))
    path.write_bytes(data)
    dataset, source = imported(tmp_path / "new", path)
    assert {"고양이", "강아지"} < set(dataset.classes)
    assert source.read(0).size == (8, 8)


def test_a_folder_stays_where_it_is(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "mine", digits())
    (root / "0" / "link.png").symlink_to(root / "0" / "0-0.png")
    (root / "0" / "loop").symlink_to(root)
    (root / "0" / "broken.png").symlink_to(root / "nowhere.png")
    dataset, source = imported(tmp_path / "new", root)
    assert not (tmp_path / "new" / "images").exists()
    assert dataset.images == 61
    assert [one["path"] for one in dataset.set_aside] == ["0/broken.png"]
    assert str(root) in dataset.notes[0]
    assert source.read(0).size == (8, 8)


def test_a_file_that_vanished_or_changed_is_told(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "mine", digits())
    _, source = imported(tmp_path / "new", root)
    (root / source.ids[0]).unlink()
    (root / source.ids[1]).write_bytes(b"other bytes")
    touched = root / source.ids[2]
    touched.write_bytes(touched.read_bytes()[::-1])  # the same size
    for index, word in enumerate(("is gone", "was changed", "was changed")):
        with pytest.raises(Unavailable, match=word):
            source.read(index)
    assert source.read(3).size == (8, 8)


def test_a_folder_can_be_copied(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "mine", digits())
    _, source = imported(tmp_path / "new", root, copy=True)
    (tmp_path / "new").rename(tmp_path / "placed")
    (root / source.ids[0]).unlink()
    record = json.loads((tmp_path / "placed/dataset.json").read_text()) | {"path": str(tmp_path / "placed")}
    assert open_source(record).read(0).size == (8, 8)


def test_a_lost_index_is_told(tmp_path: Path) -> None:
    dataset = {"kind": "folder", "path": str(tmp_path), "classes": ["a", "b"]}
    for broken in (None, "{", "[]", '{"ids": []}'):
        if broken:
            (tmp_path / "index.json").write_text(broken)
        with pytest.raises(Unavailable, match="Add the data set again"):
            open_source(dataset)


def test_no_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "SPARE", 10**18)
    assert "MB of disk" in refusal(tmp_path / "new", write_zip(tmp_path / "a.zip", digits()))
    assert not (tmp_path / "new" / "images").exists()


def test_names_on_the_disk_that_are_no_unicode(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "mine", digits())
    (root / "0").rename(root / "고양이".encode("cp949").decode("utf-8", "surrogateescape"))
    dataset, source = imported(tmp_path / "new", root)
    assert "고양이" in dataset.classes
    assert all(source.read(index).size == (8, 8) for index in range(60))
