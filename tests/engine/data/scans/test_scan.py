"""What a scan finds: repeats that were planted among real photos, and no others by the dozen."""

import random
import time
from collections.abc import Iterable
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.data.decode import decode
from engine.data.scans.image_stats import ImageStats, image_stats
from engine.data.scans.likeness import equal_images, near_images
from engine.data.scans.scan import Facts, Finding, Scan, scan_of
from tests.engine.data.imports.test_importer import imported
from tests.engine.pictures import digits, encoded, needs_photos, photos, write_zip


def stats(images: Iterable[Image.Image]) -> list[ImageStats]:
    return [image_stats(image) for image in images]


def saved_again(photo: bytes) -> bytes:
    return encoded(Image.open(BytesIO(photo)), "JPEG", quality=60)


def pets(**more: bytes) -> dict[str, bytes]:
    """Real photos in two classes and two parts, with what a test plants among them: `train__cat__x` is a path."""
    parts = ("train/cat", "train/dog", "val/cat", "val/dog")
    files = {f"{parts[k % 4]}/{k:03d}.jpg": photo for k, photo in enumerate(photos(200))}
    return files | {f"{name.replace('__', '/')}.jpg": data for name, data in more.items()}


def found(tmp_path: Path, files: dict[str, bytes]) -> dict[str, Finding]:
    imported(tmp_path / "new", write_zip(tmp_path / "a.zip", files))
    return {one.kind: one for one in Scan.read(tmp_path / "new").findings}


@needs_photos
def test_what_is_planted_is_found_and_nothing_else(tmp_path: Path) -> None:
    first, second, third = photos(200)[0], photos(200)[1], photos(200)[4]
    planted = {
        "train__cat__copy": first,  # 000 is in train/cat, 001 in train/dog
        "val__dog__again": saved_again(second),
        "train__dog__other": third,  # 004 is a cat
        "val__cat__dot": encoded(Image.open(BytesIO(first)).resize((7, 7)), "JPEG"),
        "val__cat__torn": first[:300],
    }
    findings = found(tmp_path, pets(**planted))
    assert {kind: set(one.groups) for kind, one in findings.items()} == {
        "undecodable": set(),
        "leak": {("val/dog/again.jpg", "train/dog/001.jpg")},
        "contradiction": {("train/cat/004.jpg", "train/dog/other.jpg")},
        "duplicate": {("train/cat/000.jpg", "train/cat/copy.jpg")},  # one in two classes is told as that alone
        "near_duplicate": {("train/dog/001.jpg", "val/dog/again.jpg")},
        "tiny": {("val/cat/dot.jpg",)},
    }
    assert all(one.action == "exclude" for one in findings.values() if one.groups)


@needs_photos
def test_every_image_named_has_a_small_picture(tmp_path: Path) -> None:
    found(tmp_path, pets(train__cat__copy=photos(200)[0]))
    scan = Scan.read(tmp_path / "new")
    assert set(scan.pictures) == {"train/cat/000.jpg", "train/cat/copy.jpg"}
    for file in scan.pictures.values():
        assert max(Image.open(tmp_path / "new/thumbnails" / file).size) <= 128


@needs_photos
def test_facts_agree_with_numpy(tmp_path: Path) -> None:
    files = pets()
    found(tmp_path, files)
    scan = Scan.read(tmp_path / "new")
    pixels = np.stack([np.asarray(decode(data)) for data in files.values()]) / 255
    assert np.allclose(scan.mean, pixels.mean(axis=(0, 1, 2)), atol=1e-3)
    assert np.allclose(scan.std, pixels.std(axis=(0, 1, 2)), atol=1e-3)
    assert scan.sizes == [[32, 32, 200]]
    assert scan.channels == {"colour": 200}
    assert scan.bytes == sum(map(len, files.values()))


@needs_photos
def test_six_thousand_real_photos_give_no_flood_of_alarms() -> None:
    """Looked at by eye, each of the five pairs is one photo, cropped or coloured a little differently."""
    near = near_images(stats(map(decode, photos(6000))))
    assert len(near) == 5
    assert all(len(group) == 2 for group in near)


