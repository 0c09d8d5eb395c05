"""Tables of a page to take away: CSV or Parquet, made by the server as they are sent."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.parts.session import base_url

LABELS = {
    "runs": "Runs, results, settings",
    "metrics": "Metrics, every point",
    "trials": "Trials, results, settings",
    "checkpoints": "Checkpoints",
    "events": "Events",
    "datasets": "Data sets",
    "searches": "Searches",
}
FORMATS = {"csv": "CSV", "parquet": "Parquet"}


def export_button(tables: Sequence[str], *, key: str, caption: str, **filters: Any) -> None:
    """A popover with the files of one of these tables.

    Args:
        tables: Of LABELS.
        key: What its widgets' keys begin with.
        caption: Says of what the files are.
        filters: Parameters of the route: a text, a list of texts, or a truth; those that ask for nothing are left out.
    """
    with st.popover("Export", icon=":material/download:", key=f"{key}_export"):
        st.caption(caption)
        table = tables[0]
        if len(tables) > 1:
            table = st.selectbox("Table", tables, format_func=LABELS.__getitem__, key=f"{key}_export_what")
        with st.container(horizontal=True, gap="small"):
            for form, label in FORMATS.items():
                st.link_button(label, export_link(table, form, **filters), key=f"{key}_export_{form}")


def export_link(table: str, form: str, **filters: Any) -> str:
    """The address of a table as a file; `form` is one of FORMATS."""
    query = {name: "1" if value is True else value for name, value in filters.items() if value}
    parameters = f"?{urlencode(query, doseq=True)}" if query else ""
    return f"{base_url()}/api/export/{table}.{form}{parameters}"
