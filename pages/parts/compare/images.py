"""The images on which several runs are compared: those that judged all of them, or any others, looked at on demand."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from engine import api
from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import put
from pages.parts.analysis.results.changes import on_same_images
from pages.parts.results.header import PART_NAMES
from pages.parts.results.one_image import View
from pages.parts.results.predictions import IMPOSSIBLE, VALIDATION, kept, predicted
from pages.parts.session import store
from storage import Run

MOST_NAMED = 5  # runs in a sentence
OWN = ("", "")  # what each run was validated by
Images = tuple[str, str]  # data set, part


def common_images(runs: Sequence[Run], names: Sequence[str], requested: Images) -> list[View]:
    """Each run's predictions on the same images in one order; fewer than two, and why, when there are none."""
    found = [_kept_or_requested(run) if requested == OWN else predicted(run, *requested) for run in runs]
    views = [View(name, one) for name, one in zip(names, found, strict=True) if one is not None]
    if requested == OWN and len(views) < len(runs):
        without = [place for place, one in enumerate(found) if one is None]
        _missing([runs[place] for place in without], [names[place] for place in without])
    if len(views) < 2:
        return []
    views = _of_most_classes(views)
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
        st.caption(f":material/info: {formatting.count(fewer, 'image')} that did not judge all of them are left out.")
    return [View(view.name, one) for view, one in zip(views, same, strict=True)]


def chosen_images(runs: Sequence[Run]) -> Images:
    """As the address names them."""
    offered = [OWN, *_offered(runs)]
    requested = (st.query_params.get("on", ""), st.query_params.get("part", ""))
    st.session_state["compare_images"] = requested if requested in offered else OWN

    def choose() -> None:
        on, part = st.session_state["compare_images"]
        put(on=on or None, part=part or None, **dict.fromkeys(("page", "image")))

    chosen: Images = st.selectbox(
        "Compared on",
        offered,
        format_func=_name_of,
        key="compare_images",
        on_change=choose,
        width=310,
    )
    return chosen


def _name_of(images: Images) -> str:
    dataset_id, part = images
    return "What judged each of them" if images == OWN else f"{dataset_id} · {PART_NAMES.get(part, part)}"


def _offered(runs: Sequence[Run]) -> list[Images]:
    """Data sets with the classes that most of the runs know, and their parts as the first of those runs knows them."""
    datasets = {dataset.id: dataset for dataset in store().datasets.list()}
    known = [(run, datasets[run.dataset_id].classes) for run in runs if run.dataset_id in datasets]
    if not known:
        return []
    most = _most([classes for _, classes in known])
    requested = next(run for run, classes in known if classes == most)
    offered: list[Images] = []
    for dataset_id in [one.id for one in datasets.values() if one.classes == most]:
        try:
            offered += [(dataset_id, part) for part in api.predictable_parts(store(), requested.id, dataset_id)]
        except IMPOSSIBLE:
            continue
    return offered


def those_with_weights(runs: Sequence[Run], names: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The runs that keep a best checkpoint, which alone can be asked about images; it is said which do not, and why."""
    marked = {run_id for run_id, one in store().checkpoints.best_of([run.id for run in runs]).items() if one.is_best}
    without = [
        f"{formatting.escaped(name)} ({_why_without(run)})"
        for run, name in zip(runs, names, strict=True)
        if run.id not in marked
    ]
    if without:
        st.caption(
            f":material/info: Without a checkpoint that could look at images: {formatting.some(without, MOST_NAMED)}."
        )
    able = [(run, name) for run, name in zip(runs, names, strict=True) if run.id in marked]
    return [run for run, _ in able], [name for _, name in able]


def _why_without(run: Run) -> str:
    if run.source is not None:
        return "read in from elsewhere"
    return "kept none" if run.state.is_over else "none yet"


def _of_most_classes(views: Sequence[View]) -> list[View]:
    """Those that know the classes that most of them know; the others are named. All where no two share theirs."""
    most = _most([view.found.classes for view in views])
    left = [view for view in views if view.found.classes == most]
    if len(left) < 2 or len(left) == len(views):
        return list(views)
    others = [formatting.escaped(view.name) for view in views if view.found.classes != most]
    st.caption(f":material/info: Left out, for they know other classes: {formatting.some(others, MOST_NAMED)}.")
    return left


def _most(classes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What occurs most often; of several the first."""
    return Counter(classes).most_common(1)[0][0]


def _kept_or_requested(run: Run) -> Predictions | None:
    """What the run has kept; of an older one what it is to say now, once that is asked for."""
    found = kept(run)
    if found is None and run.id in st.session_state.get("compare_made", ()):
        return predicted(run, run.dataset_id, VALIDATION)
    return found


def _missing(runs: Sequence[Run], names: Sequence[str]) -> None:
    run_ids = {run.id for run in runs} | st.session_state.get("compare_made", set())
    shown = formatting.some([formatting.escaped(name) for name in names], MOST_NAMED)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/info: No predictions are kept of {shown}.")
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
