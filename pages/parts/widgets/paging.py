"""Long lists a page at a time."""

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

import streamlit as st

One = TypeVar("One")


def shown_page(items: Sequence[One], size: int, key: str) -> Sequence[One]:
    """The `size` items of the page that the buttons of `page_buttons` with the same `key` stand at."""
    page = st.session_state.get(_key(items, size, key), 1)
    return items[(page - 1) * size : page * size]


def page_buttons(items: Sequence[One], size: int, key: str) -> None:
    """The way to the other pages; nothing when there are none."""
    if len(items) > size:
        st.pagination(ceil(len(items) / size), key=_key(items, size, key), persist_state="page")


def _key(items: Sequence[One], size: int, key: str) -> str:
    """With the number of pages in it: a list that has become shorter begins anew, on a page that there is."""
    return f"{key}_of_{ceil(len(items) / size)}"
