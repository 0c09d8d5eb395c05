"""The sidebar's card: is the engine there, and what has it to do."""

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.live import live
from pages.parts.session import store, wake_engine
from storage import RunState, SearchState


def engine_card() -> None:
    """Redraws itself; wakes the engine when work waits and nobody does it."""
    live(_card, every_s=4.0)


def _card() -> None:
    counts, alone = store().runs.count(), store().runs.count(alone=True)
    training = sum(number for state, number in counts.items() if state.has_process)
    searching = store().searches.list(states=[state for state in SearchState if state.has_process], limit=-1)
    queued = store().searches.list(states=[SearchState.QUEUED, SearchState.INTERRUPTED], limit=-1)
    # trials of a search that rests wait for nothing
    waiting = alone.get(RunState.QUEUED, 0) + alone.get(RunState.INTERRUPTED, 0) + len(queued)
    alive = api.engine_alive(store())
    if not alive and (training or waiting or store().requests.open()):
        wake_engine()
        alive = api.engine_alive(store())
    with st.container(border=True, gap="xsmall", key="engine_card"):
        st.caption("Engine")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if alive:
                st.badge("Online", icon=":material/bolt:", color="green")
            else:
                st.badge("Asleep", icon=":material/bedtime:", color="gray", help="It wakes when there is work.")
            st.caption(_slots())
        if training or waiting or searching:
            parts = [formatting.count(len(searching), "search", "searches")] if searching else []
            parts += [f"{number} {word}" for number, word in ((training, "running"), (waiting, "queued")) if number]
            st.markdown(" · ".join(parts))
            shares = [run.fraction for run in store().runs.list(states=[RunState.RUNNING], limit=20)]
            if shares:
                st.progress(sum(shares) / len(shares))
        elif alive:
            st.markdown("Measuring" if api.is_measuring(store()) else "Nothing to do")
        else:
            st.button("Wake it", icon=":material/bolt:", on_click=wake_engine, key="engine_wake")


def _slots() -> str:
    status = store().engine.get()
    if status is None:
        return ""
    gpus = status.machine.get("gpus", [])
    if len(gpus) == 1:
        return formatting.escaped(f"GPU 0 · {gpus[0]['name'].removeprefix('NVIDIA ')}")
    return (
        formatting.count(len(gpus), "GPU")
        if gpus
        else f"CPU · {formatting.count(status.machine.get('cpus', 1), 'core')}"
    )
