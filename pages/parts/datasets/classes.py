"""Samples of each class, and every image of one class to look through."""

from pathlib import Path

import streamlit as st
from PIL import Image

from engine import api
from pages.parts.datasets.badges import exclude, include, refusal
from pages.parts.formatting import count, escaped, shortened
from pages.parts.session import palette, store
from pages.parts.widgets.paging import page_buttons, shown_page
from pages.parts.widgets.thumbnails import contact_sheet, enlarged, fitted
from storage import Dataset

A_PAGE = 10  # classes
ROW = 9  # samples of a class
A_SCREEN = 18  # images of one class
TILE = 320  # pixels, for sharp screens
LARGEST = 1280  # pixels, of one image alone


def class_samples(dataset: Dataset) -> None:
    """A row of images a class, a page of classes at a time."""
    with st.container(border=True, key="datasets_samples"):
        st.markdown("**Samples**")
        found = {name: paths for name, paths in api.dataset_samples(store(), dataset.id).items() if paths}
        if not found:
            st.caption("There are no samples to show yet.")
            return
        names = list(found)
        if len(names) > A_PAGE:
            query = st.text_input(
                "Find a class",
                type="search",
                key="datasets_class_search",
                placeholder=f"Find one of {len(names)} classes",
                label_visibility="collapsed",
                live=True,
            )
            names = [name for name in names if (query or "").lower() in name.lower()]
        for name in shown_page(names, A_PAGE, "datasets_class_page"):
            _row(dataset, name, found[name])
        if not names:
            st.caption("No class is called so.")
        page_buttons(names, A_PAGE, "datasets_class_page")


def _row(dataset: Dataset, name: str, paths: list[Path]) -> None:
    images = sum(of.get(name, 0) for of in dataset.counts.values())
    with st.container(gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(f"{escaped(shortened(name, 60))} · {images:,}")
            if st.button(
                "See all",
                icon=":material/grid_view:",
                type="tertiary",
                key=f"datasets_browse_{name}",
                help=f"Every image of {escaped(name)}, larger",
            ):
                st.session_state["datasets_larger"] = None
                st.dialog(f"{escaped(name)}", width="large", on_dismiss="rerun")(_browse)(dataset.id, name)
        st.image(contact_sheet(paths[:ROW], columns=ROW), alt=f"Images of class {name}", width="stretch")


def _browse(dataset_id: str, name: str) -> None:
    """Pages of the class's own images; each can be taken out or back in, and seen alone."""
    dataset = store().datasets.get(dataset_id)
    excluded = set(dataset.excluded)
    if chosen := st.session_state.get("datasets_larger"):
        _alone(dataset, chosen, is_out=chosen in excluded)
        return
    try:
        ids = api.dataset_images(store(), dataset_id, name)
    except api.Unavailable as error:
        st.caption(escaped(str(error)))
        return
    out = sum(image_id in excluded for image_id in ids)
    st.caption(count(len(ids), "image") + (f", {out:,} of them excluded" if out else ""))
    refusal("browse")
    grid = st.grid(6, min_column_width=104)
    for image_id in shown_page(ids, A_SCREEN, f"datasets_browse_{name}"):
        with grid.cell():
            _image(dataset, image_id, is_out=image_id in excluded)
    page_buttons(ids, A_SCREEN, f"datasets_browse_{name}")


def _image(dataset: Dataset, image_id: str, *, is_out: bool) -> None:
    with st.container(gap="xxsmall", horizontal_alignment="center"):
        try:
            picture = _square(dataset.id, dataset.fingerprint, image_id, is_out, palette().background)
            st.image(picture, alt=image_id, width="stretch", output_format="JPEG")
        except api.Unavailable as gone:
            st.markdown(":material/broken_image:", help=escaped(str(gone)))
        with st.container(horizontal=True, gap="xsmall", horizontal_alignment="center"):
            st.button(
                "Larger",
                type="tertiary",
                key=f"datasets_larger_{image_id}",
                help=escaped(image_id),
                on_click=_enlarge,
                args=(image_id,),
            )
            _exclusion(dataset, image_id, is_out=is_out)


def _alone(dataset: Dataset, image_id: str, *, is_out: bool) -> None:
    """One image as large as there is room, and what is known of it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.button(
            "All of them", icon=":material/arrow_back:", type="tertiary", key="datasets_smaller", on_click=_enlarge
        )
        _exclusion(dataset, image_id, is_out=is_out)
    refusal("browse")
    try:
        image = api.dataset_image(store(), dataset.id, image_id)
    except api.Unavailable as gone:
        st.error(escaped(str(gone)), icon=":material/broken_image:")
        return
    facts = f"{escaped(image_id)} · {image.width:,} × {image.height:,} px, {escaped(image.mode)}"
    with st.container(horizontal_alignment="center"):
        st.image(enlarged(image, LARGEST // 2, LARGEST), alt=image_id, output_format="JPEG")
        st.caption(f"{facts} · excluded" if is_out else facts, text_alignment="center")


def _exclusion(dataset: Dataset, image_id: str, *, is_out: bool) -> None:
    st.button(
        "Take back" if is_out else "Exclude",
        type="tertiary",
        key=f"datasets_browse_{image_id}",
        help=escaped(image_id),
        on_click=include if is_out else exclude,
        args=(dataset, [image_id], "browse"),
    )


def _enlarge(image_id: str | None = None) -> None:
    st.session_state["datasets_larger"] = image_id


@st.cache_data(max_entries=300, show_spinner=False)
def _square(dataset_id: str, fingerprint: str, image_id: str, is_faint: bool, ground: str) -> Image.Image:
    """The image on a square; the fingerprint keeps one of a data set that is gone from being shown."""
    image = fitted(api.dataset_image(store(), dataset_id, image_id), TILE, is_faint=is_faint)
    return Image.alpha_composite(Image.new("RGBA", image.size, ground), image).convert("RGB")
