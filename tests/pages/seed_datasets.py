"""A data set with everything that can be wrong with one, made by a real import once and copied into each home."""

import atexit
import json
import math
import random
import shutil
import tempfile
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw

from engine.data.imports import importer
from storage import Dataset, Store
from tests.engine.pictures import Quiet

SHAPES = ("circle", "cross", "hexagon", "ring", "square", "star", "triangle")
SIDES = (96, 96, 96, 128, 160)  # pixels, by chance
NOTES = "Drawn for Thaw's own pictures.\n\n* seven shapes, colours by chance\n* **ring** is rare on purpose"


def shapes(store: Store, name: str = "shapes", *, hours_ago: float = 40) -> Dataset:
    """Drawn shapes in a training and a validation part: repeats, a leak, tiny and torn ones among them."""
    return copied(store, _shapes(), name, hours_ago=hours_ago)


def copied(store: Store, made: Path, name: str, *, hours_ago: float = 40) -> Dataset:
    """The imported data set in folder `made`, as one called `name` of this home."""
    folder = store.home.dataset(name)
    shutil.copytree(made, folder)
    values = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
    values |= {key: tuple(value) for key, value in values.items() if isinstance(value, list)}
    values |= {"id": name, "name": name, "path": str(folder), "created_at": time.time() - 3600 * hours_ago}
    store.datasets.add(Dataset(**values))
    return store.datasets.get(name)


def digits(store: Store) -> None:
    """What the engine makes of the data set that comes with Thaw: samples, index, scan."""
    shutil.copytree(_digits(json.dumps(asdict(store.datasets.get("digits")))), store.home.dataset("digits"))


def imported(source: Path, folder: Path) -> Path:
    """`folder`, in which the real import has left all it makes of `source`, images copied."""
    folder.mkdir(parents=True)
    request = {"id": folder.name, "name": folder.name, "source": str(source), "copy": True}
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    importer.run(folder, Quiet())
    return folder


@cache
def _digits(record: str) -> Path:
    folder = workplace() / "digits"
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps({"dataset": json.loads(record)}), encoding="utf-8")
    importer.run(folder, Quiet())
    return folder


@cache
def workplace() -> Path:
    """A folder for what is made once and copied into many homes."""
    folder = Path(tempfile.mkdtemp(prefix="thaw-seed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _shapes() -> Path:
    source, draw = workplace() / "source", random.Random(8)
    for index, shape in enumerate(SHAPES):
        for part, number in (("train", 8 if shape == "ring" else 44 - 4 * index), ("validation", 8)):
            folder = source / part / shape
            folder.mkdir(parents=True)
            for k in range(number):
                side = draw.choice(SIDES)
                drawn(shape, draw).resize((side, side if draw.random() < 0.7 else side * 3 // 4)).save(
                    folder / f"{shape}_{k:03}.png"
                )
    _spoil(source)
    return imported(source, workplace() / "shapes")


def _spoil(source: Path) -> None:
    """Put in what a scan is to find."""
    train, judged = source / "train", source / "validation"
    for number in (3, 7):
        shutil.copy(train / "circle" / f"circle_{number:03}.png", train / "circle" / f"copy of {number:03}.png")
    shutil.copy(train / "circle/circle_003.png", train / "circle/IMG_2041 (1).png")
    shutil.copy(train / "star/star_004.png", judged / "star/star_again.png")
    with Image.open(train / "square/square_002.png") as image:
        image.convert("RGB").save(train / "square/square_002.jpg", quality=70)
    with Image.open(train / "cross/cross_001.png") as image:
        image.resize((9, 9)).save(train / "cross/thumb.png")
    whole = (train / "star/star_001.png").read_bytes()
    (train / "star/IMG_2042.png").write_bytes(whole[: len(whole) // 2])
    (train / "ring/Thumbs.png").write_bytes(b"not an image at all")


def drawn(shape: str, draw: random.Random) -> Image.Image:
    """A shape of a random place, size and colour, drawn twice as large and halved: smooth edges."""
    ground = tuple(draw.randint(190, 250) for _ in range(3))
    ink = tuple(draw.randint(20, 150) for _ in range(3))
    image = Image.new("RGB", (192, 192), ground)
    pen = ImageDraw.Draw(image)
    for _ in range(9):  # patches: without them half of all drawings look alike to a perceptual hash
        left, top, side = draw.randint(-60, 170), draw.randint(-60, 170), draw.randint(40, 130)
        shade = tuple(max(0, min(255, value + draw.randint(-60, 45))) for value in ground)
        pen.ellipse((left, top, left + side, top + side), fill=shade)
    radius, turn = draw.randint(45, 75), draw.uniform(0, 360)
    x, y = (draw.randint(radius + 6, 186 - radius) for _ in range(2))
    corners = {"triangle": 3, "square": 4, "hexagon": 6}.get(shape)
    if corners:
        pen.regular_polygon((x, y, radius), corners, rotation=turn, fill=ink)
    elif shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
    elif shape == "ring":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=ink, width=22)
    elif shape == "star":
        reach = [radius if index % 2 else radius * 0.42 for index in range(10)]
        angles = [math.radians(turn + 36 * index) for index in range(10)]
        pen.polygon([(x + r * math.cos(a), y + r * math.sin(a)) for r, a in zip(reach, angles, strict=True)], fill=ink)
    else:
        for angle in (turn, turn + 90):
            dx, dy = radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle))
            pen.line((x - dx, y - dy, x + dx, y + dy), fill=ink, width=26)
    return image.resize((96, 96), Image.Resampling.LANCZOS)
