"""Predictions for a page: read where they are kept, made by the engine where they are not.

What was read is shared by all who look and changed by nobody. It is told by the hash of the weights and by the images:
a better epoch, or an image taken out, brings predictions of its own.
"""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from engine import api
from engine.api import Predictions, Preview
from pages.parts import formatting
from pages.parts.session import store, wake_engine
from storage import Checkpoint, Dataset, Run

POLL_S = 0.5
MOST_HELD = 32  # about 10 MB each for 50,000 images
IMPOSSIBLE = (api.Refused, api.NotFound, api.Unavailable)
GONE = ""  # the id of no data set
VALIDATION = "validation"  # the part whose predictions a run keeps


def kept(run: Run) -> Predictions | None:
    """What the run's best checkpoint said of its validation images; None while nothing is kept.

    Of no data set where others stand under its name by now: their pictures would be taken for those it saw.
    """
    best = _best(run)
    try:
        found = _read(run.id, best.sha256) if best else None
    except LookupError:
        return None
    return replace(found, dataset=GONE) if found and not api.has_its_images(store(), run) else found


def predicted(run: Run, dataset_id: str, part: str) -> Predictions | None:
    """What the run's best checkpoint says of any labelled images; None: progress or a problem is drawn instead."""

    def again() -> None:
        api.predictions_on(store(), run.id, dataset_id, part, anew=True)

    try:
        found = _found(run, dataset_id, part)
    except IMPOSSIBLE as error:
        st.warning(formatting.escaped(why(error)), icon=":material/visibility_off:")
        return None
    if isinstance(found, Predictions):
        return found
    if found.problem is not None:
        problem(found.problem, again, key=run.id)
        return None

    def progress() -> Preview | None:
        now = api.predictions_on(store(), run.id, dataset_id, part)
        return None if isinstance(now, Predictions) or now.problem is not None else now

    name = formatting.escaped(formatting.shortened(run.name, 40))
    wait_for(progress, making=f"{name} looks at the images", place=f"predictions_{run.id}")
    return None


def why(error: Exception) -> str:
    """What cannot be looked at, in a sentence."""
    if isinstance(error, api.Refused):
        return " ".join(f"{one.value} {one.message}." for one in error.problems)
    return str(error)


def wait_for(
    progress: Callable[[], Preview | None], *, making: str, place: str, then: Callable[[], object] = st.rerun
) -> None:
    """Draw how far the engine is, without a click.

    Args:
        progress: How far it is; None: it is there.
        making: What is being made, in words.
        place: Part of a widget key.
        then: Called once it is there; else the whole page is drawn again.
    """
    wake_engine()

    def body() -> None:
        found = progress()
        if found is None:
            then()
            return
        st.progress(found.progress, text=f"{making} · {formatting.escaped(found.message)}" if found.message else making)

    with st.container(key=f"previewing_{place}"):
        st.fragment(body, run_every=POLL_S)()


def problem(text: str, again: Callable[[], None], *, key: str) -> None:
    """Why it could not be made, and the way to try once more."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(formatting.escaped(text), icon=":material/visibility_off:")
        st.button("Try again", type="tertiary", key=f"results_again_{key}", on_click=again)


def _found(run: Run, dataset_id: str, part: str) -> Predictions | Preview:
    best, dataset = _best(run), dataset_of(dataset_id)
    if best is None or dataset is None:
        return api.predictions_on(store(), run.id, dataset_id, part)  # which says what is missing
    try:
        return _made(run.id, best.sha256, dataset_id, part, (dataset.fingerprint, *dataset.excluded))
    except _NotYetError as not_yet:
        return not_yet.preview


def dataset_of(dataset_id: str) -> Dataset | None:
    """The data set; None: it is gone, and only what was said of its images is left."""
    try:
        return store().datasets.get(dataset_id)
    except KeyError:
        return None


def _best(run: Run) -> Checkpoint | None:
    return next((one for one in store().checkpoints.list(run.id) if one.is_best), None)


class _NotYetError(Exception):
    """Raised so that nothing is remembered but predictions."""

    def __init__(self, preview: Preview) -> None:
        super().__init__()
        self.preview = preview


@st.cache_resource(max_entries=MOST_HELD, show_spinner=False)
def _read(run_id: str, sha256: str) -> Predictions:
    found = api.run_predictions(store(), run_id)
    if found is None:
        raise LookupError(run_id)
    return found


@st.cache_resource(max_entries=MOST_HELD, show_spinner=False)
def _made(run_id: str, sha256: str, dataset_id: str, part: str, images: tuple[str, ...]) -> Predictions:
    found = api.predictions_on(store(), run_id, dataset_id, part)
    if isinstance(found, Preview):
        raise _NotYetError(found)
    return found
