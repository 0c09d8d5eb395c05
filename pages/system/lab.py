"""Strategy lab: one network, trained for a moment in several ways on this machine; pace and memory side by side."""

from itertools import product
from typing import Any

import pandas as pd
import streamlit as st

from engine import api
from engine.api import BACKBONES, STRATEGIES, TABLES, Preview, RunSpec
from pages.parts import formatting
from pages.parts.figures.runs.strategies import memories, paces
from pages.parts.session import palette, store, wake_engine
from pages.parts.widgets.cards import page_head

POLL_S = 1.0
MOST_MEASUREMENTS = 16  # measurements at once: about ten seconds each
STILL = {"displayModeBar": False}


def _choices() -> None:
    """What is measured, as widgets; a click on Measure keeps it."""
    first, second = st.columns(2)
    with first:
        st.selectbox("Data set", [one.id for one in store().datasets.list()], key="lab_dataset")
        st.selectbox("Backbone", list(BACKBONES), index=list(BACKBONES).index("resnet18"), key="lab_backbone")
        st.number_input("Image size", 8, 512, 64, step=8, key="lab_size", help="Pixels of each side.")
    with second:
        st.pills(
            "Strategies",
            list(STRATEGIES),
            default=["single", "ddp"],
            selection_mode="multi",
            format_func=lambda name: STRATEGIES[name].label,
            key="lab_strategies",
        )
        st.pills(
            "Processes",
            [2, 3, 4, 8],
            default=[2],
            selection_mode="multi",
            key="lab_processes",
            help="Of DDP and the pipeline.",
        )
        st.pills("Batch size", [8, 16, 32, 64, 128, 256], default=[32], selection_mode="multi", key="lab_batches")
        names = [name for name in TABLES["precisions"] if name != "auto"]
        st.pills("Precision", names, default=["fp32"], selection_mode="multi", key="lab_precisions")


def _chosen() -> dict[str, RunSpec]:
    """Every way that is chosen, by its name.

    Raises:
        Refused: The image size does not fit the backbone.
    """
    state, found = st.session_state, {}
    for strategy, batch, precision in product(state.lab_strategies, state.lab_batches, state.lab_precisions):
        takes = "processes" in STRATEGIES[strategy].takes
        for count in state.lab_processes if takes else [0]:
            name = f"{STRATEGIES[strategy].label}{f' x {count}' if takes else ''} · {batch} · {precision}"
            found[name] = RunSpec.parse(
                {
                    "data": {"dataset": state.lab_dataset, "image_size": state.lab_size},
                    "model": {"backbone": state.lab_backbone},
                    "optimisation": {"batch_size": batch},
                    "compute": {"precision": precision, "processes": count},
                    "strategy": strategy,
                }
            )
    return found


def _measure() -> None:
    try:
        specs = _chosen()
    except api.Refused as refused:
        st.toast(formatting.escaped(str(refused)), icon=":material/error:")
        return
    if len(specs) > MOST_MEASUREMENTS:
        st.toast(f"That makes {len(specs)} measurements; choose {MOST_MEASUREMENTS} or fewer.", icon=":material/error:")
        return
    st.session_state.lab_specs = specs


def _again() -> None:
    for spec in st.session_state.lab_specs.values():
        api.forget_preview(store(), "lab", spec)


def _results(specs: dict[str, RunSpec]) -> None:
    # a page that waits asks for one at a time: two at once would slow each other down
    found: dict[str, Preview] = {}
    for name, spec in specs.items():
        found[name] = api.preview(store(), "lab", spec)
        if found[name].values is None and found[name].problem is None:
            wake_engine()
            with st.container(key="previewing_lab"):
                st.fragment(_waiting, run_every=POLL_S)(name, spec, len(found), len(specs))
            break
    measured = {name: one.values for name, one in found.items() if one.values}
    if measured:
        _drawn(measured)
    for name, one in found.items():
        if one.problem:
            st.warning(f"**{formatting.escaped(name)}**: {formatting.escaped(one.problem)}", icon=":material/block:")
    if len(found) == len(specs) and all(one.values or one.problem for one in found.values()):
        st.button("Measure again", icon=":material/refresh:", key="lab_again", type="tertiary", on_click=_again)


def _waiting(name: str, spec: RunSpec, number: int, count: int) -> None:
    found = api.preview(store(), "lab", spec)
    if found.values is not None or found.problem is not None:
        st.rerun()
    message = f" · {formatting.escaped(found.message)}" if found.message else ""
    st.progress(found.progress, text=f"{number} of {count} · {formatting.escaped(name)}{message}")


def _drawn(measured: dict[str, dict[str, Any]]) -> None:
    names, values = list(measured), list(measured.values())
    left, right = st.columns(2)
    with left, st.container(border=True):
        st.markdown("**Images a second** :gray[whiskers: slowest to fastest]")
        st.plotly_chart(paces(names, values, palette=palette()), key="lab_paces", config=STILL, alt="Images a second")
    with right, st.container(border=True):
        st.markdown("**Memory by device, MB**")
        figure = memories(names, values, palette=palette())
        st.plotly_chart(figure, key="lab_memories", config=STILL, alt="Memory by device")
    rows = {
        "way": names,
        "images/s": [round(one["images_per_s"]) for one in values],
        "slowest": [round(one["slowest"]) for one in values],
        "fastest": [round(one["fastest"]) for one in values],
        "against the first": [f"{one['images_per_s'] / values[0]['images_per_s']:.2f} x" for one in values],
        "memory, MB": [round(sum(one["memory_mb"].values())) for one in values],
    }
    st.dataframe(pd.DataFrame(rows), hide_index=True, key="lab_table")


with page_head("Strategy lab"):
    pass
st.caption(
    "Trains one network for a moment in each way, on this machine: what does DDP bring, which batch, which precision? "
    "A run that trains meanwhile makes all of them slower."
)
with st.container(border=True):
    _choices()
    st.button("Measure", icon=":material/speed:", key="lab_measure", type="primary", on_click=_measure)
if "lab_specs" in st.session_state:
    _results(st.session_state.lab_specs)
