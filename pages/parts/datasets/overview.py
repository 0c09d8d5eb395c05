"""What there is to see: how many images each class has, samples of them, sizes, colours, the user's own words."""

import streamlit as st

from engine import api
from engine.api import Scan
from pages.parts.datasets.badges import refusal, refuse
from pages.parts.datasets.classes import class_samples
from pages.parts.figures.datasets.channel_values import channel_names, channel_values
from pages.parts.figures.datasets.class_counts import class_counts
from pages.parts.figures.datasets.image_sizes import image_sizes
from pages.parts.formatting import count, escaped, percent
from pages.parts.session import palette, store
from storage import Dataset

TALLEST = 620  # pixels; a longer figure scrolls in its card
STILL = {"displayModeBar": False}
MOST_LETTERS = 20_000


def overview(dataset: Dataset) -> None:
    """Everything there is to see of a data set without judging it."""
    figure, samples = st.columns([2, 3])
    with figure:
        with st.container(border=True, key="datasets_counts_card"):
            st.markdown("**Images a class**")
            _counts(dataset)
        _notes(dataset)
        _remarks(dataset)
    with samples:
        class_samples(dataset)
    scan = api.dataset_scan(store(), dataset.id)
    if scan is None:
        st.caption(":material/troubleshoot: Sizes, channels, mean and spread are measured by a scan: see **Scan**.")
        return
    if len(scan.sizes) == 1:
        with st.container(border=True):
            _colours(dataset, scan)
        return
    sizes, colours = st.columns(2)
    with sizes.container(border=True, height="stretch"):
        _sizes(dataset, scan)
    with colours.container(border=True, height="stretch"):
        _colours(dataset, scan)


def _counts(dataset: Dataset) -> None:
    totals = {name: sum(of.get(name, 0) for of in dataset.counts.values()) for name in dataset.classes}
    if not totals:
        st.caption("It has no classes.")
        return
    most, least = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    if totals[most] == totals[least]:
        st.caption(f"Balanced: {count(totals[most], 'image')} in each.")
    else:
        st.caption(f"From {totals[least]:,} ({escaped(least)}) to {totals[most]:,} ({escaped(most)}).")
    figure = class_counts(dataset.classes, dataset.counts, palette=palette())
    with st.container(height=TALLEST if figure.layout.height > TALLEST else "content", border=False):
        st.plotly_chart(figure, key="datasets_counts", config=STILL, alt=f"Images a class of {dataset.name}")


def _sizes(dataset: Dataset, scan: Scan) -> None:
    st.markdown("**Image sizes**")
    largest, smallest = max(scan.sizes, key=_area), min(scan.sizes, key=_area)
    st.caption(
        f"{len(scan.sizes):,} sizes, from {smallest[0]} × {smallest[1]} to {largest[0]:,} × {largest[1]:,} px; "
        f"the median is {dataset.width} × {dataset.height}."
    )
    st.plotly_chart(
        image_sizes(scan.sizes, palette=palette()),
        key="datasets_sizes",
        config=STILL,
        alt=f"Image sizes of {dataset.name}",
    )


def _colours(dataset: Dataset, scan: Scan) -> None:
    st.markdown("**Channels, mean and spread**")
    images = sum(scan.channels.values())
    modes = sorted(scan.channels.items(), key=lambda one: -one[1])
    facts = [f"{escaped(mode)} {percent(number / max(1, images))}" for mode, number in modes]
    if len(scan.sizes) == 1:
        facts.insert(0, "All images are {} × {} px".format(*scan.sizes[0]))
    st.caption(" · ".join(facts))
    if not scan.mean:
        return
    st.plotly_chart(
        channel_values(scan.mean, scan.std, palette=palette()),
        key="datasets_channels",
        config=STILL,
        alt=f"Mean and standard deviation of each channel of {dataset.name}, 0 black to 1 white",
    )
    rows = zip(channel_names(len(scan.mean)), scan.mean, scan.std, strict=True)
    st.caption(" · ".join(f"{name} {mean:.3f} ± {std:.3f}" for name, mean, std in rows))


def _area(size: list[int]) -> int:
    return size[0] * size[1]


def _notes(dataset: Dataset) -> None:
    with st.container(border=True, key="datasets_notes"):
        editing = st.session_state.get("datasets_editing") == dataset.id
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Notes**")
            if not editing:
                st.button(
                    "Edit" if dataset.about else "Write one",
                    icon=":material/edit:",
                    type="tertiary",
                    key="datasets_edit",
                    on_click=_edit,
                    args=(dataset.id,),
                )
        if editing:
            _editor(dataset)
        elif dataset.about:
            st.markdown(dataset.about)
        else:
            st.caption("Where it comes from, who labelled it, what to be careful about.")


def _remarks(dataset: Dataset) -> None:
    """What the import had to say."""
    if dataset.notes:
        with st.container(border=True, gap="xsmall"):
            st.markdown("**From the import**")
            for note in dataset.notes:
                st.caption(f":material/info: {escaped(note)}")


def _editor(dataset: Dataset) -> None:
    st.text_area(
        "Notes in Markdown",
        dataset.about,
        key="datasets_about",
        height=200,
        max_chars=MOST_LETTERS,
        label_visibility="collapsed",
        placeholder="Where it comes from, who labelled it, what to be careful about. Markdown is understood.",
    )
    refusal("about")
    with st.container(horizontal=True):
        st.button("Save", type="primary", key="datasets_about_save", on_click=_save, args=(dataset.id,))
        st.button("Cancel", key="datasets_about_cancel", on_click=_edit, args=(None,))


def _edit(dataset_id: str | None) -> None:
    st.session_state["datasets_editing"] = dataset_id


def _save(dataset_id: str) -> None:
    try:
        api.set_about(store(), dataset_id, st.session_state["datasets_about"].strip())
    except (api.Refused, api.NotFound) as error:
        refuse({"about": [str(error)]})
        return
    refuse({})
    _edit(None)
    st.toast("Your notes are kept.", icon=":material/check:")
