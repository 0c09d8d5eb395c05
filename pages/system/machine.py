"""The machine: how busy it is, where Thaw keeps its files, which versions work here."""

import platform
from importlib.metadata import version

import streamlit as st

import engine
from pages.parts.machine_strip import machine_strip, reading
from pages.parts.session import store
from pages.parts.words import plain, size

LIBRARIES = ("torch", "torchvision", "streamlit", "pydantic", "sqlite-utils", "pillow", "safetensors")


def gpus() -> None:
    found = reading()["gpus"]
    if not found:
        st.caption("No NVIDIA GPU: runs train on the CPU, one at a time.")
    for gpu in found:
        load = "" if gpu["load_percent"] is None else f", {gpu['load_percent']} % busy, {gpu['celsius']} °C"
        st.caption(f"GPU {gpu['index']}: {plain(gpu['name'])}, {size(gpu['memory_total'])}{load}")


def kept() -> None:
    """Where the bytes are."""
    home = store().home
    places = (("Runs", home.runs), ("Data sets", home.datasets), ("Cache", home.cache), ("Uploads", home.uploads))
    with st.grid(4, min_column_width=160, gap="medium"):
        for label, folder in places:
            st.metric(label, size(engine.folder_bytes(folder)), border=True)
    st.caption("The cache holds decoded images; it can be deleted while nothing trains, and is made again.")


def page() -> None:
    st.title("Machine")
    st.fragment(machine_strip, run_every=3)()
    gpus()
    st.subheader("Thaw's files", anchor=False)
    st.code(str(store().home.root), language=None)
    kept()
    st.subheader("Versions", anchor=False)
    rows = {"Python": platform.python_version(), "System": f"{platform.system()} {platform.release()}"}
    rows |= {name: version(name) for name in LIBRARIES}
    st.table([{"": name, "version": value} for name, value in rows.items()], hide_index=True, border="horizontal")
    if engine.engine_alive(store()):
        told = store().engine.get()
        st.caption(f"Engine: process {told.pid if told else ''}. It goes on when this page or the browser is closed.")


page()
