"""Machine: how busy it is, the engine, the home on disk, the versions in use."""

import platform
from importlib.metadata import PackageNotFoundError, version

import pandas as pd
import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.live import live
from pages.parts.session import store
from pages.parts.widgets.cards import page_head
from pages.parts.widgets.machine_strip import machine_strip
from pages.parts.widgets.trackers import tracker_switches

PACKAGES = ("streamlit", "torch", "torchvision", "sqlite-utils", "numpy", "pillow", "plotly", "pydantic")


def strip() -> None:
    machine_strip()


def _engine() -> None:
    status = store().engine.get()
    if status is None or not api.engine_alive(store()):
        st.badge("Asleep", icon=":material/bedtime:", color="gray")
        st.caption("It wakes by itself when there is something to do, and sleeps again when there is not.")
        return
    st.badge("Online", icon=":material/bolt:", color="green")
    _facts(
        {
            "Process": str(status.pid),
            "Awake for": formatting.duration(status.heartbeat_at - status.started_at),
            "Last sign of life": formatting.clock(status.heartbeat_at),
            "Slots": ", ".join("CPU" if slot == "cpu" else f"GPU {slot}" for slot in status.slots),
        }
    )


def _caches() -> None:
    for cache in api.list_caches(store()):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            limit = f" of {formatting.size(cache.limit)}" if cache.limit else ""
            with st.container(gap=None, width="stretch"):
                entries = formatting.count(cache.count, "entry", "entries")
                st.markdown(f"{cache.label}: **{formatting.size(cache.bytes)}**{limit} · {entries}")
                st.caption(cache.note)
            st.button(
                "Clear",
                icon=":material/delete_sweep:",
                key=f"machine_clear_{cache.key}",
                disabled=not cache.count,
                on_click=_clear,
                args=(cache.key,),
            )


def _clear(key: str) -> None:
    freed = api.clear_cache(store(), key)
    _sizes.clear()
    st.toast(f"{formatting.size(freed)} freed; it is made again when it is needed.", icon=":material/check:")


@st.cache_data(ttl=30, show_spinner="Measuring the home ...")
def _sizes(root: str) -> dict[str, int]:
    home = store().home
    folders = {"Runs": home.runs, "Data sets": home.datasets, "Caches": home.cache, "Uploads": home.uploads}
    sizes = {name: api.folder_bytes(folder) for name, folder in folders.items()}
    sizes["Database"] = sum(path.stat().st_size for path in home.root.glob("thaw.db*"))
    return sizes


def _facts(rows: dict[str, str]) -> None:
    st.table(
        pd.DataFrame({"value": rows.values()}, index=list(rows)).map(formatting.escaped),
        border="horizontal",
        hide_header=True,
    )


@st.cache_data(show_spinner=False)
def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version(), "System": f"{platform.system()} {platform.release()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


with page_head("Machine"):
    pass
live(strip, every_s=3.0)
left, right = st.columns(2)
with left, st.container(border=True):
    st.markdown("**Engine**")
    live(_engine, every_s=5.0)
with left, st.container(border=True):
    st.markdown("**Home**")
    st.caption("Everything Thaw keeps lies in this one folder.")
    st.code(str(store().home.root), language=None)
    measured = _sizes(str(store().home.root))
    _facts({name: formatting.size(amount) for name, amount in measured.items()})
with right, st.container(border=True):
    st.markdown("**Caches**")
    _caches()
with right, st.container(border=True):
    st.markdown("**Log to**")
    tracker_switches()
with right, st.container(border=True):
    st.markdown("**Versions**")
    _facts(_versions())
