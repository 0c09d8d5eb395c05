"""Ways in: a zip from this computer, something on the server's own disk, or one of torchvision's data sets."""

from pathlib import Path

import streamlit as st

from engine import api
from pages.parts.datasets.badges import by_field, refusal, refuse
from pages.parts.datasets.fetch import fetch
from pages.parts.formatting import escaped
from pages.parts.session import base_url, store, wake_engine
from pages.parts.widgets.upload import upload_zip

UPLOAD, HERE, READY = WAYS = ("Upload a zip", "On this machine", "Ready-made")


def add_panel() -> None:
    """The form, with what was refused beside its field."""
    with st.container(border=True, key="datasets_add", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            way = st.segmented_control(
                "From", WAYS, default=UPLOAD, required=True, key="datasets_way", label_visibility="collapsed"
            )
            st.button(
                "Close",
                icon=":material/close:",
                type="tertiary",
                key="datasets_add_close",
                on_click=show_panel,
                args=(False,),
            )
        {UPLOAD: _from_upload, HERE: _from_path, READY: fetch}[way]()


def show_panel(is_shown: bool) -> None:
    st.session_state["datasets_adding"] = is_shown


def _from_upload() -> None:
    name = st.text_input("Name", key="datasets_zip_name", placeholder="made from the file's name")
    kept = st.session_state.pop("datasets_kept", None)
    if arrived := upload_zip("datasets_upload", base_url()) or kept:
        token, file_name = arrived
        source = store().home.uploads / f"{token}.zip"
        if not _ask(name.strip() or Path(file_name).stem, source, key=token) and source.exists():
            st.session_state["datasets_kept"] = arrived  # another name takes it up; nothing is sent again
    for field in ("name", "source"):
        refusal(field)


def _from_path() -> None:
    path, named = st.columns([2, 1])
    with path:
        st.text_input("Path", key="datasets_path", placeholder="/data/flowers, flowers.zip or flowers.csv")
        refusal("source")
    with named:
        st.text_input("Name", key="datasets_path_name", placeholder="made from the path")
        refusal("name")
    st.toggle(
        "Copy the images into Thaw",
        key="datasets_copy",
        help="Without it they stay where they are and must not be moved or changed. A zip is always unpacked.",
    )
    st.caption(
        "A folder or zip with one folder a class, with or without train / validation / test above them; "
        "or a CSV with the columns `path,label` and, if wanted, `split`, its paths beginning at the CSV's own folder."
    )
    st.button("Import", type="primary", icon=":material/input:", on_click=_add_from_path, key="datasets_import")


def _add_from_path() -> None:
    path = st.session_state["datasets_path"].strip()
    if not path:
        refuse({"source": ["Give the path of a folder, a zip or a CSV on this machine."]})
        return
    name = st.session_state["datasets_path_name"].strip() or Path(path).stem
    _ask(name, Path(path), copy=st.session_state["datasets_copy"])


def _ask(name: str, source: Path, *, key: str | None = None, copy: bool = False) -> bool:
    """Ask for an import; what is wrong with it shows beside its field, and False comes back."""
    try:
        api.add_dataset(store(), name, source, key=key, copy=copy)
    except api.Refused as refused:
        refuse(by_field(refused))
        return False
    refuse({})
    st.toast(f"Importing **{escaped(name)}**.", icon=":material/input:")
    wake_engine()
    return True
