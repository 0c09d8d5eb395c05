"""A form's settings as a whole: from a preset, from a pasted YAML spec, and as one, of a run or a search."""

from collections.abc import Callable, Mapping

import streamlit as st

from engine.api import Preset
from pages.parts.widgets.cards import problem_lines


def preset_choice(presets: Mapping[str, Preset], key: str, take: Callable[[], None], *, none: str) -> None:
    """Presets to begin with.

    Args:
        presets: By name.
        key: Of the widget.
        take: Called once another one is chosen.
        none: Said while the settings are those of no preset.
    """
    with st.container(border=True, gap="small"):
        st.segmented_control(
            "Start from a preset",
            list(presets),
            format_func=lambda name: presets[name].label,
            key=key,
            on_change=take,
            persist_state="session",
        )
        chosen = st.session_state.get(key)
        st.caption(presets[chosen].note if chosen else none)


def yaml_in(prefix: str, take: Callable[..., None], *, placeholder: str) -> None:
    """`take(True)` fills in the form from `<prefix>_yaml`; what keeps it from that is in `<prefix>_yaml_problems`."""
    with st.expander("Paste a YAML spec", icon=":material/content_paste:"):
        st.text_area("Spec", key=f"{prefix}_yaml", placeholder=placeholder, height=160, on_change=take)
        label, icon = "Fill in the form", ":material/input:"
        st.button(label, on_click=take, args=(True,), icon=icon, key=f"{prefix}_take_yaml")
        problem_lines(st.session_state.get(f"{prefix}_yaml_problems", []))


def yaml_out(noun: str, command: str, text: str) -> None:
    """The spec of a `noun`, and the command that starts it."""
    with st.expander("As YAML and command", icon=":material/code:"):
        st.caption(f"The same {noun} without a browser: save this as {noun}.yaml, then")
        st.code(f".venv/bin/thaw {command} {noun}.yaml --wait", language="bash", wrap_lines=True)
        st.code(text, language="yaml")
