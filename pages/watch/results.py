"""What a run gets right and wrong, down to single images. `?run=ID` opens it anywhere."""

import streamlit as st

from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import put
from pages.parts.live import CHARTS_S, live, pace
from pages.parts.results.classes import classes
from pages.parts.results.confusion import confusion
from pages.parts.results.header import chosen_images, header, headline
from pages.parts.results.image_lists import calibration, mistakes, suspects, truth_and_prediction, uncertain
from pages.parts.results.one_image import View, image_dialog
from pages.parts.results.predictions import IMPOSSIBLE, VALIDATION, kept, predicted, why
from pages.parts.session import RUN_PAGE, selected_run, store
from pages.parts.widgets.cards import empty_state, no_such_run
from storage import Run

TABS = {
    "Confusion": confusion,
    "Classes": classes,
    "Calibration": calibration,
    "Mistakes": mistakes,
    "Uncertain": uncertain,
    "Suspect labels": suspects,
    "Truth and prediction": truth_and_prediction,
}


def page(run: Run) -> None:
    header(run)
    try:
        dataset_id, part = chosen_images(run)
    except IMPOSSIBLE as error:
        empty_state("block", "It cannot look at these images", formatting.escaped(why(error)))
        return
    evaluated_it = dataset_id == run.dataset_id and part in (None, VALIDATION)
    found = kept(run) if evaluated_it else None
    if found is not None:
        shown(run, found)
    elif evaluated_it and "part" not in st.query_params:
        nothing_kept(run)
    elif part is not None and (found := predicted(run, dataset_id, part)):
        shown(run, found)


def shown(run: Run, found: Predictions) -> None:
    if not found.ids:
        empty_state("hide_image", "No images in this part", "Choose another part above.")
        return
    live(lambda: newer(run.id, found.epoch), every_s=pace(run, CHARTS_S))
    headline(found)
    tabs = st.tabs(list(TABS), key="tab", on_change=lambda: put(page=None, image=None), bind="query-params")
    for tab, draw in zip(tabs, TABS.values(), strict=True):
        if tab.open:
            with tab:
                draw(found)
    image_dialog([View(run.name, found)])


def newer(run_id: str, epoch: int) -> None:
    """What was drawn stays under the eyes of who looks at it; a better epoch is offered."""
    best = next((one for one in store().checkpoints.list(run_id) if one.is_best), None)
    if best is not None and best.epoch != epoch:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f":material/update: These are of epoch {epoch}; epoch {best.epoch} is better now.")
            if st.button(f"Show epoch {best.epoch}", type="tertiary", key="results_newer"):
                st.rerun()


def nothing_kept(run: Run) -> None:
    """In place of results: why there are none, and the way to them."""
    has_best = any(one.is_best for one in store().checkpoints.list(run.id))
    if not has_best and not run.state.is_over:
        text = "They come with the first checkpoint, and follow the best epoch from then on."
        empty_state("hourglass_empty", "No results yet", text, lambda: to_run(run))
    elif not has_best:
        text = "The run has kept no checkpoint that could be asked."
        empty_state("grid_off", "No results", text, lambda: to_run(run))
    else:
        text = "This run was trained before its predictions were kept. Its best checkpoint can look at the images now."
        empty_state(
            "grid_on",
            "Its predictions were not kept",
            text,
            lambda: st.button(
                "Make them now",
                type="primary",
                icon=":material/play_arrow:",
                key="results_make",
                on_click=lambda: put(part=VALIDATION),
            ),
        )


def to_run(run: Run) -> None:
    st.page_link(RUN_PAGE, label="To the run", icon=":material/show_chart:", query_params={"run": run.id})


run_id = selected_run()
try:
    found_run = store().runs.get(run_id or "")
except KeyError:
    no_such_run("Results", run_id)
else:
    page(found_run)
