"""Each further data set of torchvision, from a few small files in its own format: parts, class names, every image."""

import bz2
import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from engine.data.sources.fetched import open_fetched

NUMBERS = np.random.default_rng(0)


def picture(path: Path, size: tuple[int, int] = (20, 14)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(NUMBERS.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)


def lines(path: Path, *texts: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in texts))


def svhn(root: Path) -> None:
    for part, count in (("train", 20), ("test", 10)):
        pixels = NUMBERS.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        labels = (1 + np.arange(count) % 10).astype(np.uint8).reshape(-1, 1)  # ten stands for nought
        savemat(root / f"{part}_32x32.mat", {"X": pixels, "y": labels})


def stl10(root: Path) -> None:
    folder = root / "stl10_binary"
    folder.mkdir()
    for part, count in (("train", 20), ("test", 10)):
        NUMBERS.integers(0, 256, (count, 3, 96, 96), dtype=np.uint8).tofile(folder / f"{part}_X.bin")
        (1 + np.arange(count) % 10).astype(np.uint8).tofile(folder / f"{part}_y.bin")
    lines(folder / "class_names.txt", *(f"thing {n}" for n in range(10)))


def usps(root: Path) -> None:
    for name, count in (("usps.bz2", 20), ("usps.t.bz2", 10)):
        rows = [
            " ".join([f"{n % 10 + 1}", *(f"{k}:{v:.3f}" for k, v in enumerate(NUMBERS.uniform(-1, 1, 256), 1))])
            for n in range(count)
        ]
        (root / name).write_bytes(bz2.compress("\n".join(rows).encode()))


def semeion(root: Path) -> None:
    digits = np.eye(10)[np.arange(20) % 10]
    np.savetxt(root / "semeion.data", np.hstack([NUMBERS.integers(0, 2, (20, 256)), digits]), fmt="%.4f")


def pets(root: Path) -> None:
    for part, numbers in (("trainval", (1, 2, 3)), ("test", (4, 5))):
        names = [
            (f"{breed}_{n}", label) for label, breed in enumerate(("Abyssinian", "great_dane"), 1) for n in numbers
        ]
        lines(root / f"oxford-iiit-pet/annotations/{part}.txt", *(f"{name} {label} 1 1" for name, label in names))
        for name, _ in names:
            picture(root / f"oxford-iiit-pet/images/{name}.jpg")


def flowers(root: Path) -> None:
    folder = root / "flowers-102"
    for n in range(1, 13):
        picture(folder / f"jpg/image_{n:05d}.jpg")
    savemat(folder / "imagelabels.mat", {"labels": np.array([1, 2] * 6)})
    savemat(folder / "setid.mat", {"trnid": np.arange(1, 7), "valid": np.arange(7, 9), "tstid": np.arange(9, 13)})


def gtsrb(root: Path) -> None:
    for sign in ("00000", "00001"):
        for n in range(3):
            picture(root / f"gtsrb/GTSRB/Training/{sign}/00000_{n:05d}.ppm")
    with (root / "gtsrb/GT-final_test.csv").open("w") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["Filename", "ClassId"])
        for n in range(4):
            picture(root / f"gtsrb/GTSRB/Final_Test/Images/{n:05d}.ppm")
            rows.writerow([f"{n:05d}.ppm", n % 2])


def dtd(root: Path) -> None:
    for part, n in (("train", 1), ("val", 2), ("test", 3)):
        names = [f"{name}/{name}_{n:04d}.jpg" for name in ("banded", "woven")]
        lines(root / f"dtd/dtd/labels/{part}1.txt", *names)
        for name in names:
            picture(root / "dtd/dtd/images" / name)


def aircraft(root: Path) -> None:
    data = root / "fgvc-aircraft-2013b/data"
    lines(data / "variants.txt", "707-320", "A300 B4")
    for part, first in (("train", 0), ("val", 2), ("test", 4)):
        lines(data / f"images_variant_{part}.txt", f"{first:07d} 707-320", f"{first + 1:07d} A300 B4")
        for n in (first, first + 1):
            picture(data / f"images/{n:07d}.jpg")


