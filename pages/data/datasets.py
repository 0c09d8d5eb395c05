"""Data sets: what there is, how it looks, and two ways in."""

from pathlib import Path

import streamlit as st

import engine
from pages.parts.actions import being_deleted
from pages.parts.cards import page_head
from pages.parts.contact_sheet import contact_sheet
from pages.parts.figures.class_counts import class_counts
from pages.parts.live import live
from pages.parts.session import NEW_RUN_PAGE, base_url, palette, store, wake_engine
from pages.parts.tables import set_aside_table
from pages.parts.upload import upload_zip
from pages.parts.words import ago, count, escaped, left, size
from storage import Dataset, Request

WAYS = ("Upload a zip", "Folder or zip on this machine")


def ask_import(name: str, source: Path, key: str | None = None) -> bool:
    """Ask for an import; what is wrong with it shows beside the form, and False comes back."""
    try:
        engine.add_dataset(store(), name, source, key=key)
    except engine.Refused as refused:
        st.session_state["datasets_refused"] = [str(problem) for problem in refused.problems]
        return False
    st.session_state["datasets_refused"] = []
    wake_engine()
    return True


def add_from_path() -> None:
    path = st.session_state["datasets_path"].strip()
    if not path:
        st.session_state["datasets_refused"] = ["Give the path of a folder or a zip on this machine."]
        return
    ask_import(st.session_state["datasets_path_name"].strip() or Path(path).stem, Path(path))


def add(is_new: bool) -> None:
    with st.expander("Add a data set", icon=":material/add_photo_alternate:", expanded=is_new):
        way = st.segmented_control("From", WAYS, default=WAYS[0], required=True, key="datasets_way")
        if way == WAYS[0]:
            name = st.text_input("Name", key="datasets_zip_name", placeholder="made from the file's name")
            kept = st.session_state.pop("datasets_kept", None)
            if arrived := upload_zip("datasets_upload", base_url()) or kept:
                token, file_name = arrived
                source = store().home.uploads / f"{token}.zip"
                if not ask_import(name.strip() or Path(file_name).stem, source, key=token) and source.exists():
                    st.session_state["datasets_kept"] = arrived  # another name takes it up; nothing is sent again
        else:
            path, named = st.columns([2, 1])
            path.text_input("Path", key="datasets_path", placeholder="/data/flowers or /data/flowers.zip")
            named.text_input("Name", key="datasets_path_name", placeholder="made from the path")
            st.button("Import", type="primary", icon=":material/input:", on_click=add_from_path, key="datasets_import")
            st.caption("One folder a class, with or without train / validation / test above them. It is not copied.")
        for text in st.session_state.get("datasets_refused", []):
            st.error(escaped(text), icon=":material/error:")


def imports() -> None:
    """Imports under way, and those refused lately."""
    asked = store().requests.list("import_dataset", limit=20)
    under_way = [request for request in asked if request.state in ("pending", "running")]
    for request in under_way:
        told = " · ".join(filter(None, [request.message, left(request.eta_s)]))
        st.progress(
            request.progress or 0.0, text=f"Importing {escaped(request.payload['name'])} · {escaped(told or 'waiting')}"
        )
    seen = (len(under_way), len(store().datasets.list()), len(being_deleted()))
    if st.session_state.setdefault("datasets_seen", seen) != seen:
        st.session_state["datasets_seen"] = seen
        st.rerun()  # something came or went: the list below shows it
    dismissed = st.session_state.setdefault("datasets_dismissed", set())
    for request in asked:
        if request.state == "refused" and request.id not in dismissed and ago(request.ended_at).endswith(RECENTLY):
            _refusal(request, dismissed)


RECENTLY = ("now", "min ago")  # an older refusal is no news


