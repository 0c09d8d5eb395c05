"""What runs are logged to beside Thaw: a switch for each program."""

import streamlit as st

import engine
from pages.parts import words
from pages.parts.session import store


def tracker_switches() -> None:
    chosen = engine.trackers(store())
    for name, row in engine.TRACKERS.items():
        is_there = engine.tracker_installed(name)
        key = f"machine_tracker_{name}"
        st.session_state[key] = name in chosen  # as the home has it now, whoever changed it
        st.toggle(row.label, key=key, disabled=not is_there, on_change=_switch, args=(name,))
        missing = "Not installed: pip install -r requirements-extra.txt"
        st.caption(row.note if is_there else missing)
    st.caption(
        "From now on, for all runs and trials, those under way too. Training is neither slowed nor failed by it."
    )
    if "tensorboard" in chosen:
        st.code(f"tensorboard --logdir {store().home.trackers / 'tensorboard'}", language="bash")


def _switch(name: str) -> None:
    others = set(engine.trackers(store())) - {name}
    is_on = st.session_state[f"machine_tracker_{name}"]
    try:
        engine.set_trackers(store(), others | ({name} if is_on else set()))
    except (engine.Refused, engine.Unavailable) as error:
        st.toast(words.escaped(str(error)), icon=":material/error:")
