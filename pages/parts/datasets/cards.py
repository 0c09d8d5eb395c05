"""All data sets as picture cards: searched, paged, a click opens one."""

import streamlit as st

from engine import api
from pages.parts.datasets.badges import facts, open_dataset, warning_badges
from pages.parts.formatting import ago, escaped, shortened
from pages.parts.session import store
from pages.parts.widgets.cards import empty_state
from pages.parts.widgets.paging import page_buttons, shown_page
from pages.parts.widgets.thumbnails import contact_sheet
from storage import Dataset

A_PAGE = 12
FEW = 6  # so many are seen at once: no search needed
COVER = 8  # images on a card


def dataset_cards(datasets: list[Dataset]) -> None:
    """A search box once there are many, a page of cards, and the way to the other pages."""
    query = ""
    if len(datasets) > FEW:
        query = st.text_input(
            "Search",
            type="search",
            key="datasets_search",
            placeholder=f"Search {len(datasets)} data sets by name, class or kind",
            label_visibility="collapsed",
            live=True,
            persist_state="session",
        )
    found = [dataset for dataset in datasets if _fits(dataset, query or "")]
    if not found:
        empty_state(
            "search_off",
            "No data set fits",
            f"Nothing here is called or holds “{escaped(shortened(query or '', 40))}”.",
        )
        return
    grid = st.grid(3, min_column_width=280, border=True)
    for dataset in shown_page(found, A_PAGE, "datasets_page"):
        with grid.cell():
            _card(dataset)
    page_buttons(found, A_PAGE, "datasets_page")


def _fits(dataset: Dataset, query: str) -> bool:
    """Every word is in the name, the kind or the name of a class."""
    held = "\n".join([dataset.name, dataset.kind, api.DATASET_KINDS[dataset.kind].label, *dataset.classes]).lower()
    return all(word in held for word in query.lower().split())


def _card(dataset: Dataset) -> None:
    with st.container(key=f"dataset_{dataset.id}", gap="small"):
        st.button(
            f"**{escaped(shortened(dataset.name, 34))}**",
            type="tertiary",
            key=f"datasets_open_{dataset.id}",
            help=f"Open {escaped(dataset.name)}",
            on_click=open_dataset,
            args=(dataset.id,),
        )
        if cover := _cover(dataset):
            st.image(contact_sheet(cover, columns=4), alt=f"Some images of {dataset.name}", width="stretch")
        st.caption(facts(dataset))
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            warning_badges(dataset)
            st.caption(f"added {ago(dataset.created_at)}" if dataset.created_at else "comes with Thaw")


def _cover(dataset: Dataset) -> list:
    """Images for the card, one of each class in turn until there are enough."""
    samples = [paths for paths in api.dataset_samples(store(), dataset.id).values() if paths]
    rounds = [paths[turn] for turn in range(COVER) for paths in samples[:COVER] if turn < len(paths)]
    return rounds[:COVER]
