"""Files: the folders of a data set to walk through, with what they weigh."""

from collections.abc import Iterable

import pandas as pd
import streamlit as st

from engine import api
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


def listing(sizes: Iterable[tuple[str, int]], at: str) -> pd.DataFrame:
    """What lies directly in folder `at` ("" is the top): folders first, then files, each by name.

    Columns: name, is_folder, files (in it and below), bytes, share (per cent of `at`'s bytes).
    """
    inside = f"{at}/" if at else ""
    folders: dict[str, list[int]] = {}
    leaves: list[tuple[str, bool, int, int]] = []
    for path, weight in sizes:
        if not path.startswith(inside):
            continue
        name, _, below = path[len(inside) :].partition("/")
        if below:
            found = folders.setdefault(name, [0, 0])
            found[0] += 1
            found[1] += weight
        else:
            leaves.append((name, False, 1, weight))
    rows = [(name, True, number, weight) for name, (number, weight) in sorted(folders.items())] + sorted(leaves)
    table = pd.DataFrame(rows, columns=["name", "is_folder", "files", "bytes"])
    table["share"] = 100 * table["bytes"] / max(1, int(table["bytes"].sum()))
    return table


def parents(at: str) -> list[str]:
    """The folders from the top down to `at`: "a/b" gives "", "a", "a/b"."""
    steps = at.split("/") if at else []
    return ["", *("/".join(steps[: depth + 1]) for depth in range(len(steps)))]


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


def _folders(dataset: Dataset, at: str, folders: pd.DataFrame) -> None:
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


def _leaves(table: pd.DataFrame) -> None:
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
