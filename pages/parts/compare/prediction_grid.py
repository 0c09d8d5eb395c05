"""The same images through every run: a row an image, a column a run."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from pages.parts import formatting
from pages.parts.palette import Palette
from pages.parts.results.one_image import View
from pages.parts.results.predictions import dataset_of
from pages.parts.runs.table import HEAD
from pages.parts.session import palette
from pages.parts.widgets.thumbnails import thumbnail

ROW = 58  # pixels, for an image that can be recognised


def prediction_grid(views: Sequence[View], places: Sequence[int] | np.ndarray) -> None:
    """What each run takes each of these images for. `places`: (n,) int64."""
    st.markdown("**The same images through every run**")
    found, dataset = views[0].found, dataset_of(views[0].found.dataset)
    small = [thumbnail(dataset, found.ids[place], least=ROW) if dataset else None for place in places]
    table = predictions_table(views, places)
    table.insert(0, "image", [one.address if one else None for one in small])
    column = st.column_config
    names = {f"run_{place}": column.TextColumn(view.name, width=150) for place, view in enumerate(views)}
    st.dataframe(
        coloured(table, right_predictions(views, places), palette()),
        hide_index=True,
        key="compare_answers",
        row_height=ROW,
        height=ROW * len(table) + HEAD,
        column_config={
            "image": column.ImageColumn("Image", width=70, pinned=True),
            "label": column.TextColumn("Is", width=110, pinned=True),
            "id": column.TextColumn("File", width=180),
            **names,
        },
        column_order=["image", "label", *names, "id"],
        alt=f"What {formatting.count(len(views), 'run')} take {formatting.count(len(table), 'image')} for",
    )


def predictions_table(views: Sequence[View], places: Sequence[int] | np.ndarray) -> pd.DataFrame:
    """Label, id, and each run's guess with its share, as `run_0`, `run_1`, ...: names of runs may be alike.

    `places`: (n,) int64.
    """
    found = views[0].found
    columns = {
        "label": [found.classes[found.labels[place]] for place in places],
        "id": [found.ids[place] for place in places],
    }
    for number, view in enumerate(views):
        one = view.found
        columns[f"run_{number}"] = [
            f"{formatting.share(one.shares[place, 0])} {one.classes[one.guesses[place, 0]]}" for place in places
        ]
    return pd.DataFrame(columns)


def right_predictions(views: Sequence[View], places: Sequence[int] | np.ndarray) -> np.ndarray:
    """Whether each run is right on each image, (images, runs) bool."""
    return np.stack([view.found.right[np.asarray(places, dtype=np.int64)] for view in views], axis=1)


def coloured(table: pd.DataFrame, is_right: np.ndarray, colours: Palette) -> Styler:
    """The table with right answers in one colour and wrong ones in another. `is_right`: (images, runs) bool."""
    names = [name for name in table.columns if name.startswith("run_")]
    styles = np.where(is_right, f"color: {colours.good}", f"color: {colours.bad}; font-weight: 600")
    return table.style.apply(lambda _: pd.DataFrame(styles, columns=names, index=table.index), axis=None, subset=names)
