"""What a page shows while there is nothing to show: what is missing, and one button that changes it."""

import streamlit as st

from pages.parts import actions
from pages.parts.session import open_run, store, wake_engine

DEMO = "Train the demo (digits, about 30 s)"


def empty_state(title: str, text: str) -> None:
    """A card in the middle with the demo's button."""
    if started := st.session_state.pop("demo.started", None):
        wake_engine()
        open_run(store().runs.get(started))
    with st.container(border=True, height=420, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown("### :material/model_training:", text_alignment="center")
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(text, text_alignment="center")
        st.button(DEMO, icon=":material/play_arrow:", type="primary", on_click=actions.start_demo, key="empty.demo")
