"""Confusion: the matrix, the pairs that are confused most, and the images behind a cell."""

import numpy as np
import streamlit as st

from engine import api
from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import named_place, put
from pages.parts.analysis.results import image_selection
from pages.parts.analysis.results.tables import pairs_table
from pages.parts.figures.results.confusion import Cell, cells, confusion_map, height
from pages.parts.results.tiles import csv_button, result_tiles
from pages.parts.runs.table import HEAD, ROW
from pages.parts.session import palette

MOST_CLASSES = 24  # classes that a matrix shows at once
MOST_PAIRS = 200
A_SIDE = 12  # images beside the matrix
TALLEST = 13  # rows of the table of pairs


def confusion(found: Predictions) -> None:
    """The matrix on the left; on the right what is behind the chosen cell, or all confused pairs."""
    matrix = found.confusion
    cell = chosen_cell(found)
    left, right = st.columns([5, 4])
    with left.container(border=True, key="results_matrix_card"):
        _matrix(found, matrix, cell)
    with right.container(border=True, key="results_cell_card"):
        if cell is not None:
            _behind(found, cell, int(matrix[cell]))
        else:
            _pairs(found, matrix)


def chosen_cell(found: Predictions) -> Cell | None:
    """The cell that the address names by its two classes."""
    true, guess = named_place("true", found.classes), named_place("guess", found.classes)
    return None if true is None or guess is None else (true, guess)


def choose_cell(found: Predictions, cell: Cell | None) -> None:
    true, guess = (None, None) if cell is None else (found.classes[cell[0]], found.classes[cell[1]])
    put(true=true, guess=guess, page=None, image=None)


def _matrix(found: Predictions, matrix: np.ndarray, cell: Cell | None) -> None:
    # On the left: at its upper right corner a chart lays its own buttons over what stands above it.
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**Confusion matrix**", width="content")
        shown_as = st.segmented_control(
            "Show",
            ("Counts", "Rates"),
            default="Counts",
            required=True,
            key="results_as",
            label_visibility="collapsed",
            bind="query-params",
        )
    shown = _classes(found, matrix)
    key = f"results_matrix_{found.run}_{found.epoch}_{found.dataset}_{found.part}_{hash(tuple(shown))}"
    held = cells(matrix, shown)

    def take() -> None:
        picks = [place for group in st.session_state[key].selection.selected for place in group["data_indices"]]
        if picks:
            st.session_state["results_clicked"] = held[picks[0]]
        # The chart tells a second click on a cell as none: that is the one clicked last.
        choose_cell(found, st.session_state.get("results_clicked"))

    st.echarts_chart(
        confusion_map(matrix, found.classes, shown, as_rates=shown_as == "Rates", chosen=cell, palette=palette()),
        height=height(len(shown)),
        key=key,
        on_select=take,
        alt=f"Confusion matrix of {formatting.count(len(shown), 'class', 'classes')}",
    )
    st.caption("A row is a true class, a column what it was taken for. Click a cell to see its images.")


def _classes(found: Predictions, matrix: np.ndarray) -> list[int]:
    """Positions of the classes to show: all, or of many the most confused ones unless others are asked for."""
    if len(found.classes) <= MOST_CLASSES:
        return list(range(len(found.classes)))
    chosen = st.multiselect(
        "Classes",
        range(len(found.classes)),
        format_func=lambda label: found.classes[label],
        key="results_classes",
        max_selections=MOST_CLASSES,
        placeholder=f"The {MOST_CLASSES} most confused of {len(found.classes):,}; choose others",
        label_visibility="collapsed",
    )
    return sorted(chosen) if len(chosen) > 1 else api.most_confused(matrix, MOST_CLASSES)


def _behind(found: Predictions, cell: Cell, images: int) -> None:
    true, guess = (formatting.escaped(found.classes[label]) for label in cell)
    title = f"**{true}** recognised" if cell[0] == cell[1] else f"**{true}** taken for **{guess}**"
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
        st.markdown(title)
        st.button(
            "All pairs",
            icon=":material/close:",
            type="tertiary",
            key="results_cell_close",
            on_click=choose_cell,
            args=(found, None),
        )
    places = image_selection.of_cell(found, *cell)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{formatting.count(images, 'image')}, the surest first", width="content")
        if images:
            csv_button(found, places, "cell", key="cell")
    if images:
        result_tiles(found, places, key="cell", size=A_SIDE)


def _pairs(found: Predictions, matrix: np.ndarray) -> None:
    pairs = api.confused_pairs(matrix, MOST_PAIRS)
    st.markdown("**Confused most**")
    if not pairs:
        st.caption(":green[:material/verified:] Nothing is confused: every image is recognised.")
        return
    clicked = "results_pairs_open"

    def take() -> None:
        click = st.session_state[clicked]
        if click is not None and click["row"] < len(pairs):
            choose_cell(found, (pairs[click["row"]].true, pairs[click["row"]].guess))

    column = st.column_config
    st.dataframe(
        pairs_table(pairs, found.classes),
        hide_index=True,
        key="results_pairs",
        height=ROW * min(len(pairs), TALLEST) + HEAD,
        row_height=ROW,
        alt=f"{formatting.count(len(pairs), 'pair')} of classes that are confused, most images first",
        column_config={
            "images": column.ButtonColumn("Images", type="tertiary", key=clicked, on_click=take, width=60),
            "true": column.TextColumn("True class", width=106),
            "guess": column.TextColumn("Taken for", width=106),
            "share": column.NumberColumn("Of class", format="%.1f%%", width=70),
        },
    )
    st.caption("Click a number to see its images.")
