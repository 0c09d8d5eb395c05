"""What runs are logged to beside Thaw: a switch for each program."""

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.session import store


def tracker_switches() -> None:
    chosen = api.trackers(store())
    for name, row in api.TRACKERS.items():
        is_there = api.tracker_installed(name)
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
    others = set(api.trackers(store())) - {name}
    is_on = st.session_state[f"machine_tracker_{name}"]
    try:
        api.set_trackers(store(), others | ({name} if is_on else set()))
    except (api.Refused, api.Unavailable) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
