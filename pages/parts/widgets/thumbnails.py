"""Images as small pictures: squares of one size, many as one picture, or data that travels inside a page."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from PIL import Image

from engine import api
from pages.parts.session import store
from storage import Dataset

TILE, GAP = 72, 6  # pixels
FAINT = 0.3  # how much is left of an image that is taken out
SIDE = 224  # pixels, for sharp screens
FEW = 64  # pixels: such images are sent as they are and drawn as squares
QUALITY = 82


class Thumbnail(NamedTuple):
    address: str
    is_few: bool


def thumbnail(dataset: Dataset, image_id: str, *, least: int = 1) -> Thumbnail | None:
    """A picture of the image, its longer side at least so many pixels; None: it is gone."""
    try:
        return _thumbnail(dataset.id, dataset.source_fingerprint, image_id, least)
    except (api.Unavailable, api.NotFound, KeyError):
        return None


# The fingerprint is part of the key: a data set of the same name may take another's place.
@st.cache_data(max_entries=4000, show_spinner=False)
def _thumbnail(dataset_id: str, fingerprint: str, image_id: str, least: int) -> Thumbnail:
    image = api.dataset_image(store(), dataset_id, image_id)
    is_few, held = max(image.size) <= FEW, io.BytesIO()
    small = enlarged(image, least, FEW if is_few else SIDE)
    if is_few or small.mode == "RGBA":
        small.save(held, "PNG", optimize=True)
        kind = "png"
    else:
        small.save(held, "JPEG", quality=QUALITY)
        kind = "jpeg"
    return Thumbnail(f"data:image/{kind};base64,{base64.b64encode(held.getvalue()).decode()}", is_few)


def contact_sheet(paths: Sequence[Path], *, columns: int) -> Image.Image:
    """The images side by side on a see-through ground, each fitted into a square."""
    return _sheet([(path, path.stat().st_mtime_ns) for path in paths], columns)


def tile(path: Path, *, side: int, is_faint: bool = False) -> Image.Image:
    """The image fitted into a square of `side` pixels on a see-through ground."""
    return _tile(path, path.stat().st_mtime_ns, side, is_faint)


def fitted(image: Image.Image, side: int, *, is_faint: bool = False) -> Image.Image:
    """As `tile`, of an image that is open already."""
    small = enlarged(image.convert("RGBA"), side, side)
    if is_faint:
        small.putalpha(small.getchannel("A").point(lambda alpha: round(FAINT * alpha)))
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return square


def enlarged(image: Image.Image, least: int, most: int) -> Image.Image:
    """Its longer side at least and at most so many pixels; few pixels stay squares and become no blur."""
    longer = max(image.size)
    scale = min(max(least, longer), most) / longer
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    plain = image if image.mode in ("L", "RGB", "RGBA") else image.convert("RGB")
    return plain.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS)


# The time a file was written is part of the key: a data set of the same name may take another's place.
@st.cache_data(max_entries=500, show_spinner=False)
def _sheet(images: list[tuple[Path, int]], columns: int) -> Image.Image:
    rows = -(-len(images) // columns)
    sheet = Image.new("RGBA", (columns * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP), (0, 0, 0, 0))
    for place, (path, _) in enumerate(images):
        row, column = divmod(place, columns)
        with Image.open(path) as image:
            sheet.paste(fitted(image, TILE), (column * (TILE + GAP), row * (TILE + GAP)))
    return sheet


@st.cache_data(max_entries=2000, show_spinner=False)
def _tile(path: Path, written_ns: int, side: int, is_faint: bool) -> Image.Image:
    with Image.open(path) as image:
        return fitted(image, side, is_faint=is_faint)
