"""Reading a run in that TensorBoard's event files hold."""

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.session import open_run, store


def import_button() -> None:
    """A popover that asks for the path of a run of another program, and opens it once it is read."""
    with (
        st.popover("Import", icon=":material/upload_file:", key="runs_import"),
        st.form("runs_importing", border=False),
    ):
        path = st.text_input(
            "TensorBoard event file, or the folder of one run, on this machine",
            key="runs_import_path",
            placeholder="/home/me/logs/run1",
        )
        name = st.text_input("Name", key="runs_import_name", placeholder="As the file or folder")
        if st.form_submit_button("Read it in", type="primary", icon=":material/check:", key="runs_import_go"):
            _read(path.strip(), name)


def _read(path: str, name: str) -> None:
    try:
        with st.spinner("Reading the scalars ..."):
            run = api.import_events(store(), path, name=name)
    except (api.Refused, api.Unavailable) as error:
        st.error(formatting.escaped(str(error)), icon=":material/error:")
        return
    open_run(run.id)
