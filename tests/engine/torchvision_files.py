"""Small files in the formats that torchvision's data sets read."""

import json
import pickle
import struct
from pathlib import Path

import numpy as np
from PIL import Image

NUMBERS = np.random.default_rng(0)


def write_idx(root: Path, name: str, *, train: int = 40, test: int = 10, classes: int = 10) -> dict[str, bytes]:
    """MNIST's format, as its gzipped downloads would hold it, by file name below `root`; unpacked there, too."""
    files = {}
    for part, number in (("train", train), ("t10k", test)):
        images = NUMBERS.integers(0, 256, (number, 28, 28), dtype=np.uint8)
        labels = (np.arange(number) % classes).astype(np.uint8)
        files[f"{part}-images-idx3-ubyte"] = struct.pack(">IIII", 0x803, number, 28, 28) + images.tobytes()
        files[f"{part}-labels-idx1-ubyte"] = struct.pack(">II", 0x801, number) + labels.tobytes()
    folder = root / name / "raw"
    folder.mkdir(parents=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    return files


def write_cifar(root: Path, *, fine: bool = False, each: int = 20) -> None:
    """CIFAR's pickles: five batches and a test batch, or CIFAR-100's two files."""
    folder = root / ("cifar-100-python" if fine else "cifar-10-batches-py")
    folder.mkdir(parents=True)
    key, classes = ("fine_labels", 100) if fine else ("labels", 10)
    for name in ("train", "test") if fine else (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"):
        pixels = NUMBERS.integers(0, 256, (each * (5 if fine else 1), 3072), dtype=np.uint8)
        labels = [n % classes for n in range(len(pixels))]
        (folder / name).write_bytes(pickle.dumps({"data": pixels, key: labels}))
    names = [f"thing {n}" for n in range(classes)]
    values = {"fine_label_names": names} if fine else {"label_names": names}
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(values))


def write_food(root: Path) -> None:
    """Photos in folders and lists of them in JSON."""
    lists: dict[str, dict[str, list[str]]] = {"train": {}, "test": {}}
    for name in ("apple_pie", "waffles"):
        (root / "food-101/images" / name).mkdir(parents=True)
        for part, number in (("train", 3), ("test", 2)):
            own = [f"{name}/{part}{n}" for n in range(number)]
            lists[part][name] = own
            for path in own:
                Image.new("RGB", (30, 20), "brown").save(root / f"food-101/images/{path}.jpg")
    (root / "food-101/meta").mkdir()
    for part, values in lists.items():
        (root / f"food-101/meta/{part}.json").write_text(json.dumps(values))
