"""Files: the folders of a data set to walk through, with what they weigh."""

import streamlit as st
from pandas import DataFrame

from engine import api
from pages.parts.datasets.file_tree import listing, parents
from pages.parts.formatting import count, escaped, size
from pages.parts.session import store
from pages.parts.widgets.cards import empty_state
from storage import Dataset

MOST_ROWS = 1000  # of one folder
AT = "datasets_folder"


def files(dataset: Dataset) -> None:
    """One folder at a time; a ticked folder opens."""
    if api.DATASET_KINDS[dataset.kind].embedded:
        empty_state("folder_off", "No files of its own", "This data set comes with Thaw's own parts.")
        return
    try:
        found = _files(dataset.id, dataset.fingerprint)
    except api.Unavailable as error:
        empty_state("folder_off", "Not listed", escaped(str(error)))
        return
    at = _at(dataset)
    table = listing(found, at)
    st.caption(f"{count(int(table['files'].sum()), 'image')}, {size(int(table['bytes'].sum()))}")
    folders = table[table["is_folder"]]
    if len(folders):
        _folders(dataset, at, folders.head(MOST_ROWS))
    if len(folders) < len(table):
        _leaves(table[~table["is_folder"]])


def _at(dataset: Dataset) -> str:
    """The folder that is open, with the way back to those above it."""
    held = st.session_state.get(AT)
    at = held[1] if held and held[0] == dataset.id else ""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        for folder in parents(at):
            label = folder.rpartition("/")[2] or dataset.name
            st.button(
                escaped(label),
                type="tertiary",
                key=f"datasets_folder_{folder}",
                icon=":material/folder_open:" if folder == at else ":material/folder:",
                disabled=folder == at,
                on_click=_walk,
                args=(dataset.id, folder),
            )
    return at


def _folders(dataset: Dataset, at: str, folders: DataFrame) -> None:
    grid = st.grid(4, min_column_width=200, border=True)
    for folder in folders.itertuples():
        with grid.cell(), st.container(gap="xxsmall"):
            st.button(
                escaped(folder.name),
                icon=":material/folder:",
                type="tertiary",
                key=f"datasets_into_{at}/{folder.name}",
                on_click=_walk,
                args=(dataset.id, f"{at}/{folder.name}" if at else folder.name),
            )
            st.progress(folder.share / 100, text=f"{count(folder.files, 'image')} · {size(folder.bytes)}")


def _leaves(table: DataFrame) -> None:
    shown = table.head(MOST_ROWS).assign(size=[size(one) for one in table["bytes"].head(MOST_ROWS)])
    st.dataframe(
        shown,
        hide_index=True,
        key="datasets_files",
        column_order=["name", "size", "share"],
        column_config={
            "name": "File",
            "size": "Size",
            "share": st.column_config.ProgressColumn("Share of folder", format="%.1f %%", min_value=0, max_value=100),
        },
        alt="Files of this folder",
    )
    if len(table) > MOST_ROWS:
        st.caption(f"and {len(table) - MOST_ROWS:,} more")


def _walk(dataset_id: str, folder: str) -> None:
    st.session_state[AT] = (dataset_id, folder)


@st.cache_data(max_entries=8, show_spinner=False)
def _files(dataset_id: str, fingerprint: str) -> list[tuple[str, int]]:
    return api.dataset_files(store(), dataset_id)
