"""Imports and scans under way, with how long they still take, and those refused lately."""

import re

import streamlit as st

from pages.parts.formatting import ago, count, escaped, left
from pages.parts.runs.actions import being_deleted
from pages.parts.session import store
from storage import Request

KINDS = {"import_dataset": "Importing", "scan_dataset": "Scanning"}
MOST_SHOWN = 2  # refusals
RECENTLY = ("now", "min ago")  # an older refusal is no news


def dataset_requests(only: str | None = None) -> None:
    """Draw them, those of one data set or of all; once one has ended or a data set came or went, the whole page is
    drawn again.
    """
    requests = [one for kind in KINDS for one in store().requests.list(kind, limit=20) if only in (None, one.target)]
    under_way = [request for request in requests if request.state in ("pending", "running")]
    for request in under_way:
        message = " · ".join(filter(None, [request.message, left(request.eta_s)]))
        doing = f"{KINDS[request.kind]} {escaped(_name(request))}"
        st.progress(request.progress or 0.0, text=f"{doing} · {escaped(message or 'waiting')}")
    ready = {dataset.id for dataset in store().datasets.list()}
    seen = ([request.id for request in under_way], ready, being_deleted())
    before = st.session_state.setdefault("datasets_seen", seen)
    if before != seen:
        _greet(ready - before[1])
        st.session_state["datasets_seen"] = seen
        st.rerun()
    dismissed = st.session_state.setdefault("datasets_dismissed", set())
    refused = [
        request
        for request in requests
        if request.state == "refused" and request.id not in dismissed and ago(request.ended_at).endswith(RECENTLY)
    ]
    for request in refused[:MOST_SHOWN]:
        _refusal(request, dismissed)
    if more := refused[MOST_SHOWN:]:
        st.button(
            f"Dismiss these and {count(len(more), 'older one')}",
            key="datasets_dismiss_all",
            on_click=dismissed.update,
            args=([request.id for request in refused],),
            type="tertiary",
        )


def open_request(kind: str, dataset_id: str) -> Request | None:
    """The request of that kind for a data set which is not over yet."""
    return next((one for one in store().requests.open() if (one.kind, one.target) == (kind, dataset_id)), None)


def _greet(new: set[str]) -> None:
    for dataset_id in new:
        name = store().datasets.get(dataset_id).name
        st.toast(f"**{escaped(name)}** is ready.", icon=":material/photo_library:")


def _with_addresses(text: str) -> str:
    """`text` as inert Markdown, its web addresses as they are: they can be copied letter for letter."""
    pieces = re.split(r"(https?://[\w./~%-]+)", text)
    shown = [f"`{piece}`" if place % 2 else escaped(piece) for place, piece in enumerate(pieces)]
    return re.sub(r" (?=[,.;)])", "", " ".join(filter(None, shown)))


def _name(request: Request) -> str:
    return str(request.payload.get("name") or request.target)


def _refusal(request: Request, dismissed: set[str]) -> None:
    done = "imported" if request.kind == "import_dataset" else "scanned"
    with st.container(horizontal=True, vertical_alignment="center", wrap=False):
        st.error(
            f"**{escaped(_name(request))}** was not {done}. {_with_addresses(request.message or '')}",
            icon=":material/error:",
        )
        st.button(
            "Dismiss", key=f"datasets_dismiss_{request.id}", on_click=dismissed.add, args=(request.id,), type="tertiary"
        )
