"""Data sets: all of them as cards, or, with `?dataset=`, one of them whole."""

from functools import partial

import streamlit as st

from engine import api
from pages.parts.datasets.add import add_panel, show_panel
from pages.parts.datasets.badges import close_dataset, tone, warning_badges
from pages.parts.datasets.cards import dataset_cards
from pages.parts.datasets.files import files
from pages.parts.datasets.overview import overview
from pages.parts.datasets.requests import dataset_requests
from pages.parts.datasets.runs import runs
from pages.parts.datasets.scan import scan
from pages.parts.datasets.splits import splits
from pages.parts.formatting import ago, count, escaped, size
from pages.parts.live import live
from pages.parts.runs.actions import being_deleted
from pages.parts.session import NEW_RUN_PAGE, store, wake_engine
from pages.parts.widgets.cards import empty_state, page_head
from pages.parts.widgets.exports import export_button
from storage import Dataset

VIEWS = {"Look": overview, "Scan": scan, "Splits": splits, "Files": files, "Runs": runs}


def all_datasets(datasets: list[Dataset]) -> None:
    """Every data set, and the way to add one."""
    # decided once: the form must not close under the hand of someone who adds a second
    adding = st.session_state.setdefault("datasets_adding", len(datasets) < 2)
    with page_head("Data sets"):
        export_button(["datasets"], key="datasets", caption="Of all data sets.")
        if not adding:
            st.button(
                "Add a data set",
                type="primary",
                icon=":material/add_photo_alternate:",
                key="datasets_add_open",
                on_click=show_panel,
                args=(True,),
            )
    live(dataset_requests, every_s=1.5)
    if adding:
        add_panel()
    dataset_cards(datasets)


def detail(dataset: Dataset) -> None:
    """One data set: its head, then a view of it."""
    _back()
    with page_head(escaped(dataset.name)):
        if not api.DATASET_KINDS[dataset.kind].embedded:
            delete_button(dataset)
        if st.button("Train on it", icon=":material/play_arrow:", type="primary", key="datasets_train"):
            st.switch_page(NEW_RUN_PAGE, query_params={"dataset": dataset.id})
    _badges(dataset)
    live(partial(dataset_requests, dataset.id), every_s=1.5)
    views = st.tabs(list(VIEWS), key="view", on_change="rerun", bind="query-params")
    for view, draw in zip(views, VIEWS.values(), strict=True):
        if view.open:
            with view:
                draw(dataset)


def _back() -> None:
    st.button(
        "All data sets", icon=":material/arrow_back:", type="tertiary", key="datasets_back", on_click=close_dataset
    )


def _badges(dataset: Dataset) -> None:
    kind = api.DATASET_KINDS[dataset.kind]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.badge(escaped(kind.label), icon=":material/photo_library:", color="gray")
        st.badge(count(dataset.images, "image"), icon=":material/image:", color="gray")
        st.badge(count(len(dataset.classes), "class", "classes"), icon=":material/category:", color="gray")
        st.badge(
            f"{dataset.width} × {dataset.height} px, {tone(dataset)}", icon=":material/aspect_ratio:", color="gray"
        )
        warning_badges(dataset)
    added = f"added {ago(dataset.created_at)} · {size(dataset.bytes)}" if dataset.created_at else "comes with Thaw"
    st.caption(f"{added} · fingerprint `{dataset.fingerprint[:12]}`")


def delete_button(dataset: Dataset) -> None:
    with st.popover("Delete", icon=":material/delete:", key="datasets_ask"):
        st.markdown("**Delete this data set for good?**")
        st.text(dataset.name)
        st.caption("Runs trained on it stay. Images of a folder on this machine stay where they are.")
        st.button("Delete it", type="primary", key="datasets_delete", on_click=_delete, args=(dataset.id,))


def _delete(dataset_id: str) -> None:
    try:
        api.delete_dataset(store(), dataset_id)
    except (api.Refused, api.NotFound) as error:
        st.toast(escaped(str(error)), icon=":material/error:")
        return
    close_dataset()
    st.toast("Deleting the data set.", icon=":material/check:")
    wake_engine()


def missing(name: str) -> None:
    """For an address that leads to no data set."""
    _back()
    empty_state("search_off", "This data set is not here", f"{escaped(name)} may have been deleted or renamed.")


def page() -> None:
    gone = being_deleted()
    datasets = [dataset for dataset in store().datasets.list() if dataset.id not in gone]
    chosen = st.query_params.get("dataset")
    found = next((dataset for dataset in datasets if dataset.id == chosen), None)
    if found:
        detail(found)
    elif chosen:
        missing(chosen)
    else:
        all_datasets(datasets)


page()
