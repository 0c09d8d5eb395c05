"""Beside Start: whether the run fits into memory and onto the disk, how long it takes, the largest batch that fits."""

import pandas as pd
import streamlit as st

from engine import api
from engine.api import Fit, Preview, RunSpec
from pages.parts import formatting
from pages.parts.forms import fields
from pages.parts.session import store
from pages.parts.widgets.preview import previewed

LEVEL_BADGES = {
    "fits": ("Fits", ":material/check_circle:", "green"),
    "tight": ("Tight", ":material/warning:", "orange"),
    "too large": ("Does not fit", ":material/block:", "red"),
}
MEMORY_PARTS = {
    "weights": "Weights",
    "gradients": "Gradients",
    "optimizer": "Optimiser",
    "average": "Averaged weights",
    "activations": "Activations of a batch",
    "libraries": "Libraries and rest",
}


def fit_panel(spec: RunSpec) -> None:
    """Measured by the engine in a process that is thrown away; another batch size only reckons anew."""

    def show(made: Preview) -> None:
        _verdict(spec, api.will_it_fit(store(), spec, made.values or {}))

    with st.container(key="new_fit", gap=None):
        previewed("fit", api.measured_as(spec), show, making="Will it fit? Trying a few steps")


def _verdict(spec: RunSpec, fit: Fit) -> None:
    name, icon, colour = LEVEL_BADGES[fit.level]
    summary = f" {_summary(fit)}" if fit.memory else ""
    with st.popover(f":{colour}-badge[{icon} {name}]{summary}", type="tertiary", key="new_fit_details", wrap=True):
        _details(spec, fit)
    if fit.level != "fits":
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(formatting.escaped(fit.why), width="content")
            if 0 < fit.largest_batch < spec.optimisation.batch_size:
                _take(fit)


def _summary(fit: Fit) -> str:
    memory = f"{formatting.size(fit.memory)} of {formatting.size(fit.room.memory)}"
    times = f"{formatting.duration(fit.epoch_s)} an epoch, {formatting.duration(fit.total_s)} in all"
    return formatting.escaped(f"{memory} · {times} · batches up to {min(fit.largest_batch, fit.images):,}")


def _details(spec: RunSpec, fit: Fit) -> None:
    if not fit.memory:
        st.markdown(formatting.escaped(fit.why))
        return
    batch = spec.optimisation.batch_size
    where = "GPU memory" if fit.device == "cuda" else "Memory"
    st.markdown(f"**{where} at the worst moment, batches of {batch}**")
    ranks = max(1, round(fit.memory / max(1, sum(fit.parts.values()))))
    rows = [(MEMORY_PARTS[part], formatting.size(amount)) for part, amount in fit.parts.items() if amount]
    rows.append((f"Together, {ranks} processes" if ranks > 1 else "Together", formatting.size(fit.memory)))
    st.table(pd.DataFrame(rows, columns=["What", "Size"]), hide_index=True)
    largest = "all images at once" if fit.largest_batch >= fit.images else formatting.count(fit.largest_batch, "image")
    st.markdown(f"Largest batch that fits: **{largest}**")
    if fit.largest_batch < fit.images and fit.largest_batch != batch:
        _take(fit, key="new_take_batch_inside")
    first = f"{formatting.duration(fit.first_s)} before the first epoch, then " if fit.first_s > 1 else ""
    st.caption(
        f"Time: {first}{formatting.duration(fit.epoch_s)} an epoch in {fit.precision}. Disk: "
        f"{formatting.size(fit.disk)} of {formatting.size(fit.room.disk)} free, for decoded images, features and "
        "checkpoints. Measured here with a few steps; other programs slow it down."
    )


def _take(fit: Fit, key: str = "new_take_batch") -> None:
    st.button(
        f"Take batches of {fit.largest_batch:,}",
        icon=":material/check:",
        key=key,
        on_click=_take_batch,
        args=(fit.largest_batch,),
    )


def _take_batch(images: int) -> None:
    st.session_state[fields.field_key("optimisation.batch_size")] = images
