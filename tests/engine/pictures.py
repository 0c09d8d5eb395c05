"""Images and archives for the data tests: real digits from scikit-learn, and zips with whatever is wrong with them."""

import io
import struct
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from engine.data.imports.progress import Progress

PHOTOS = Path(__file__).parents[3] / "shared/data/cifar10-6k.zip"  # beside the project
needs_photos = pytest.mark.skipif(not PHOTOS.exists(), reason=f"the real photos are not here ({PHOTOS})")


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def solid(mode: str, colour: float | tuple[float, ...] | str, size: tuple[int, int] = (8, 8)) -> Image.Image:
    return Image.new(mode, size, colour)


@cache
def digits(per_class: int = 6) -> dict[str, bytes]:
    """`3/3-0.png` and so on: real handwritten digits as PNG files by class folder."""
    bunch = load_digits()
    files = {}
    for label in range(10):
        for k, index in enumerate(np.flatnonzero(bunch.target == label)[:per_class]):
            pixels = np.round(bunch.images[index] * (255 / 16)).astype(np.uint8)
            files[f"{label}/{label}-{k}.png"] = encoded(Image.fromarray(pixels))
    return files


def photos(count: int) -> list[bytes]:
    """JPEG files, evenly spread over the real photos."""
    with zipfile.ZipFile(PHOTOS) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        return [archive.read(name) for name in names[:: len(names) // count][:count]]


def write_zip(path: Path, files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def rename_raw(path: Path, old: bytes, new: bytes) -> Path:
    """Put bytes into an archive's names that no honest writer would; both of the same length."""
    assert len(old) == len(new)
    path.write_bytes(path.read_bytes().replace(old, new))
    return path


def patch_directory(path: Path, entry: int, offset: int, value: bytes) -> Path:
    """Overwrite bytes of the `entry`-th record in the archive's directory, `offset` from its signature."""
    data = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", data, data.rfind(b"PK\5\6") + 16)[0]
    for _ in range(entry):
        at += 46 + sum(struct.unpack_from("<HHH", data, at + 28))
    assert data[at : at + 4] == b"PK\1\2"
    data[at + offset : at + offset + len(value)] = value
    path.write_bytes(data)
    return path


class Quiet(Progress):
    """Stands where an import tells its progress; nobody listens."""

    def __init__(self) -> None: ...

    def say(self, message: str) -> None: ...

    def begin(self, words: str, *, passes: int, number: int) -> None: ...

    def report_step(self, step: int, steps: int, eta_s: float | None, message: str) -> None: ...

    def __call__(self, done: int, total: int) -> None: ...
