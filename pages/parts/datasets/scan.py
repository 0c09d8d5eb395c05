"""Scan: what may be wrong with the images, shown by the images, and what to leave out."""

import streamlit as st

from engine import api
from engine.api import Finding, Scan
from pages.parts.analysis.tables import set_aside_table
from pages.parts.datasets.badges import FINDING_BADGES, OTHER_FINDING, exclude, include, is_settled, left_over, refusal
from pages.parts.datasets.requests import open_request
from pages.parts.datasets.tiles import group_card, tiles
from pages.parts.formatting import ago, count, escaped
from pages.parts.session import store, wake_engine
from pages.parts.widgets.cards import empty_state
from pages.parts.widgets.paging import page_buttons, shown_page
from storage import Dataset

A_PAGE = 8  # findings
DECIDED_BY_EYE = ("contradiction",)  # no button may choose which class is right
GROUPS_A_PAGE = 4
SINGLES_A_PAGE = 14


def scan(dataset: Dataset) -> None:
    """The findings as cards, then what is excluded; before the first scan, the way to it."""
    found = api.dataset_scan(store(), dataset.id)
    scanning = open_request("scan_dataset", dataset.id) is not None
    if found is None:
        _not_yet(dataset, scanning)
    else:
        _head(dataset, found, scanning)
        _findings(dataset, found)
    if dataset.set_aside and not (found and any(one.kind == "undecodable" for one in found.findings)):
        with st.expander(f"{count(len(dataset.set_aside), 'file')} set aside", icon=":material/broken_image:"):
            st.caption("These could not be read as images; nothing is trained on them.")
            set_aside(dataset)
    _excluded(dataset)


def _not_yet(dataset: Dataset, scanning: bool) -> None:
    if scanning:
        st.caption(":material/hourglass_top: The scan is under way; its progress stands above.")
        return
    empty_state(
        "troubleshoot",
        "Not scanned yet",
        "A scan reads every image once and looks for files that cannot be read, the same image twice, images that "
        "teach and judge at once, classes with too few, and images that are too small.",
        lambda: _scan_button(dataset, "Scan it", primary=True),
    )


def _head(dataset: Dataset, found: Scan, scanning: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"Scanned {ago(found.at)} · {count(len(found.findings), 'finding')}")
        if not scanning:
            _scan_button(dataset, "Scan again", primary=False)


def _scan_button(dataset: Dataset, label: str, *, primary: bool) -> None:
    st.button(
        label,
        type="primary" if primary else "tertiary",
        icon=":material/troubleshoot:",
        key="datasets_scan",
        on_click=_ask,
        args=(dataset.id,),
    )


def _ask(dataset_id: str) -> None:
    try:
        api.scan_dataset(store(), dataset_id)
    except (api.Refused, api.NotFound) as error:
        st.toast(escaped(str(error)), icon=":material/error:")
        return
    wake_engine()


def _findings(dataset: Dataset, found: Scan) -> None:
    if not found.findings:
        empty_state(
            "verified",
            "Nothing to worry about",
            "Every image can be read, none occurs twice, and the classes are of similar size.",
        )
        return
    numbered = list(enumerate(found.findings))
    for number, finding in shown_page(numbered, A_PAGE, "datasets_findings"):
        _finding(dataset, finding, f"finding_{number}")
    page_buttons(numbered, A_PAGE, "datasets_findings")


def _finding(dataset: Dataset, finding: Finding, key: str) -> None:
    badge = FINDING_BADGES.get(finding.kind, OTHER_FINDING)
    with st.container(border=True, key=f"datasets_card_{key}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":{badge.colour}[{badge.icon}] **{escaped(finding.title)}**", width="content")
            _badge(dataset, finding)
        st.markdown(escaped(finding.text))
        refusal(key)
        if finding.kind == "undecodable" and dataset.set_aside:
            set_aside(dataset)
            return
        if not finding.groups:
            return
        if finding.action == "exclude" and finding.kind not in DECIDED_BY_EYE:
            _for_all(dataset, finding, key)
        if all(len(group) == 1 for group in finding.groups):
            _singles(dataset, finding, key)
        else:
            _groups(dataset, finding, key)


def set_aside(dataset: Dataset) -> None:
    """The files that could not be read, with why."""
    st.dataframe(
        set_aside_table(dataset),
        hide_index=True,
        key="datasets_aside",
        column_config={"path": "File", "reason": "What is wrong with it"},
        alt="Files set aside",
    )


def _badge(dataset: Dataset, finding: Finding) -> None:
    if not finding.groups:
        return
    if is_settled(dataset, finding):
        st.badge("settled", icon=":material/check:", color="green")
        return
    images = len({image_id for group in finding.groups for image_id in group})
    is_grouped = any(len(group) > 1 for group in finding.groups)
    groups = f"{count(len(finding.groups), 'group')} · " if is_grouped else ""
    st.badge(f"{groups}{count(images, 'image')}", color=FINDING_BADGES.get(finding.kind, OTHER_FINDING).colour)


def _for_all(dataset: Dataset, finding: Finding, key: str) -> None:
    ids = left_over(dataset, finding)
    if not ids or len(finding.groups) == 1:
        return
    is_grouped = any(len(group) > 1 for group in finding.groups)
    label = "Exclude all but the first of each group" if is_grouped else "Exclude all"
    st.button(
        f"{label} ({len(ids):,})",
        icon=":material/visibility_off:",
        key=f"datasets_all_{key}",
        on_click=exclude,
        args=(dataset, ids, key),
    )


def _groups(dataset: Dataset, finding: Finding, key: str) -> None:
    grid = st.grid(2, min_column_width=300, border=True)
    numbered = list(enumerate(finding.groups))
    for number, group in shown_page(numbered, GROUPS_A_PAGE, f"datasets_{key}"):
        with grid.cell():
            by_eye = finding.kind in DECIDED_BY_EYE
            group_card(dataset, group, finding.action, where=key, key=f"{key}_{number}", by_eye=by_eye)
    page_buttons(numbered, GROUPS_A_PAGE, f"datasets_{key}")


def _singles(dataset: Dataset, finding: Finding, key: str) -> None:
    ids = [group[0] for group in finding.groups]
    tiles(dataset, shown_page(ids, SINGLES_A_PAGE, f"datasets_{key}"), finding.action, where=key, key=key)
    page_buttons(ids, SINGLES_A_PAGE, f"datasets_{key}")


def _excluded(dataset: Dataset) -> None:
    if not dataset.excluded:
        return
    with st.container(border=True, key="datasets_excluded", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f":gray[:material/visibility_off:] **{count(len(dataset.excluded), 'excluded image')}**")
            st.button(
                "Take all back in",
                icon=":material/undo:",
                type="tertiary",
                key="datasets_include_all",
                on_click=include,
                args=(dataset, dataset.excluded, "excluded"),
            )
        st.caption("Nothing is trained on them, judged by them or counted. Their files stay where they are.")
        refusal("excluded")
        page = shown_page(dataset.excluded, SINGLES_A_PAGE, "datasets_excluded")
        tiles(dataset, page, "exclude", where="excluded", key="excluded")
        page_buttons(dataset.excluded, SINGLES_A_PAGE, "datasets_excluded")
