"""Classes: precision, recall and F1 of each, and the images that a class misses or wrongly takes in."""

from functools import partial

import streamlit as st

from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import named_place, put
from pages.parts.analysis.results import image_selection
from pages.parts.analysis.results.tables import scores_table
from pages.parts.results.tiles import csv_button, result_tiles
from pages.parts.runs.table import HEAD, ROW
from pages.parts.session import palette

TALLEST = 14  # rows
SIDES = {"missed": image_selection.missed, "wrongly called so": image_selection.falsely_called}


def classes(found: Predictions) -> None:
    """The table, and below it the errors of the class that is ticked."""
    label = named_place("class", found.classes)
    with st.container(border=True, key="results_classes_card"):
        _table(found)
    if label is not None:
        with st.container(border=True, key="results_class_card"):
            _errors(found, label)


def _table(found: Predictions) -> None:
    clicked = "results_scores_open"

    def take() -> None:
        click = st.session_state[clicked]
        if click is not None and click["row"] < len(found.classes):
            put(**{"class": found.classes[click["row"]], "page": None, "image": None})

    column = st.column_config
    share = partial(
        column.ProgressColumn, min_value=0, max_value=100, format="%.1f%%", color=palette().train, width=130
    )
    st.dataframe(
        scores_table(found.confusion, found.classes),
        hide_index=True,
        key="results_scores",
        height=ROW * min(len(found.classes), TALLEST) + HEAD,
        row_height=ROW,
        placeholder=formatting.DASH,
        alt=f"Precision, recall and F1 of {formatting.count(len(found.classes), 'class', 'classes')}",
        column_config={
            "class": column.ButtonColumn(
                "Class", type="tertiary", alignment="left", key=clicked, on_click=take, width=190, pinned=True
            ),
            "images": column.NumberColumn("Images", width=70, help="Images that are of this class"),
            "precision": share("Precision", help="Of all that it calls so, how many are"),
            "recall": share("Recall", help="Of all that are, how many it calls so"),
            "f1": share("F1", help="Harmonic mean of precision and recall"),
            "missed": column.NumberColumn("Missed", width=66, help="Images of the class that it takes for others"),
            "falsely": column.NumberColumn("Wrongly", width=70, help="Images of others that it takes for this class"),
            "taken_for": column.TextColumn("Most often taken for", width=190),
        },
    )
    st.caption("Click a column to sort, a class to see what it misses and what it wrongly takes in.")


def _errors(found: Predictions, label: int) -> None:
    of_side = {side: choose(found, label) for side, choose in SIDES.items()}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{formatting.escaped(found.classes[label])}**", width="content")
        side = st.segmented_control(
            "Errors",
            list(SIDES),
            format_func=lambda one: f"{len(of_side[one]):,} {one}",
            default="missed",
            required=True,
            key="results_side",
            label_visibility="collapsed",
            on_change=lambda: put(page=None),
        )
    places = of_side[side or "missed"]
    if not len(places):
        st.caption(f":green[:material/verified:] No image is {side}.")
        return
    csv_button(found, places, "class", key="class")
    result_tiles(found, places, key="class")
