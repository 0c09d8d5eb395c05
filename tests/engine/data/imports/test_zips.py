"""Archives from strangers: each kind of harm is refused by name; names come out right in every encoding."""

import random
import stat
import struct
import unicodedata
import zipfile
from contextlib import closing, suppress
from pathlib import Path

import pytest

from engine.data.decode import Undecodable
from engine.data.imports.zips import Limits, Zip
from engine.errors import Unfit
from tests.engine.pictures import patch_directory, rename_raw, write_zip

PIXELS = b"bytes of an image " * 10
CAT, DOG = "cat/1.png", "dog/1.png"
USUAL = Limits()


def refusal(path: Path, limits: Limits = USUAL) -> str:
    with pytest.raises(Unfit) as refused:
        Zip(path, limits)
    assert refused.value.advice
    return refused.value.reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../1.png", "'..'"),
        ("cat/../../1.png", "'..'"),
        ("/etc/1.png", "absolute"),
        ("C:/1.png", "absolute"),
        ("cat\\1.png", "backslash"),
        ("..\\..\\1.png", "backslash"),
        (f"cat/{'x' * 300}.png", "255 bytes"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, name: str, words: str) -> None:
    reason = refusal(write_zip(tmp_path / "a.zip", {CAT: PIXELS, name: PIXELS}))
    assert words in reason
    assert repr(name)[1:20] in reason


def test_nul_in_a_name(tmp_path: Path) -> None:
    path = rename_raw(write_zip(tmp_path / "a.zip", {"cat/evil.png_x.txt": PIXELS}), b"png_x", b"png\0x")
    assert "NUL" in refusal(path)


@pytest.mark.parametrize(
    ("kind", "words"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "device"), (stat.S_IFIFO, "pipe")]
)
def test_entries_that_are_no_files(tmp_path: Path, kind: int, words: str) -> None:
    entry = zipfile.ZipInfo(CAT)
    entry.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    reason = refusal(tmp_path / "a.zip")
    assert words in reason
    assert CAT in reason


def test_bomb_by_ratio(tmp_path: Path) -> None:
    reason = refusal(write_zip(tmp_path / "a.zip", {CAT: bytes(60 * 10**6)}))
    assert CAT in reason
    assert "100 times" in reason


def test_bomb_by_overlap(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS, DOG: PIXELS}, method=zipfile.ZIP_STORED)
    patch_directory(path, entry=1, offset=42, value=struct.pack("<I", 0))  # the second lies where the first does
    assert "shares its bytes" in refusal(path)


def test_bomb_by_overlap_of_a_long_entry(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS, DOG: PIXELS}, method=zipfile.ZIP_STORED)
    patch_directory(path, entry=0, offset=20, value=struct.pack("<I", len(PIXELS) + 20))
    assert CAT in refusal(path)


def test_too_much_altogether(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS, DOG: PIXELS})
    assert "over" in refusal(path, Limits(bytes=300))


def test_too_many_entries(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {f"cat/{k}.png": PIXELS for k in range(12)})
    assert "12 entries; at most 10" in refusal(path, Limits(entries=10))


def test_encrypted(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS})
    patch_directory(path, entry=0, offset=8, value=struct.pack("<H", 1))
    assert "encrypted" in refusal(path)


def test_other_methods(tmp_path: Path) -> None:
    assert "method" in refusal(write_zip(tmp_path / "a.zip", {CAT: PIXELS}, method=zipfile.ZIP_LZMA))


def test_entry_that_is_not_where_it_should_be(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS})
    patch_directory(path, entry=0, offset=42, value=struct.pack("<I", 7))
    assert CAT in refusal(path)


@pytest.mark.parametrize("data", [b"", b"not a zip" * 50, b"PK\3\4" + bytes(100), b"PK\5\6" + b"\xff" * 18])
def test_no_zip_at_all(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    assert "not a zip" in refusal(tmp_path / "a.zip")


def test_cut_short(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS, DOG: PIXELS})
    path.write_bytes(path.read_bytes()[:-30])
    assert "cut short" in refusal(path)


