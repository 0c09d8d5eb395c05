"""Splits: what a run with these settings learns from and is judged by, counted by the engine itself."""

from itertools import chain
from typing import Any, TypedDict

import streamlit as st

from engine import api
from pages.parts.datasets.badges import by_field
from pages.parts.figures.datasets.class_counts import class_counts
from pages.parts.formatting import count, escaped, percent
from pages.parts.session import NEW_RUN_PAGE, palette, store
from pages.parts.widgets.cards import empty_state
from storage import Dataset

FIELDS = ("validation_fraction", "test_fraction", "split_seed", "group_by")
TALLEST = 620  # pixels
WORDS = {
    "train": ("Learns from", ":material/school:"),
    "validation": ("Is judged by", ":material/fact_check:"),
    "test": ("Kept for the end", ":material/lock:"),
}


class _Shared(TypedDict):
    """What all widgets of settings are given."""

    key: str
    help: str
    disabled: bool


def splits(dataset: Dataset) -> None:
    """The settings of a split beside what comes of them, class by class."""
    settings = {one.path: one for one in api.settings()}
    fields, outcome = st.columns([2, 3])
    with fields.container(border=True):
        st.markdown("**How a run splits it**")
        st.caption(_own(dataset))
        values = {name: _field(dataset, settings[f"data.{name}"], name) for name in FIELDS}
        try:
            parts = api.dataset_split(store(), dataset.id, **values)
        except api.Refused as refused:
            parts = {}
            for text in chain(*by_field(refused).values()):
                st.markdown(f":red[:material/error: {escaped(text)}]")
        except api.Unavailable as error:
            parts = {}
            st.markdown(f":orange[:material/troubleshoot: {escaped(str(error))}]")
        changed = {f"data.{name}": values[name] for name in FIELDS if values[name] != settings[f"data.{name}"].default}
        if parts and st.button("Train with this split", icon=":material/play_arrow:", key="datasets_split_train"):
            query = {"dataset": dataset.id} | {path: str(value) for path, value in changed.items()}
            st.switch_page(NEW_RUN_PAGE, query_params=query)
    with outcome:
        if not parts:
            empty_state("call_split", "No split with these settings", "What stands beside says why.")
            return
        _numbers(parts)
        _figure(dataset, parts)


def _own(dataset: Dataset) -> str:
    own = set(dataset.counts)
    if "validation" in own:
        return "It came with a validation part of its own: runs are judged by that, and nothing is held back."
    if "test" in own and "train" in own:
        return "It came with a test part and no validation part. What is held back below comes from the training part."
    return "It came unsplit. Of each class a share is held back; the same seed holds back the same images."


def _field(dataset: Dataset, setting: api.Setting, name: str) -> Any:
    """The widget of a setting, with the words and bounds of its own."""
    part = name.removesuffix("_fraction")
    words: _Shared = {"key": f"datasets_{name}", "help": setting.tooltip, "disabled": part in dataset.counts}
    if setting.type is float:
        return st.slider(
            setting.label,
            float(setting.low or 0),
            float(setting.high or 1),
            setting.default,
            0.01,
            format="percent",
            **words,
        )
    if setting.type is int:
        low, high = int(setting.low or 0), int(setting.high or 2**31) - setting.high_open
        return st.number_input(setting.label, low, high, setting.default, **words)
    return st.text_input(setting.label, setting.default, placeholder=r"patient(\d+)", **words)


def _numbers(parts: dict[str, dict[str, int]]) -> None:
    totals = {part: sum(parts.get(part, {}).values()) for part in WORDS}
    everything = max(1, sum(totals.values()))
    grid = st.grid(3, min_column_width=150)
    for part, (label, icon) in WORDS.items():
        with grid.cell():
            st.metric(
                f"{icon} {label}",
                f"{totals[part]:,}",
                percent(totals[part] / everything),
                delta_color="off",
                delta_arrow="off",
                border=True,
            )


def _figure(dataset: Dataset, parts: dict[str, dict[str, int]]) -> None:
    with st.container(border=True):
        st.markdown("**Images a class, by part**")
        if bare := [name for name in dataset.classes if not parts.get("validation", {}).get(name)]:
            shown = ", ".join(escaped(name) for name in bare[:5]) + (" …" if len(bare) > 5 else "")
            st.caption(
                f":orange[:material/warning:] {count(len(bare), 'class', 'classes')} judged by no image: {shown}"
            )
        figure = class_counts(
            dataset.classes,
            {part: parts[part] for part in WORDS if sum(parts.get(part, {}).values())},
            palette=palette(),
        )
        with st.container(height=TALLEST if figure.layout.height > TALLEST else "content", border=False):
            st.plotly_chart(
                figure,
                key="datasets_split_figure",
                config={"displayModeBar": False},
                alt=f"Images of each class that a run learns from and is judged by, {dataset.name}",
            )
