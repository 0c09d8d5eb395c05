"""Runs: what was trained on a data set, and whether on the images it has now."""

import streamlit as st

from pages.parts.formatting import count
from pages.parts.runs.table import ALL_COLUMNS, run_list
from pages.parts.session import store
from pages.parts.widgets.cards import empty_state
from storage import Dataset

MOST_RUNS = 1000
COLUMNS = tuple(name for name in ALL_COLUMNS if name != "dataset")


def runs(dataset: Dataset) -> None:
    """Its runs, newest first; those that learnt from other images than it has now are counted."""
    found = store().runs.list(dataset_id=dataset.id, limit=MOST_RUNS)
    if not found:
        empty_state("show_chart", "No run has learnt from it yet", "Train on it, and its runs are listed here.")
        return
    others = [run for run in found if run.dataset_fingerprint not in (None, dataset.fingerprint)]
    if others:
        st.caption(
            f":material/fingerprint: {count(len(others), 'run')} of these learnt from other images than it has now: "
            "some were excluded or taken back in since. A run keeps those it began with, also when it is resumed."
        )
    run_list(found, key="datasets_runs", columns=COLUMNS)
