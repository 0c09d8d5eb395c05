"""Images of data sets as small pictures that travel inside a page's data."""

import base64
import io
from typing import NamedTuple

import streamlit as st

from engine import api
from pages.parts.session import store
from pages.parts.widgets.contact_sheet import enlarged
from storage import Dataset

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
