"""What a page shows, in its address: a link opens it again, and Back leads to what was shown before."""

from collections.abc import Sequence, Sized
from math import ceil
from typing import Protocol, Self, TypeVar

import streamlit as st


class Sliceable(Sized, Protocol):
    """A list, a tuple, an array."""

    def __getitem__(self, places: slice, /) -> Self: ...


Items = TypeVar("Items", bound=Sliceable)


def put(**values: str | int | None) -> None:
    """Write parameters into the address; None takes one out. All others stay: some are bound to widgets."""
    for name, value in values.items():
        if value is None and name in st.query_params:
            del st.query_params[name]
    st.query_params.update({name: str(value) for name, value in values.items() if value is not None})


def named_place(name: str, names: Sequence[str]) -> int | None:
    """Where among `names` the one stands that parameter `name` gives; None: it gives none of them."""
    given = st.query_params.get(name)
    return names.index(given) if given in names else None


def shown_page(items: Items, size: int) -> Items:
    """The `size` items of the page that `?page=` names."""
    page = _page(len(items), size)
    return items[(page - 1) * size : page * size]


def page_buttons(items: Sized, size: int, key: str) -> None:
    """The way to the other pages; nothing when there are none."""
    if len(items) <= size:
        return
    page = _page(len(items), size)
    round_ = st.session_state.get(key, 0)
    if st.session_state.get(f"{key}_{round_}", page) != page:  # the address leads: Back, or another list
        round_ = st.session_state[key] = round_ + 1
    buttons = f"{key}_{round_}"

    def turn() -> None:
        turned = st.session_state[buttons]
        put(page=turned if turned > 1 else None)

    st.pagination(ceil(len(items) / size), default=page, key=buttons, on_change=turn)


def _page(items: int, size: int) -> int:
    given = st.query_params.get("page", "1")
    return min(max(1, int(given) if given.isdecimal() else 1), max(1, ceil(items / size)))