@needs_photos
@pytest.mark.parametrize("change", ["saved again", "enlarged", "brighter"])
def test_near_duplicates_are_found(change: str) -> None:
    originals = [decode(data) for data in photos(300)]
    changed = {
        "saved again": lambda image: decode(encoded(image, "JPEG", quality=60)),
        "enlarged": lambda image: image.resize((48, 48), Image.Resampling.BICUBIC),
        "brighter": lambda image: image.point(lambda value: min(255, value * 1.15)),
    }[change]
    near = set(near_images(stats([*originals, *map(changed, originals)])))
    assert sum((index, index + 300) in near for index in range(300)) >= 295


def test_flat_images_and_small_drawings_are_not_near_duplicates() -> None:
    flat = [Image.new("RGB", (64, 64), (shade, shade, shade + 1)) for shade in range(100)]
    drawings = [decode(data).resize((28, 28)) for data in digits(60).values()]
    assert near_images(stats([*flat, *drawings])) == []


def test_sixty_thousand_images_take_seconds() -> None:
    """Hashes by chance, with a few thousand alike in half of their bits, and pairs that are planted among them."""
    some, rng = random.Random(0), np.random.default_rng(0)
    alike = [some.getrandbits(64) for _ in range(4)]
    hashes = [some.getrandbits(64) for _ in range(56_000)]
    hashes += [alike[k % 4] & (2**32 - 1) | some.getrandbits(32) << 32 for k in range(4000)]
    greys = rng.integers(0, 256, (len(hashes), 16, 16), dtype=np.uint8)
    many = [
        ImageStats(64, 64, "RGB", f"{k}", value, grey, (0.5,), (0.3,))
        for k, (value, grey) in enumerate(zip(hashes, greys, strict=True))
    ]
    planted = [(k, len(many) + n) for n, k in enumerate(range(0, 56_000, 560))]
    many += [ImageStats(64, 64, "RGB", f"{k}+", hashes[k] ^ 5, greys[k], (0.5,), (0.3,)) for k, _ in planted]
    began = time.perf_counter()
    assert near_images(many) == planted
    assert equal_images(many) == []
    assert time.perf_counter() - began < 30


def facts(counts: dict[str, int], side: int = 64) -> Facts:
    labels = [label for label, count in enumerate(counts.values()) for _ in range(count)]
    ids = [f"{k}" for k in range(len(labels))]
    sides = [side] * len(labels)
    return Facts(ids, labels, [""] * len(ids), sides, sides, list(counts), equal=(), near=())


def kinds(of: Facts) -> set[str]:
    return {one.kind for one in scan_of(of, [0.5], [0.2], {"grey": len(of.ids)}, size_bytes=0).findings}


def test_imbalance_names_both_ends() -> None:
    assert kinds(facts({"cat": 49, "dog": 10})) == set()
    scan = scan_of(facts({"cat": 100, "dog": 10, "owl": 50}), [0.5], [0.2], {"grey": 160}, size_bytes=0)
    (only,) = scan.findings
    assert only.kind == "imbalance"
    assert "cat has 100 images to learn from, dog only 10" in only.text
    assert only.action is None


def test_images_that_are_all_small_are_no_finding() -> None:
    assert kinds(facts({"a": 5, "b": 5}, side=8)) == set()


def test_groups_are_joined_by_what_is_between() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    hashes = [0b0, 0b1111, 0b11111111]  # the ends are eight bits apart, each four from the middle
    chain = [ImageStats(64, 64, "L", f"{k}", value, grey, (0.5,), (0.3,)) for k, value in enumerate(hashes)]
    assert all((one.hash ^ other.hash).bit_count() == 4 for one, other in pairwise(chain))
    assert near_images(chain) == [(0, 1, 2)]


def test_a_scan_reads_back_as_it_was_written(tmp_path: Path) -> None:
    scan = scan_of(facts({"a": 60, "b": 6}), [0.5], [0.2], {"grey": 66}, size_bytes=7)
    scan.write(tmp_path)
    assert Scan.read(tmp_path) == scan
