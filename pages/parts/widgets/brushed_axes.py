"""Parallel coordinates whose brush a page keeps: what is brushed stays brushed while the page moves on."""

from collections.abc import Callable, Hashable

import streamlit as st

from pages.parts.figures.frame import Option
from pages.parts.live import unless_new
from pages.parts.session import palette

HOW_TO_BRUSH = (
    "Drag along an axis to keep the trials that pass there; several axes count together. A click beside the dragged "
    "part lets go of it."
)
HEIGHT = 340
Made = tuple[Option, tuple[str, ...]]  # the figure, and the run id of each of its lines


def brushed_axes(
    page: str, subject: str, token: Hashable, make: Callable[[], Made], *, afterwards: Callable[[], None], alt: str
) -> None:
    """Draw what `make` gives for the runs of `subject`; while an axis is brushed the figure stands still.

    Args:
        afterwards: Called once another part is brushed.
    """
    key = _key(page, subject)
    held = st.session_state.get(f"{page}_axes_option")
    if brushed(page) and held is not None and held[0][0] == key:
        option, ids = held[1]
    else:
        option, ids = unless_new(f"{page}_axes_option", (key, token, palette().name), make)

    def take() -> None:
        if key != _key(page, subject):  # a late word of a chart that has been replaced
            return
        picked = st.session_state[key].selection.selected
        st.session_state[f"{page}_brushed"] = [
            ids[row] for group in picked for row in group["data_indices"] if row < len(ids)
        ]
        afterwards()

    st.echarts_chart(option, height=HEIGHT, key=key, on_select=take, alt=alt)


def _key(page: str, subject: str) -> str:
    return f"{page}_axes_{subject}_{st.session_state.get(f'{page}_axes_round', 0)}"


def brushed(page: str) -> list[str]:
    """Ids of the runs that the brush leaves; [] while nothing is brushed."""
    found: list[str] = st.session_state.get(f"{page}_brushed") or []
    return found


def unbrush(page: str) -> None:
    """A new chart: on the old one the brushed areas would stay painted."""
    st.session_state.pop(f"{page}_brushed", None)
    st.session_state[f"{page}_axes_round"] = st.session_state.get(f"{page}_axes_round", 0) + 1