def test_missing(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.zip")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("claimed", [10, len(PIXELS) - 1, len(PIXELS) + 1, 10**6])
def test_lying_sizes(tmp_path: Path, method: int, claimed: int) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS}, method=method)
    patch_directory(path, entry=0, offset=24, value=struct.pack("<I", claimed))
    with pytest.raises(Unfit, match="another size than it claims"):
        Zip(path).read(0)


def test_damaged_entries_are_told_apart_from_lies(tmp_path: Path) -> None:
    whole = write_zip(tmp_path / "a.zip", {CAT: PIXELS}, method=zipfile.ZIP_STORED)
    rename_raw(whole, PIXELS[:18], b"BYTES of an image ")
    with pytest.raises(Undecodable, match="checksum"):
        Zip(whole).read(0)
    packed = write_zip(tmp_path / "b.zip", {CAT: PIXELS})
    data = bytearray(packed.read_bytes())
    data[30 + len(CAT)] = 0xFF
    packed.write_bytes(data)
    with pytest.raises(Undecodable, match="damaged"):
        Zip(packed).read(0)


def test_damage_anywhere_raises_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(0)
    whole = write_zip(tmp_path / "a.zip", {CAT: PIXELS, DOG: PIXELS * 3, "고양이/2.png": PIXELS}).read_bytes()
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 5))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (tmp_path / "b.zip").write_bytes(data)
        with suppress(Unfit), closing(Zip(tmp_path / "b.zip")) as archive:
            for index in range(len(archive.files)):
                with suppress(Undecodable):
                    archive.read(index)


def test_a_good_archive_gives_its_files(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"./": b"", "dog/": b"", CAT: PIXELS, DOG: b"other", "./cat//2.png": b""})
    archive = Zip(path)
    assert archive.files == [CAT, DOG, "cat/2.png"]
    assert archive.folders == {"dog"}
    assert [archive.read(index) for index in range(3)] == [(PIXELS, 0), (b"other", 0), (b"", 0)]
    assert archive.size == len(PIXELS) + 5
    assert archive.notes == []


def test_an_archive_behind_other_bytes(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {CAT: PIXELS})
    path.write_bytes(b"#!/bin/sh\n" * 9 + path.read_bytes())
    assert Zip(path).read(0) == (PIXELS, 0)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_equal_names_the_last_holds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(CAT, b"old")
        archive.writestr(CAT, PIXELS)
    archive = Zip(tmp_path / "a.zip")
    assert archive.files == [CAT]
    assert archive.read(0) == (PIXELS, 0)
    assert "1 file" in archive.notes[0]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("is_marked", [True, False])
def test_korean_names_in_utf8(tmp_path: Path, form: str, is_marked: bool) -> None:
    name = unicodedata.normalize(form, "고양이/사진.png")
    marked, unmarked = write_zip(tmp_path / "a.zip", {name: PIXELS}), write_unmarked(tmp_path, [name.encode()])
    assert Zip(marked if is_marked else unmarked).files == ["고양이/사진.png"]


def write_unmarked(folder: Path, names: list[bytes]) -> Path:
    """An archive whose names are these bytes, with no word on their encoding."""
    stand_ins = [f"{number:x}" * len(name) for number, name in enumerate(names)]
    path = write_zip(folder / "unmarked.zip", dict.fromkeys(stand_ins, PIXELS))
    for stand_in, name in zip(stand_ins, names, strict=True):
        rename_raw(path, stand_in.encode(), name)
    return path


def test_korean_names_of_windows(tmp_path: Path) -> None:
    names = ["고양이/사진1.png", "강아지/사진2.png", "똠방각하/3.png"]
    archive = Zip(write_unmarked(tmp_path, [name.encode("cp949") for name in names]))
    assert archive.files == names
    assert "CP949" in archive.notes[0]


def test_a_refusal_shows_names_as_they_were_meant(tmp_path: Path) -> None:
    assert "고양이" in refusal(write_unmarked(tmp_path, ["고양이/../1.png".encode("cp949")]))


def test_western_names_are_not_read_as_korean(tmp_path: Path) -> None:
    names = ["café/1.png", "élan/2.png", "Ärger/3.png"]
    archive = Zip(write_unmarked(tmp_path, [name.encode("cp437") for name in names]))
    assert archive.files == names
    assert "CP437" in archive.notes[0]
