"""How busy this machine is, as a row of numbers."""

from functools import partial

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.session import store


def machine_strip() -> None:
    """CPU, memory, GPUs and free disk: the supervisor's last reading, or one made now when it is not there."""
    status = store().engine.get()
    now = status.machine if status and api.engine_alive(store()) else api.machine_reading(store().home)
    strip = st.grid(3 + max(1, len(now["gpus"])), min_column_width=150, border=True)
    metric = partial(strip.metric, delta_color="off", delta_arrow="off")
    metric("CPU", f"{now['cpu_percent']:.0f}%", delta=formatting.count(now["cpus"], "core"))
    metric("Memory", formatting.size(now["memory_used"]), delta=f"of {formatting.size(now['memory_total'])}")
    for gpu in now["gpus"]:
        load = f" · {gpu['load_percent']}% busy" if gpu["load_percent"] is not None else ""
        metric(
            formatting.escaped(f"GPU {gpu['index']} · {gpu['name']}"),
            formatting.size(gpu["memory_used"]),
            delta=f"of {formatting.size(gpu['memory_total'])}{load}",
        )
    if not now["gpus"]:
        metric("GPU", "none", delta="training on the CPU")
    metric("Free disk", formatting.size(now["disk_free"]), delta=f"of {formatting.size(now['disk_total'])}")
