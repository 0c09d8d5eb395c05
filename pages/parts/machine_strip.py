"""The machine in one row: processor, memory, disk and each GPU."""

from typing import Any

import streamlit as st

import engine
from pages.parts.session import store
from pages.parts.words import size


def reading() -> dict[str, Any]:
    """The supervisor's last reading, or one of our own while there is none."""
    told = store().engine.get()
    return told.machine if told and told.machine else engine.machine_reading(store().home)


def machine_strip() -> None:
    machine = reading()
    gauges = [
        ("CPU", f"{machine['cpu_percent']:.0f} %", f"{machine['cpus']} cores", machine["cpu_percent"] / 100),
        _share("Memory", machine["memory_used"], machine["memory_total"]),
        _share("Disk", machine["disk_total"] - machine["disk_free"], machine["disk_total"]),
        *(_share(f"GPU {gpu['index']}", gpu["memory_used"], gpu["memory_total"]) for gpu in machine["gpus"]),
    ]
    with st.grid(len(gauges), min_column_width=180, gap="medium"):
        for label, value, note, share in gauges:
            with st.container(border=True, gap="small"):
                with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
                    st.markdown(f"**{label}** &nbsp; {value}")
                    st.caption(note)
                st.progress(min(1.0, max(0.0, share)))


def _share(label: str, used: float, total: float) -> tuple[str, str, str, float]:
    return label, size(used), f"of {size(total)}", used / total if total else 0.0
