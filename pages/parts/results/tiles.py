"""Images of predictions as tiles: what the network takes each for, how surely, and what it is."""

from collections.abc import Callable, Collection

import numpy as np
import streamlit as st

from engine import api
from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import page_buttons, put, shown_page
from pages.parts.analysis.results.tables import images_table
from pages.parts.results.predictions import dataset_of
from pages.parts.widgets.gallery import Line, Tile, gallery
from pages.parts.widgets.thumbnails import thumbnail
from storage import Dataset

A_PAGE = 24
EXCLUDED = (
    "No run started from now on learns from it or is judged by it. Its file stays, and the Scan of the data set takes "
    "it back in."
)


def result_tiles(
    found: Predictions,
    places: np.ndarray,
    *,
    key: str,
    size: int = A_PAGE,
    ticked: Collection[str] | None = None,
    on_tick: Callable[[str, bool], None] | None = None,
) -> None:
    """A page of the images at `places`, with the way to the others. A click on one opens it large.

    Args:
        found: Whose images they are.
        places: Positions of images, (n,) int64.
        key: Part of widget keys.
        size: Images a page.
        ticked: Ids of ticked images; None: they cannot be ticked.
        on_tick: Called with an id, and whether it is on.
    """
    st.session_state["results_order"] = [found.ids[place] for place in places]
    dataset = dataset_of(found.dataset)
    shown = shown_page(places, size)
    gallery(
        [tile(found, int(place), dataset, ticked=ticked) for place in shown],
        key=f"results_tiles_{key}",
        on_open=open_image,
        on_tick=on_tick,
    )
    page_buttons(places, size, f"results_page_{key}")


def tile(found: Predictions, place: int, dataset: Dataset | None, *, ticked: Collection[str] | None = None) -> Tile:
    """One image, with what is said of it.

    Args:
        found: Whose image it is.
        place: Its position.
        dataset: Where its picture is; None: it is gone.
        ticked: Ids of ticked images; None: it cannot be ticked.
    """
    image_id, is_right = found.ids[place], bool(found.right[place])
    small = thumbnail(dataset, image_id) if dataset else None
    return Tile(
        id=image_id,
        source=small.address if small else None,
        lines=(said(found, place), Line(f"is {label_of(found, place)}")),
        tone="good" if is_right else "bad",
        is_few=bool(small and small.is_few),
        is_faint=dataset is not None and image_id in dataset.excluded,
        is_ticked=None if ticked is None else image_id in ticked,
    )


def said(found: Predictions, place: int) -> Line:
    """The guess, in the colour of right or wrong, and how sure of it the network is."""
    guess = found.classes[found.guesses[place, 0]]
    return Line(guess, "good" if found.right[place] else "bad", formatting.share(found.shares[place, 0]))


def label_of(found: Predictions, place: int) -> str:
    return found.classes[found.labels[place]]


def open_image(image_id: str | None) -> None:
    put(image=image_id)


def csv_button(found: Predictions, places: np.ndarray, name: str, *, key: str, label: str = "CSV") -> None:
    """The images with what is said of them, to take away; the file is made once it is clicked for.

    Args:
        found: Whose images they are.
        places: Positions of images, (n,) int64.
        name: Part of the file's name.
        key: Part of the widget key.
        label: Of the button.
    """

    def made() -> bytes:
        return api.as_csv(images_table(found, places).to_dict("list"))

    st.download_button(
        label,
        data=made,
        file_name=f"{found.run}-{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key=f"results_csv_{key}",
        help=f"{formatting.count(len(places), 'image')} with label, guess and confidence",
        on_click="ignore",
    )
