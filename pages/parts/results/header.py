"""The head of the Results page: whose results, on which images, and the numbers that come first."""

import numpy as np
import streamlit as st

from engine import api
from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import put
from pages.parts.results.predictions import VALIDATION, dataset_of
from pages.parts.session import RUN_PAGE, store
from pages.parts.widgets.basket import basket_toggle
from pages.parts.widgets.cards import fact_badges, state_badge
from storage import Run

PART_NAMES = {"validation": "Validation", "test": "Test", "train": "Training", "all": "All images"}
SLIGHT = 0.01  # how far confidence and accuracy may be apart and still count as agreeing


def header(run: Run) -> None:
    """Name, state and facts; on the right the ways to the run and to Compare."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap="small", width="content"):
            st.title(f"Results of {formatting.escaped(run.name)}", anchor=False)
            with st.container(horizontal=True, gap="small", key="results_facts"):
                state_badge(run)
                fact_badges(run)
        with st.container(horizontal=True, width="content", gap="small", vertical_alignment="bottom"):
            if st.button("Run", icon=":material/show_chart:", key="results_run", help="Its curves and checkpoints"):
                st.switch_page(RUN_PAGE, query_params={"run": run.id})
            basket_toggle(run)


def chosen_images(run: Run) -> tuple[str, str | None]:
    """Data set and part as the address names them, else those that judged the run; no part: those are gone.

    Raises:
        engine.Refused: The run has not learned the classes of that data set.
        engine.NotFound: It keeps nothing that could look at images.
    """
    datasets = {dataset.id: dataset for dataset in store().datasets.list()}
    offered = [run.dataset_id, *(one for one in datasets if one != run.dataset_id)]
    is_there = api.has_its_images(store(), run)
    requested = st.query_params.get("on")
    chosen = requested if requested in offered else run.dataset_id

    def named(dataset_id: str) -> str:
        name = datasets[dataset_id].name if dataset_id in datasets else dataset_id
        if dataset_id != run.dataset_id:
            return name
        return f"{name} (its own)" if is_there else f"{name}, as it was: gone since"

    with st.container(horizontal=True, vertical_alignment="bottom", key="results_choice"):
        st.session_state["results_on"] = chosen
        st.selectbox(
            "Images of",
            offered,
            format_func=named,
            key="results_on",
            on_change=_choose_dataset,
            args=(run.dataset_id,),
            width=340,
        )
        return chosen, _chosen_part(run, chosen) if is_there or chosen != run.dataset_id else None


def _chosen_part(run: Run, dataset_id: str) -> str | None:
    parts = api.predictable_parts(store(), run.id, dataset_id)
    requested = st.query_params.get("part")
    first = VALIDATION if VALIDATION in parts else next(iter(parts), None)
    part = requested if requested in parts else first
    st.session_state["results_part"] = part
    st.segmented_control(
        "Part",
        parts,
        format_func=lambda one: PART_NAMES.get(one, one),
        key="results_part",
        required=True,
        on_change=_choose_part,
    )
    return part


def _choose_dataset(own: str) -> None:
    on = st.session_state["results_on"]
    put(on=None if on == own else on, **dict.fromkeys(("part", "true", "guess", "class", "page", "image")))


def _choose_part() -> None:
    put(part=st.session_state["results_part"], **dict.fromkeys(("page", "image")))


def headline(found: Predictions) -> None:
    """Accuracy, top-k, macro F1 and calibration, each with what it means."""
    matrix = found.confusion
    scores, calibration = api.scores(matrix), api.calibration(found)
    images, hits = int(matrix.sum()), int(matrix.trace())
    cards: list[tuple[str, str, str | None]] = [
        ("Accuracy", formatting.percent(found.accuracy), f"{hits:,} of {formatting.count(images, 'image')}")
    ]
    if k := found.top_k:
        hits_of_k = f"the truth is among its {'two' if k == 2 else 'five'} likeliest"
        cards.append((f"Top-{k} accuracy", formatting.percent(found.top(k)), hits_of_k))
    cards.append(("Macro F1", formatting.percent(scores.macro_f1), _weakest_class(found, scores.weakest, scores.f1)))
    cards.append(("Calibration error", formatting.percent(calibration.error), confidence_in_words(calibration.excess)))
    grid = st.grid(len(cards), min_column_width=200)
    for label, value, note in cards:
        grid.metric(label, value, delta=note, delta_color="off", delta_arrow="off", border=True, height="stretch")
    dataset = dataset_of(found.dataset)
    if dataset and (out := len({*dataset.excluded} & {*found.ids})):
        images_that_have = "image that has" if out == 1 else "images that have"
        st.caption(f":material/visibility_off: Still counts {out:,} {images_that_have} been excluded since.")


def _weakest_class(found: Predictions, weakest: int | None, f1: np.ndarray) -> str | None:
    if weakest is None:
        return None
    if f1[weakest] == 1:
        return "every class is recognised"
    return f"{formatting.percent(f1[weakest])} at the weakest, {formatting.escaped(found.classes[weakest])}"


def confidence_in_words(excess: float) -> str:
    """How confidence and accuracy differ over all images."""
    if abs(excess) < SLIGHT:
        return "about as sure as it is right"
    points = f"{abs(100 * excess):.1f} points"
    return f"{points} surer than right" if excess > 0 else f"{points} less sure than right"