def _refusal(request: Request, dismissed: set[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(
            f"**{escaped(request.payload['name'])}** was not imported. {escaped(request.message or '')}",
            icon=":material/error:",
        )
        st.button(
            "Dismiss", key=f"datasets_dismiss_{request.id}", on_click=dismissed.add, args=(request.id,), type="tertiary"
        )


def cards(datasets: list[Dataset], chosen: str) -> None:
    grid = st.grid(3, min_column_width=280)
    for dataset in datasets:
        with grid.cell(), st.container(border=True, key=f"dataset_{dataset.id}", gap="small", height="stretch"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"**{escaped(dataset.name)}**")
                if dataset.set_aside:
                    st.badge(f"{len(dataset.set_aside)} set aside", icon=":material/broken_image:", color="orange")
            st.caption(_facts(dataset))
            samples = engine.dataset_samples(store(), dataset.id)
            firsts = [path for paths in samples.values() for path in paths[:2]][:8]
            if firsts:
                st.image(contact_sheet(firsts, columns=4), alt=f"Some images of {dataset.name}", width="stretch")
            st.button(
                "Shown below" if dataset.id == chosen else "Look at it",
                key=f"datasets_look_{dataset.id}",
                icon=":material/visibility:",
                disabled=dataset.id == chosen,
                on_click=_choose,
                args=(dataset.id,),
            )


def detail(dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(escaped(dataset.name), anchor=False)
        with st.container(horizontal=True, width="content", vertical_alignment="bottom"):
            if not engine.DATASET_KINDS[dataset.kind].embedded:
                delete_button(dataset)
            if st.button("Train on it", icon=":material/play_arrow:", type="primary", key="datasets_train"):
                st.switch_page(NEW_RUN_PAGE, query_params={"dataset": dataset.id})
    parts = ", ".join(f"{part} {sum(of.values()):,}" for part, of in dataset.counts.items() if part != "all")
    added = f"added {ago(dataset.created_at)}, {size(dataset.bytes)}" if dataset.created_at else "comes with Thaw"
    st.caption(f"{parts or 'Not split: a share is held back for validation'} · {added}")
    for note in dataset.notes:
        st.caption(f":material/info: {escaped(note)}")
    if dataset.set_aside:
        with st.expander(f"{count(len(dataset.set_aside), 'file')} set aside", icon=":material/broken_image:"):
            st.caption("These could not be read as images; nothing is trained on them.")
            st.dataframe(set_aside_table(dataset), hide_index=True, key="datasets_aside", alt="Files set aside")
    figure, samples = st.columns([2, 3])
    with figure.container(border=True):
        st.markdown("**Images a class**")
        st.plotly_chart(
            class_counts(dataset, palette=palette()),
            key="datasets_counts",
            config={"displayModeBar": False},
            alt=f"Images a class of {dataset.name}",
        )
    with samples.container(border=True):
        st.markdown("**Samples**")
        sample_grid(dataset)


def sample_grid(dataset: Dataset) -> None:
    """A row of images a class, the first ten classes unless asked for all."""
    found = {name: paths for name, paths in engine.dataset_samples(store(), dataset.id).items() if paths}
    if not found:
        st.caption("There are no samples to show yet.")
        return
    names = list(found)
    if len(names) > 10 and not st.toggle(f"All {len(names)} classes", key="datasets_every"):
        names = names[:10]
    for name in names:
        with st.container(gap="xsmall"):
            st.caption(escaped(name))
            st.image(contact_sheet(found[name], columns=12), alt=f"Images of class {name}")


def delete_button(dataset: Dataset) -> None:
    with st.popover("Delete", icon=":material/delete:", key="datasets_ask"):
        st.markdown("**Delete this data set for good?**")
        st.text(dataset.name)
        st.caption("Runs trained on it stay. Images of a folder on this machine stay where they are.")
        st.button("Delete it", type="primary", key="datasets_delete", on_click=_delete, args=(dataset.id,))


def _facts(dataset: Dataset) -> str:
    classes = count(len(dataset.classes), "class", "classes")
    tone = "grey" if dataset.channels == 1 else "colour"
    return f"{count(dataset.images, 'image')} · {classes} · {dataset.width} × {dataset.height} px, {tone}"


def _choose(dataset_id: str) -> None:
    st.query_params["dataset"] = dataset_id


def _delete(dataset_id: str) -> None:
    try:
        engine.delete_dataset(store(), dataset_id)
    except (engine.Refused, engine.NotFound) as error:
        st.toast(escaped(str(error)), icon=":material/error:")
        return
    st.query_params.pop("dataset", None)
    st.toast("Deleting the data set.", icon=":material/check:")
    wake_engine()


def page() -> None:
    with page_head("Data sets"):
        pass
    gone = being_deleted()
    datasets = [dataset for dataset in store().datasets.list() if dataset.id not in gone]
    # decided once: the form must not close under the hand of someone who adds a second
    add(is_new=st.session_state.setdefault("datasets_is_new", len(datasets) < 2))
    live(imports, every_s=1.5)
    chosen = st.query_params.get("dataset", "")
    if chosen not in {dataset.id for dataset in datasets}:
        chosen = datasets[0].id
    cards(datasets, chosen)
    detail(store().datasets.get(chosen))


page()
