"""A data set in words, its badges, and what a click on it does to it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from engine import api
from engine.api import Finding
from pages.parts.figures.datasets.channel_values import channel_names
from pages.parts.formatting import count, escaped
from pages.parts.palette import BadgeColour
from pages.parts.session import store
from storage import Dataset

TONES = {1: "grey", 3: "colour", 4: "colour and alpha"}


class FindingBadge(NamedTuple):
    """How a kind of finding is shown: as a badge's icon and colour."""

    icon: str
    colour: BadgeColour


FINDING_BADGES: dict[str, FindingBadge] = {
    "undecodable": FindingBadge(":material/broken_image:", "red"),
    "leak": FindingBadge(":material/water_drop:", "red"),
    "contradiction": FindingBadge(":material/alt_route:", "red"),
    "duplicate": FindingBadge(":material/content_copy:", "orange"),
    "near_duplicate": FindingBadge(":material/difference:", "orange"),
    "imbalance": FindingBadge(":material/balance:", "orange"),
    "tiny": FindingBadge(":material/photo_size_select_small:", "blue"),
}
OTHER_FINDING = FindingBadge(":material/info:", "gray")


def facts(dataset: Dataset) -> str:
    """3,640 images · 7 classes · 160 × 160 px, colour."""
    classes = count(len(dataset.classes), "class", "classes")
    return f"{count(dataset.images, 'image')} · {classes} · {dataset.width} × {dataset.height} px, {tone(dataset)}"


def tone(dataset: Dataset) -> str:
    return TONES.get(dataset.channels, f"{len(channel_names(dataset.channels))} channels")


def warning_badges(dataset: Dataset) -> None:
    """What someone who picks this data set should know: findings, images taken out, files set aside."""
    scan = api.dataset_scan(store(), dataset.id)
    found = [one for one in scan.findings if not is_settled(dataset, one)] if scan else []
    if found:
        is_bad = any(FINDING_BADGES.get(one.kind, OTHER_FINDING).colour == "red" for one in found)
        st.badge(count(len(found), "finding"), icon=":material/troubleshoot:", color="red" if is_bad else "orange")
    if dataset.excluded:
        st.badge(f"{len(dataset.excluded):,} excluded", icon=":material/visibility_off:", color="gray")
    if dataset.set_aside and not scan:
        st.badge(f"{len(dataset.set_aside):,} set aside", icon=":material/broken_image:", color="orange")


def left_over(dataset: Dataset, finding: Finding) -> list[str]:
    """The images that an action on all groups would take out: of a group all but the first, or a lone image."""
    out = set(dataset.excluded)
    ids: dict[str, None] = {}  # in order, each once
    for group in finding.groups:
        inside = [image_id for image_id in group if image_id not in out]
        ids |= dict.fromkeys(inside if len(group) == 1 else inside[1:])
    return list(ids)


def is_settled(dataset: Dataset, finding: Finding) -> bool:
    """Whether exclusion has done all it can about the finding."""
    return finding.action == "exclude" and not left_over(dataset, finding)


def open_dataset(dataset_id: str, view: str | None = None) -> None:
    """Put the data set into the address: the page shows it next."""
    st.query_params.from_dict({"dataset": dataset_id} | ({"view": view} if view else {}))


def close_dataset() -> None:
    st.query_params.clear()


def exclude(dataset: Dataset, ids: Sequence[str], where: str) -> None:
    """Take images out; what is refused shows at `where`."""
    _change(api.exclude_images, dataset, ids, where)


def include(dataset: Dataset, ids: Sequence[str], where: str) -> None:
    """Take excluded images back in; what is refused shows at `where`."""
    _change(api.include_images, dataset, ids, where)


def refusal(where: str) -> None:
    """What was refused at `where` the last time something was asked for there."""
    for text in st.session_state.get("datasets_refused", {}).get(where, []):
        st.markdown(f":red[:material/error: {escaped(text)}]")


def refuse(texts: Mapping[str, Sequence[str]]) -> None:
    """Keep what was refused, by where, for `refusal` to show; everything refused before is over."""
    st.session_state["datasets_refused"] = texts


def by_field(refused: api.Refused) -> dict[str, list[str]]:
    """What was refused, by field."""
    texts: dict[str, list[str]] = {}
    for problem in refused.problems:
        texts.setdefault(problem.field, []).append(problem.message[:1].upper() + problem.message[1:] + ".")
    return texts


def _change(change: Callable[..., Dataset], dataset: Dataset, ids: Sequence[str], where: str) -> None:
    """No toast says so: one drawn by a click in a dialog would close the dialog. The images turn faint instead."""
    try:
        change(store(), dataset.id, list(ids))
    except api.Refused as refused:
        refuse({where: [text for its in by_field(refused).values() for text in its]})
        return
    except (api.NotFound, api.Unavailable) as gone:
        refuse({where: [str(gone)]})
        return
    refuse({})
