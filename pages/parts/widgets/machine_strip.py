"""How busy this machine is, as a row of numbers."""

import streamlit as st

import engine
from pages.parts import words
from pages.parts.session import store


def machine_strip() -> None:
    """CPU, memory, GPUs and free disk: the supervisor's last reading, or one made now when it is not there."""
    status = store().engine.get()
    now = status.machine if status and engine.engine_alive(store()) else engine.machine_reading(store().home)
    strip = st.grid(3 + max(1, len(now["gpus"])), min_column_width=150, border=True)
    strip.metric("CPU", f"{now['cpu_percent']:.0f}%", delta=words.count(now["cpus"], "core"), **QUIET)
    strip.metric("Memory", words.size(now["memory_used"]), delta=f"of {words.size(now['memory_total'])}", **QUIET)
    for gpu in now["gpus"]:
        load = f" · {gpu['load_percent']}% busy" if gpu["load_percent"] is not None else ""
        strip.metric(
            words.escaped(f"GPU {gpu['index']} · {gpu['name']}"),
            words.size(gpu["memory_used"]),
            delta=f"of {words.size(gpu['memory_total'])}{load}",
            **QUIET,
        )
    if not now["gpus"]:
        strip.metric("GPU", "none", delta="training on the CPU", **QUIET)
    strip.metric("Free disk", words.size(now["disk_free"]), delta=f"of {words.size(now['disk_total'])}", **QUIET)


QUIET = {"delta_color": "off", "delta_arrow": "off"}
