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
FORMS = {"csv": "CSV", "parquet": "Parquet"}


def export_button(whats: Sequence[str], *, key: str, told: str, **asked: Any) -> None:
    """A popover with the files of one of these tables; `told` says of what they are, `asked` what the route is asked.

    Values of `asked`: a text, a list of texts, or a truth; those that ask for nothing are left out.
    """
    with st.popover("Export", icon=":material/download:", key=f"{key}_export"):
        st.caption(told)
        what = whats[0]
        if len(whats) > 1:
            what = st.selectbox("Table", whats, format_func=LABELS.__getitem__, key=f"{key}_export_what")
        with st.container(horizontal=True, gap="small"):
            for form, label in FORMS.items():
                st.link_button(label, export_link(what, form, **asked), key=f"{key}_export_{form}")


def export_link(what: str, form: str, **asked: Any) -> str:
    query = {name: "1" if value is True else value for name, value in asked.items() if value}
    told = f"?{urlencode(query, doseq=True)}" if query else ""
    return f"{base_url()}/api/export/{what}.{form}{told}"
