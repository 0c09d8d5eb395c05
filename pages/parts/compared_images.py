"""The images on which several runs are compared: those that judged all of them, or any others, looked at on demand."""

from collections.abc import Sequence

import streamlit as st

import engine
from engine import Predictions
from pages.parts import words
from pages.parts.address import put
from pages.parts.changes import on_same_images
from pages.parts.one_image import View
from pages.parts.predicted import IMPOSSIBLE, JUDGED, kept, predicted
from pages.parts.results_head import PARTS
from pages.parts.session import store
from storage import Run

OWN = ("", "")  # what each run was validated by
Images = tuple[str, str]  # data set, part


def common_images(runs: Sequence[Run], names: Sequence[str], asked: Images) -> list[View]:
    """Each run's predictions on the same images in one order; fewer than two, and why, when there are none."""
    found = [_kept_or_asked(run) if asked == OWN else predicted(run, *asked) for run in runs]
    views = [View(name, one) for name, one in zip(names, found, strict=True) if one is not None]
    if asked == OWN and len(views) < len(runs):
        without = [place for place, one in enumerate(found) if one is None]
        _missing([runs[place] for place in without], [names[place] for place in without])
    if len(views) < 2:
        return []
    if problem := _apart([view.found for view in views]):
        st.info(problem, icon=":material/compare_arrows:")
        return []
    same = on_same_images([view.found for view in views])
    if not same[0].ids:
        st.info(
            "No image judged all of these runs: they were split differently. Choose images above that all of them "
            "look at.",
            icon=":material/compare_arrows:",
        )
        return []
    if fewer := max(len(view.found.ids) for view in views) - len(same[0].ids):
        st.caption(f":material/info: {words.count(fewer, 'image')} that did not judge all of them are left out.")
    return [View(view.name, one) for view, one in zip(views, same, strict=True)]


def chosen_images(runs: Sequence[Run]) -> Images:
    """As the address names them."""
    offered = [OWN, *_offered(runs)]
    asked = (st.query_params.get("on", ""), st.query_params.get("part", ""))
    st.session_state["compare_images"] = asked if asked in offered else OWN

    def choose() -> None:
        on, part = st.session_state["compare_images"]
        put(on=on or None, part=part or None, **dict.fromkeys(("page", "image")))

    chosen: Images = st.selectbox(
        "Compared on",
        offered,
        format_func=lambda one: f"{one[0]} · {PARTS.get(one[1], one[1])}" if one != OWN else "What judged each of them",
        key="compare_images",
        on_change=choose,
        width=310,
    )
    return chosen


def _offered(runs: Sequence[Run]) -> list[Images]:
    """Data sets with the classes of the first run, and their parts as that run knows them."""
    datasets = {dataset.id: dataset for dataset in store().datasets.list()}
    own = datasets.get(runs[0].dataset_id)
    alike = [one.id for one in datasets.values() if own is not None and one.classes == own.classes]
    offered: list[Images] = []
    for dataset_id in alike:
        try:
            offered += [(dataset_id, part) for part in engine.predictable_parts(store(), runs[0].id, dataset_id)]
        except IMPOSSIBLE:
            continue
    return offered


def _kept_or_asked(run: Run) -> Predictions | None:
    """What the run has kept; of an older one what it is to say now, once that is asked for."""
    found = kept(run)
    if found is None and run.id in st.session_state.get("compare_made", ()):
        return predicted(run, run.dataset_id, JUDGED)
    return found


def _missing(runs: Sequence[Run], names: Sequence[str]) -> None:
    run_ids = {run.id for run in runs} | st.session_state.get("compare_made", set())
    shown = ", ".join(words.escaped(name) for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/info: No predictions are kept of {shown}{more}.")
        st.button(
            "Make them now",
            icon=":material/play_arrow:",
            type="tertiary",
            key="compare_make",
            on_click=lambda: st.session_state.update(compare_made=run_ids),
        )


def _apart(found: Sequence[Predictions]) -> str | None:
    """Why these cannot be compared image by image."""
    if len({one.classes for one in found}) > 1:
        return "These runs know different classes: image by image there is nothing to compare."
    if len({one.dataset for one in found}) > 1:
        return "These runs were judged by different data sets. Choose one above that all of them look at."
    return None
