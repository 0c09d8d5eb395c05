"""torchvision's own data sets to choose from: what each holds and weighs, and the fetching of it."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from engine import api
from engine.api import DatasetKind
from pages.parts.datasets.badges import TONES, by_field, open_dataset, refusal, refuse
from pages.parts.formatting import count, escaped, size
from pages.parts.session import store, wake_engine
from pages.parts.widgets.paging import page_buttons, shown_page

A_PAGE = 9
FIELDS = ("name", "folder", "source", "kind", "dataset")


def fetch() -> None:
    """A card a data set, in the catalog's order."""
    kinds = {name: kind for name, kind in api.DATASET_KINDS.items() if kind.fetched}
    query = st.text_input(
        "Search",
        type="search",
        key="datasets_kind_search",
        placeholder=f"Search {len(kinds)} data sets: clothes, flowers, digits …",
        label_visibility="collapsed",
        live=True,
    )
    words = (query or "").lower().split()
    found = [name for name, kind in kinds.items() if all(word in f"{kind.label} {kind.note}".lower() for word in words)]
    if not found:
        st.caption("None of them is about that. A folder or zip of your own works just as well.")
        return
    have = {dataset.kind: dataset.id for dataset in store().datasets.list()}
    grid = st.grid(3, min_column_width=280, border=True)
    for name in shown_page(found, A_PAGE, "datasets_kinds"):
        with grid.cell():
            _card(name, kinds[name], have.get(name))
    page_buttons(found, A_PAGE, "datasets_kinds")
    st.caption("Downloads come from the addresses that torchvision names, and are kept among Thaw's own files.")


def _card(name: str, kind: DatasetKind, owned: str | None) -> None:
    about = kind.fetched
    assert about is not None  # only such kinds have a card
    with st.container(key=f"datasets_kind_{name}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{escaped(kind.label)}**", width="content")
            st.badge(size(about.bytes), icon=":material/download:", color="gray")
        st.caption(escaped(kind.note))
        tone = TONES.get(about.channels, f"{about.channels} channels")
        side = f"{about.width} × {about.height} px" if about.width else "sizes vary"
        st.caption(f"{count(about.images, 'image')} · {about.classes} classes · {side}, {tone}")
        for field in FIELDS:
            refusal(f"{name}.{field}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if owned:
                st.button(
                    "Open",
                    icon=":material/photo_library:",
                    key=f"datasets_has_{name}",
                    on_click=open_dataset,
                    args=(owned,),
                )
                return
            is_coming = any(request.payload.get("kind") == name for request in store().requests.open())
            st.button(
                "Fetching" if is_coming else "Fetch",
                icon=":material/hourglass_top:" if is_coming else ":material/download:",
                key=f"datasets_fetch_{name}",
                disabled=is_coming,
                on_click=_ask,
                args=(name,),
            )
            if not is_coming:
                _from_folder(name, about.files)


def _from_folder(name: str, files: Sequence[str]) -> None:
    with st.popover("I have the files", type="tertiary", key=f"datasets_have_{name}"):
        st.markdown("**Taken up where they lie**")
        st.caption("Nothing is downloaded or copied. Thaw looks in this folder on its own machine for:")
        st.code("\n".join(files), language=None)
        st.text_input("Folder", key=f"datasets_folder_of_{name}", placeholder="/data/torchvision")
        st.button("Take them up", type="primary", key=f"datasets_take_{name}", on_click=_ask_folder, args=(name,))


def _ask_folder(name: str) -> None:
    folder = st.session_state[f"datasets_folder_of_{name}"].strip()
    if not folder:
        refuse({f"{name}.folder": ["Give the folder in which the files lie."]})
        return
    _ask(name, Path(folder))


def _ask(name: str, folder: Path | None = None) -> None:
    label = api.DATASET_KINDS[name].label
    try:
        api.fetch_dataset(store(), name, name=label, folder=folder)
    except api.Refused as refused:
        refuse({f"{name}.{field}": texts for field, texts in by_field(refused).items()})
        return
    refuse({})
    st.toast(f"Fetching **{escaped(label)}**.", icon=":material/download:")
    wake_engine()