def folders(*parts: str, classes: tuple[str, ...], name: str) -> Callable[[Path], None]:
    """Two images of each class in each part; `name` has the class's number and the image's."""

    def write(root: Path) -> None:
        for part in parts:
            for label, of in enumerate(classes):
                for n in (1, 2):
                    picture(root / part / of / name.format(label=label + 1, n=n))

    return write


def caltech101(root: Path) -> None:
    names = ("BACKGROUND_Google", "accordion", "anchor")
    folders("caltech101/101_ObjectCategories", classes=names, name="image_{n:04d}.jpg")(root)


def sun(root: Path) -> None:
    lines(root / "SUN397/ClassName.txt", "/a/abbey", "/b/bar/indoor")
    folders("SUN397", classes=("a/abbey", "b/bar/indoor"), name="sun_{label}{n}.jpg")(root)


# files, images of each part, class names
KINDS: dict[str, tuple[Callable[[Path], None], dict[str, int], tuple[str, ...]]] = {
    "svhn": (svhn, {"train": 20, "test": 10}, tuple("0123456789")),
    "stl10": (stl10, {"train": 20, "test": 10}, tuple(f"thing {n}" for n in range(10))),
    "usps": (usps, {"train": 20, "test": 10}, tuple("0123456789")),
    "semeion": (semeion, {"": 20}, tuple("0123456789")),
    "oxford_iiit_pet": (pets, {"train": 6, "test": 4}, ("Abyssinian", "Great Dane")),
    "flowers102": (flowers, {"train": 6, "validation": 2, "test": 4}, ("pink primrose", "hard-leaved pocket orchid")),
    "gtsrb": (gtsrb, {"train": 6, "test": 4}, ("0", "1")),
    "dtd": (dtd, {"train": 2, "validation": 2, "test": 2}, ("banded", "woven")),
    "eurosat": (
        folders("eurosat/2750", classes=("Forest", "River"), name="{label}_{n}.jpg"),
        {"": 4},
        ("Forest", "River"),
    ),
    "fgvc_aircraft": (aircraft, {"train": 2, "validation": 2, "test": 2}, ("707-320", "A300 B4")),
    "country211": (
        folders(*(f"country211/{part}" for part in ("train", "valid", "test")), classes=("AD", "KR"), name="{n}.jpg"),
        {"train": 4, "validation": 4, "test": 4},
        ("AD", "KR"),
    ),
    "rendered_sst2": (
        folders(
            *(f"rendered-sst2/{part}" for part in ("train", "valid", "test")),
            classes=("negative", "positive"),
            name="{n}.png",
        ),
        {"train": 4, "validation": 4, "test": 4},
        ("negative", "positive"),
    ),
    "imagenette": (
        folders("imagenette2-160/train", "imagenette2-160/val", classes=("n01440764", "n03888257"), name="{n}.JPEG"),
        {"train": 4, "validation": 4},
        ("tench", "parachute"),
    ),
    "caltech101": (caltech101, {"": 4}, ("accordion", "anchor")),
    "caltech256": (
        folders("caltech256/256_ObjectCategories", classes=("001.ak47", "002.bat"), name="{label:03d}_{n:04d}.jpg"),
        {"": 4},
        ("001.ak47", "002.bat"),
    ),
    "sun397": (sun, {"": 4}, ("abbey", "bar/indoor")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_its_files_are_read(kind: str, tmp_path: Path) -> None:
    write, parts, classes = KINDS[kind]
    write(tmp_path)
    source = open_fetched({"kind": kind, "path": str(tmp_path)})
    assert Counter(source.splits) == parts
    assert source.classes == classes
    assert source.ids == sorted(set(source.ids))
    assert set(source.labels) == set(range(len(classes)))
    assert {source.read(index).mode for index in range(len(source.ids))} <= {"L", "RGB"}
