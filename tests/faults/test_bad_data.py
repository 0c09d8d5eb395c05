"""Archives and folders that make no data set are refused with their reason, and leave nothing behind."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from storage import Store
from tests.cli import cli

Builder = Callable[[zipfile.ZipFile], None]


def entry(name: str, data: bytes = b"x") -> Builder:
    return lambda archive: archive.writestr(name, data)


def link(archive: zipfile.ZipFile) -> None:
    info = zipfile.ZipInfo("cat/link.png")
    info.external_attr = 0o120777 << 16
    archive.writestr(info, "/etc/passwd")


def bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("cat/2.png", bytes(120 * 10**6), zipfile.ZIP_DEFLATED)


def only_one_class(archive: zipfile.ZipFile) -> None:
    archive.writestr("cat/2.png", b"x")


def empty_class(archive: zipfile.ZipFile) -> None:
    archive.writestr("dog/1.png", b"x")
    archive.writestr("unicorn/", b"")


BAD: dict[str, tuple[Builder, str]] = {
    "traversal": (entry("../evil/1.png"), ".."),
    "absolute": (entry("/evil/1.png"), "absolute"),
    "link": (link, "link"),
    "bomb": (bomb, "bomb"),
    "one class": (only_one_class, "cat"),
    "empty class": (empty_class, "unicorn"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_zip_is_refused_in_words_and_leaves_nothing(store: Store, tmp_path: Path, what: str) -> None:
    build, words = BAD[what]
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("cat/1.png", b"x")
        build(archive)
    done = cli("datasets", "add", "bad", tmp_path / "bad.zip")
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert [one.name for one in store.datasets.list()] == ["digits"]
    incoming = store.home.datasets / ".incoming"
    assert [path.name for path in store.home.datasets.iterdir() if path.name not in ("digits", incoming.name)] == []
    assert all("bad" not in path.read_text() for path in incoming.rglob("request.json"))


def test_images_that_cannot_be_decoded_are_set_aside_and_listed(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for name in ("cat", "dog"):
        for number in range(4):
            path = folder / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.effect_mandelbrot((24, 24), (-2, -1, 1, 1), 10 + number).save(path)
    whole = (folder / "cat" / "1.png").read_bytes()
    (folder / "cat" / "1.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "2.png").write_bytes(b"no image at all")
    done = cli("datasets", "add", "pets", folder)
    assert done.returncode == 0, done.stderr
    dataset = store.datasets.get("pets")
    assert dataset.images == 6
    assert {one["path"] for one in dataset.set_aside} == {"cat/1.png", "dog/2.png"}
    assert all(one["reason"] for one in dataset.set_aside)
    assert "cat/1.png" in done.stdout
