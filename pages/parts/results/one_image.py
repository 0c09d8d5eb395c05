"""One image large, with what a network makes of it and where it looks (Grad-CAM). `?image=ID` opens it."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from engine import api
from engine.api import Predictions, Preview
from pages.parts import formatting
from pages.parts.address import put
from pages.parts.datasets.badges import exclude, include, refusal
from pages.parts.results.predictions import IMPOSSIBLE, dataset_of, problem, wait_for, why
from pages.parts.results.tiles import EXCLUDED, open_image
from pages.parts.session import store
from pages.parts.widgets.thumbnails import enlarged

LARGE = 448  # pixels
MOST_SALIENCY_AT_ONCE = 6  # runs that are all asked where they look without a word: each takes a moment


@dataclass(frozen=True, slots=True)
class View:
    """A run's predictions, and what to call it beside others."""

    name: str
    found: Predictions


def image_dialog(views: Sequence[View]) -> None:
    """Open the image that the address names, if these predictions know it."""
    image_id = st.query_params.get("image")
    if image_id is None or image_id not in views[0].found.ids:
        return
    # One title for all: with another one the next image would close the dialog and open a new one.
    st.dialog("Image", width="large", icon=":material/image:", on_dismiss=_close)(_one_image)(views)


def _close() -> None:
    put(image=None)


def _one_image(views: Sequence[View]) -> None:
    """As the address names it just now: the buttons below change it without closing the dialog."""
    image_id = st.query_params.get("image")
    if image_id not in views[0].found.ids:
        return
    _steps(image_id)
    if len(views) == 1:
        _alone(views[0].found, image_id)
    else:
        _through_all(views, image_id)


def _steps(image_id: str) -> None:
    """To the images before and behind it in the list it was opened from."""
    order = st.session_state.get("results_order", [])
    with st.container(horizontal=True, vertical_alignment="center"):
        caption = formatting.escaped(image_id)
        if image_id in order and len(order) > 1:
            at = order.index(image_id)
            before, behind = order[max(0, at - 1)], order[min(len(order) - 1, at + 1)]
            for label, icon, target in (("Previous", "arrow_back", before), ("Next", "arrow_forward", behind)):
                st.button(
                    label,
                    icon=f":material/{icon}:",
                    type="tertiary",
                    key=f"results_step_{label}",
                    disabled=target == image_id,
                    on_click=open_image,
                    args=(target,),
                )
            caption = f"{at + 1:,} of {len(order):,} · {caption}"
        st.caption(caption)


def _alone(found: Predictions, image_id: str) -> None:
    place = found.ids.index(image_id)
    picture, said = st.columns([3, 2])
    with said:
        target = _guesses(found, place)
    with picture:
        original, looked = st.columns(2)
        with original:
            _picture(found, image_id)
        with looked:
            _saliency(found, image_id, target)


def _guesses(found: Predictions, place: int) -> int:
    """What it may be, likeliest first; the class whose evidence is to be shown."""
    label, guesses = int(found.labels[place]), found.guesses[place].tolist()
    verdict = ":green[:material/check: right]" if found.right[place] else ":red[:material/close: wrong]"
    st.markdown(f"It is **{formatting.escaped(found.classes[label])}** · {verdict}")
    shares = dict(zip(guesses, found.shares[place].tolist(), strict=True))
    shares.setdefault(label, float(found.of_label[place]))
    for guess, share in shares.items():
        truth = " · truth" if guess == label else ""
        st.progress(
            min(1.0, share), text=f"{formatting.percent(share)} {formatting.escaped(found.classes[guess])}{truth}"
        )
    target: int = st.selectbox(
        "What speaks for",
        list(shares),
        format_func=lambda one: found.classes[one],
        key=f"results_target_{found.run}_{place}",
        help="Grad-CAM marks what in the image raises the score of this class.",
    )
    _exclusion(found, found.ids[place])
    return target


def _exclusion(found: Predictions, image_id: str) -> None:
    dataset = dataset_of(found.dataset)
    if dataset is None:
        return
    is_out = image_id in dataset.excluded
    st.button(
        "Take back in" if is_out else "Exclude this image",
        icon=":material/undo:" if is_out else ":material/visibility_off:",
        key="results_image_exclusion",
        help=EXCLUDED,
        on_click=include if is_out else exclude,
        args=(dataset, [image_id], "image"),
    )
    refusal("image")


def _picture(found: Predictions, image_id: str) -> None:
    dataset = dataset_of(found.dataset)
    try:
        if dataset is None:
            raise api.NotFound("Its data set is gone.")
        image = api.dataset_image(store(), dataset.id, image_id)
    except (api.NotFound, api.Unavailable) as gone:
        st.warning(formatting.escaped(str(gone)), icon=":material/broken_image:")
        return
    st.image(enlarged(image, LARGE, LARGE), alt=image_id, width="stretch")
    st.caption(f"{image.width:,} × {image.height:,} px")


def _saliency(found: Predictions, image_id: str, target: int) -> None:
    def ask(*, anew: bool = False) -> Preview:
        return api.saliency(store(), found.run, found.dataset, image_id, target, anew=anew)

    def again() -> None:
        ask(anew=True)

    def progress() -> Preview | None:
        now = ask()
        return None if now.values is not None or now.problem is not None else now

    def show() -> None:
        made = ask()
        if made.problem is not None:
            problem(made.problem, again, key=f"saliency_{found.run}")
        else:
            st.image(str(made.pictures["saliency"]), alt="Where the network looks", width="stretch")
            st.caption(f"what speaks for {formatting.escaped(found.classes[target])} (Grad-CAM)")

    try:
        is_there = progress() is None
    except IMPOSSIBLE as error:
        st.warning(formatting.escaped(why(error)), icon=":material/visibility_off:")
        return
    if is_there:
        show()
    else:  # drawn in its place: to draw the whole page again would close the dialog for a moment
        wait_for(progress, making="Looking where it looks", place=f"saliency_{found.run}", then=show)


def _through_all(views: Sequence[View], image_id: str) -> None:
    """The original, and beside it each run's guess with where it looked."""
    first = views[0].found
    are_few = len(views) <= MOST_SALIENCY_AT_ONCE
    show_saliency = st.toggle("Where each looks", value=are_few, key=f"results_looks_{are_few}")
    grid = st.grid(4, min_column_width=200, gap="medium")
    with grid.cell():
        _picture(first, image_id)
        st.markdown(f"It is **{formatting.escaped(first.classes[first.labels[first.ids.index(image_id)]])}**")
    for view in views:
        found, place = view.found, view.found.ids.index(image_id)
        guess = int(found.guesses[place, 0])
        with grid.cell():
            if show_saliency:
                _saliency(found, image_id, guess)
            colour = "green" if found.right[place] else "red"
            caption = f"{formatting.share(found.shares[place, 0])} {found.classes[guess]}"
            st.markdown(f"{formatting.escaped(view.name)}  \n:{colour}[**{formatting.escaped(caption)}**]")
