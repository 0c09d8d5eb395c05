"""Many small images as one picture: one request instead of a hundred."""

from pathlib import Path

import streamlit as st
from PIL import Image

TILE, GAP = 72, 6


@st.cache_data(max_entries=500, show_spinner=False)
def contact_sheet(paths: list[Path], *, columns: int) -> Image.Image:
    """The images side by side on a see-through ground, each fitted into a square."""
    rows = -(-len(paths) // columns)
    sheet = Image.new("RGBA", (columns * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP), (0, 0, 0, 0))
    for place, path in enumerate(paths):
        with Image.open(path) as image:
            tile = image.convert("RGB")
        tile.thumbnail((TILE, TILE), Image.Resampling.NEAREST if max(tile.size) < TILE else Image.Resampling.LANCZOS)
        row, column = divmod(place, columns)
        centred = (TILE - tile.width) // 2, (TILE - tile.height) // 2
        sheet.paste(tile, (column * (TILE + GAP) + centred[0], row * (TILE + GAP) + centred[1]))
    return sheet
