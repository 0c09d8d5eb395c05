"""Beside Start search: how many combinations, trials at a time, hours, GPU hours and bytes it will come to."""

import streamlit as st

from engine import api
from engine.api import Estimate, Preview, SearchSpec
from pages.parts import formatting
from pages.parts.session import store
from pages.parts.widgets.preview import previewed

DAY_S = 86_400
LIKE_THE_BASE = {"model.backbone", "data.image_size"}  # what other values of these take was not measured


def search_cost(spec: SearchSpec, *, more: bool = False) -> None:
    """Reckoned from some steps of the base run, which the engine measures in a process that is thrown away.

    `more`: trials of a search that had some before.
    """
    cost = api.search_estimate(store(), spec)
    dataset = store().datasets.get(spec.run.data.dataset)
    backbone = api.BACKBONES[spec.run.model.backbone]
    title = f"{formatting.count(cost.trials, 'more trial' if more else 'trial')} of {backbone.label} on {dataset.name}"
    st.markdown(f"**{formatting.escaped(title)}**")
    st.caption(formatting.escaped(f"{choices(cost)} · {side_by_side(cost)}"))
    if cost.combinations and cost.combinations < spec.trials and spec.algorithm != "grid":
        _warn(
            f"{choices(cost)} for {formatting.count(spec.trials, 'trial')}: some are tried twice. Grid tries each once."
        )

    def show(made: Preview) -> None:
        measured = api.search_estimate(store(), spec)
        text = takes(measured, spec.hours)
        if measured.seconds is not None and not LIKE_THE_BASE.isdisjoint(spec.space):
            text += " · reckoned for the base run"
        st.caption(formatting.escaped(text))
        for warning in warnings(measured, spec.hours):
            _warn(warning)

    with st.container(key="search_cost", gap=None):
        previewed("fit", api.measured_as(spec.run), show, making="How long will it take? Trying a few steps")


def warnings(cost: Estimate, hours: float) -> list[str]:
    """More than a day, or more than the disk has room for."""
    found = []
    if cost.seconds and min(cost.seconds, 3600 * hours or cost.seconds) > DAY_S:
        found.append("It takes more than a day: fewer trials, fewer epochs or a time budget make it shorter.")
    if cost.disk is not None and cost.fit is not None and cost.disk > cost.fit.room.disk:
        free = formatting.size(cost.fit.room.disk)
        found.append(f"The disk has {free} free, and {formatting.size(cost.disk)} are needed: keep fewer checkpoints.")
    return found


def _warn(text: str) -> None:
    st.markdown(f":small[:orange[:material/warning: {formatting.escaped(text)}]]")


def choices(cost: Estimate) -> str:
    if cost.combinations is None:
        return "no end of combinations"
    return formatting.count(cost.combinations, "combination") if cost.combinations else "nothing searched yet"


def side_by_side(cost: Estimate) -> str:
    """4 trials at a time, 1 CPU each."""
    if cost.heads:
        return "many heads at once, in one process"
    each = f"{cost.gpus:g} GPU each" if cost.gpus else f"{formatting.count(cost.cpus, 'CPU')} each"
    return f"{formatting.count(cost.max_concurrent, 'trial')} at a time, {each}"


def takes(cost: Estimate, hours: float) -> str:
    """Time, GPU hours and disk, as far as they are known."""
    if cost.seconds is None:
        return cost.fit.why if cost.fit else "How long it takes shows once the first trials are done."
    parts = [f"about {formatting.duration(_rounded(cost.seconds))}"]
    if hours and cost.seconds > 3600 * hours:
        parts[0] += f", cut at {formatting.duration(3600 * hours)} by its budget"
    if cost.gpu_hours:
        parts.append(f"{formatting.number(float(f'{cost.gpu_hours:.2g}'))} GPU hours")
    if cost.disk is not None:
        parts.append(f"{formatting.size(cost.disk)} of disk")
    return " · ".join(parts)


def _rounded(seconds: float) -> float:
    """To two digits: nobody knows more."""
    return float(f"{seconds:.2g}")
