"""A look at what a run would do, made by the engine: its progress until it is there, then what it shows."""

from collections.abc import Callable

import streamlit as st

from engine import api
from engine.api import Preview, RunSpec
from pages.parts import formatting
from pages.parts.session import store, wake_engine

POLL_S = 0.5


def previewed(
    kind: str, spec: RunSpec, show: Callable[[Preview], None], *, making: str, place: str | None = None
) -> None:
    """Draw what `show` draws once the preview is made; until then a bar, which needs no click to go on.

    Args:
        kind: Of preview, as the engine names it.
        spec: The run that it is about.
        show: Draws the preview.
        making: What the bar says.
        place: Tells two views of one preview apart.
    """
    if _is_there(api.preview(store(), kind, spec)):
        _drawn(kind, spec, show, place or kind)
        return
    wake_engine()

    def body() -> None:
        found = api.preview(store(), kind, spec)
        if _is_there(found):
            st.rerun()
        st.progress(found.progress, text=f"{making} · {formatting.escaped(found.message)}" if found.message else making)

    with st.container(key=f"previewing_{place or kind}"):
        st.fragment(body, run_every=POLL_S)()


def _drawn(kind: str, spec: RunSpec, show: Callable[[Preview], None], place: str) -> None:
    found = api.preview(store(), kind, spec)
    if found.problem is None:
        show(found)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(formatting.escaped(found.problem), icon=":material/visibility_off:")
        st.button(
            "Try again",
            key=f"new_again_{place}",
            type="tertiary",
            on_click=api.forget_preview,
            args=(store(), kind, spec),
        )


def _is_there(found: Preview) -> bool:
    return found.values is not None or found.problem is not None
