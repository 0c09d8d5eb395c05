"""Images of a finding side by side, each with what can be done about it."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from PIL import Image

from engine import api
from pages.parts.datasets.badges import exclude, include
from pages.parts.formatting import count, escaped, shortened
from pages.parts.session import store
from pages.parts.widgets.thumbnails import fitted, tile
from storage import Dataset

SIDE = 124  # pixels
A_GROUP = 8  # images of one group that are drawn
WIDEST = 18  # letters of a name


def group_card(
    dataset: Dataset, group: Sequence[str], action: str | None, *, where: str, key: str, by_eye: bool = False
) -> None:
    """Images that belong together, with what to do about all of them.

    Args:
        dataset: The data set.
        group: Ids of the images.
        action: "exclude" where they can be taken out.
        where: The place at which a refusal shows.
        key: What the widgets' keys end with.
        by_eye: Which of them is right only a person can tell.
    """
    with st.container(gap="small"):
        tiles(dataset, group[:A_GROUP], action, where=where, key=key)
        left = [image_id for image_id in group if image_id not in set(dataset.excluded)]
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            if len(group) > A_GROUP:
                st.caption(f"and {len(group) - A_GROUP:,} more")
            if action != "exclude":
                return
            if len(left) > 1:
                if not by_eye:
                    st.button(
                        f"Keep the first, exclude {len(left) - 1:,}",
                        icon=":material/filter_1:",
                        key=f"datasets_rest_{key}",
                        on_click=exclude,
                        args=(dataset, left[1:], where),
                    )
                st.button(
                    f"Exclude all {len(left):,}",
                    type="tertiary",
                    key=f"datasets_whole_{key}",
                    on_click=exclude,
                    args=(dataset, left, where),
                )
            elif left:
                st.caption(":green[:material/check:] One of them is left.")
            else:
                st.caption(f"All {count(len(group), 'image')} are excluded.")


def tiles(dataset: Dataset, ids: Sequence[str], action: str | None, *, where: str, key: str) -> None:
    """Images next to each other, as many as fit; excluded ones are faint and can be taken back in.

    Args:
        dataset: The data set.
        ids: Of the images.
        action: "exclude" where they can be taken out.
        where: The place at which a refusal shows.
        key: What the widgets' keys end with.
    """
    known = api.dataset_thumbnails(store(), dataset.id, list(ids))
    out = set(dataset.excluded)
    with st.container(horizontal=True, gap="small"):
        for image_id in ids:
            with st.container(width=SIDE, gap="xxsmall", horizontal_alignment="center"):
                picture = _picture(dataset, image_id, known.get(image_id), image_id in out)
                if picture is None:
                    _missing()
                else:
                    st.image(picture, width=SIDE, alt=image_id)
                st.caption(_named(image_id), text_alignment="center")
                if action == "exclude":
                    _button(dataset, image_id, where, f"{key}_{image_id}", is_out=image_id in out)


def _picture(dataset: Dataset, image_id: str, thumbnail: Path | None, is_out: bool) -> Image.Image | None:
    """The thumbnail that the scan kept, else the image itself; None when neither can be read."""
    if thumbnail is not None:
        return tile(thumbnail, side=2 * SIDE, is_faint=is_out)
    try:
        return fitted(api.dataset_image(store(), dataset.id, image_id), 2 * SIDE, is_faint=is_out)
    except (api.Unavailable, api.NotFound):
        return None


def _missing() -> None:
    with st.container(border=True, width=SIDE, height=SIDE, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(":gray[:material/broken_image:]", width="content")


def _button(dataset: Dataset, image_id: str, where: str, key: str, *, is_out: bool) -> None:
    st.button(
        "Take back in" if is_out else "Exclude",
        type="tertiary",
        key=f"datasets_{'in' if is_out else 'out'}_{key}",
        help=escaped(image_id),
        on_click=include if is_out else exclude,
        args=(dataset, [image_id], where),
    )


def _named(image_id: str) -> str:
    """The file's name over the folder it lies in, which tells part and class."""
    folder, _, name = image_id.rpartition("/")
    return "  \n".join(f"{escaped(shortened(text, WIDEST))}" for text in (name, folder) if text)
