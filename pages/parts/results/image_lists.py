"""Lists of images: worst mistakes, closest races, doubtful labels, truth beside prediction; and calibration."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from engine import api
from engine.api import Predictions
from pages.parts import formatting
from pages.parts.address import put
from pages.parts.analysis.results import image_selection
from pages.parts.datasets.badges import exclude, include, refusal
from pages.parts.figures.results.reliability import reliability
from pages.parts.results.header import confidence_in_words
from pages.parts.results.predictions import dataset_of
from pages.parts.results.tiles import EXCLUDED, csv_button, result_tiles
from pages.parts.session import palette, store
from pages.parts.widgets.cards import empty_state
from storage import Dataset

STILL = {"displayModeBar": False}
WEAK = 0.8  # accuracy below which most contradictions are the network's own mistakes


def calibration(found: Predictions) -> None:
    """Whether its confidence can be believed."""
    calibration_of = api.calibration(found)
    figure, text = st.columns([3, 2])
    with figure.container(border=True):
        st.markdown("**How often it is right where it is so sure**")
        st.plotly_chart(
            reliability(calibration_of.images, calibration_of.confidence, calibration_of.accuracy, palette=palette()),
            key="results_reliability",
            config=STILL,
            alt="Share of right guesses by confidence",
        )
    with text.container(border=True):
        st.markdown("**Can its confidence be believed?**")
        mean = float(found.shares[:, 0].mean()) if len(found.labels) else 0.0
        grid = st.grid(3, min_column_width=110)
        grid.metric("Sure on average", formatting.percent(mean))
        grid.metric("Right", formatting.percent(found.accuracy))
        grid.metric("Calibration error", formatting.percent(calibration_of.error))
        st.markdown(f"Over all images it is **{confidence_in_words(calibration_of.excess)}**.")
        st.caption(
            "Images are put into ten bins by confidence, the share of the likeliest class. In a calibrated network a "
            "bar reaches the dotted line: of all images it is 80 % sure of, 80 % are right. The expected calibration "
            "error (ECE) is the mean distance from that line, each bin weighted by its images."
        )


def mistakes(found: Predictions) -> None:
    """All that is wrong, worst first."""
    places = image_selection.mistakes(found)
    if not len(places):
        empty_state("verified", "No mistakes", "Every image of this part is recognised.")
        return
    text = f"{formatting.count(len(places), 'mistake')}; where the truth seemed least likely first."
    _list(found, places, "mistakes", text)


def uncertain(found: Predictions) -> None:
    """The closest races between two classes, right or wrong."""
    text = "All images; those first where the two likeliest classes are closest. Labels for such images teach most."
    _list(found, image_selection.uncertain(found), "uncertain", text)


def truth_and_prediction(found: Predictions) -> None:
    """A look at everything, mixed: what each image is and what it was taken for."""
    with st.container(border=True, key="results_truth_card"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Green is right, red is wrong. Mixed by chance, each time alike.", width="content")
            label = st.selectbox(
                "Class",
                range(len(found.classes)),
                index=None,
                format_func=lambda one: found.classes[one],
                key="results_truth_class",
                placeholder="All classes",
                label_visibility="collapsed",
                on_change=lambda: put(page=None),
                width=240,
            )
        places = image_selection.mixed(found, label)
        if len(places):
            result_tiles(found, places, key="truth")
        else:
            st.caption("There are no images of this class in this part.")


def suspects(found: Predictions) -> None:
    """Labels that the network confidently contradicts: to look at, to take out, to take away."""
    places = image_selection.suspects(found)
    if not len(places):
        text = "Nowhere is the network as sure of another class as it usually is of that class's own images."
        empty_state("verified", "No suspect labels", text)
        return
    with st.container(border=True, key="results_suspects_card"):
        st.caption(
            "The network is more than half sure of another class, and as sure as it usually is of that class's own "
            "images. Either it errs confidently, or the label is wrong: look, tick what is, and take it out."
        )
        if found.part == "train":
            st.caption(":material/info: It has learned these labels: what it contradicts all the same is doubtful.")
        if dataset_of(found.dataset) is None:  # its images are gone: there is nothing to take them out of
            csv_button(found, places, "suspects", key="suspects")
            result_tiles(found, places, key="suspects")
            return
        _cautions(found)
        ticked = _ticks(found)
        _suspect_tools(found, places, ticked)
        result_tiles(found, places, key="suspects", ticked=ticked, on_tick=_tick)


def _list(found: Predictions, places: np.ndarray, key: str, text: str) -> None:
    with st.container(border=True, key=f"results_{key}_card"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(text, width="content")
            csv_button(found, places, key, key=key)
        result_tiles(found, places, key=key)


def _ticks(found: Predictions) -> set[str]:
    """Ids of ticked images; ticks belong to the images they were made on."""
    held = st.session_state.get("results_ticked")
    of = (found.run, found.dataset, found.part)
    if held is None or held[0] != of:
        held = st.session_state["results_ticked"] = (of, set())
    return held[1]


def _tick(image_id: str, is_on: bool) -> None:
    ticked = st.session_state["results_ticked"][1]
    (ticked.add if is_on else ticked.discard)(image_id)


def _cautions(found: Predictions) -> None:
    """What speaks against taking out all that is listed."""
    if found.accuracy < WEAK:
        st.warning(
            f"This network is right on only {formatting.percent(found.accuracy)} of these images: most of what it "
            "contradicts is likely its own mistake, not a wrong label. Look at each one before you take it out.",
            icon=":material/warning:",
        )
    if found.part != "train":
        st.caption(
            ":material/balance: Runs are judged by images like these. Taking some out changes what later runs are "
            "judged by: their values cannot be compared with those of runs before, and may rise without any of them "
            "being better."
        )


def _suspect_tools(found: Predictions, places: np.ndarray, ticked: set[str]) -> None:
    ids = [found.ids[place] for place in places]
    dataset = dataset_of(found.dataset)
    out = {*dataset.excluded} if dataset else set()
    still_in, to_exclude, to_include = [one for one in ids if one not in out], ticked - out, ticked & out
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Exclude {formatting.count(len(to_exclude), 'image')}" if to_exclude else "Exclude",
            type="primary",
            icon=":material/visibility_off:",
            key="results_exclude",
            disabled=not to_exclude or dataset is None,
            help=EXCLUDED,
            on_click=_settle,
            args=(exclude, dataset, ticked, to_exclude),
        )
        if to_include:
            st.button(
                f"Take {len(to_include):,} back in",
                icon=":material/undo:",
                key="results_include",
                help=EXCLUDED,
                on_click=_settle,
                args=(include, dataset, ticked, to_include),
            )
        if not ticked.issuperset(still_in):
            st.button(f"Tick all {len(still_in):,}", key="results_tick_all", on_click=ticked.update, args=(still_in,))
        if ticked:
            st.button("Untick", type="tertiary", key="results_untick", on_click=ticked.clear)
        chosen = np.array([place for place in places if found.ids[place] in ticked], dtype=np.int64)
        label, listed = ("Ticked as CSV", chosen) if len(chosen) else ("All as CSV", places)
        csv_button(found, listed, "suspects", key="suspects", label=label)
        excluded = len(ids) - len(still_in)
        text = formatting.count(len(ids), "suspect label")
        st.caption(f"{text}, {excluded:,} of them excluded" if excluded else text)
    refusal("suspects")


def _settle(
    change: Callable[[Dataset, Sequence[str], str], None], dataset: Dataset, ticked: set[str], ids: set[str]
) -> None:
    """Take images out or back in; they stay ticked where that is refused."""
    change(dataset, sorted(ids), "suspects")
    out = {*store().datasets.get(dataset.id).excluded}
    if ids <= out if change is exclude else ids.isdisjoint(out):
        ticked -= ids
