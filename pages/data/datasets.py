"""Data sets: what there is, how it looks, and two ways in."""

from pathlib import Path

import streamlit as st

import engine
from pages.parts.contact_sheet import contact_sheet
from pages.parts.figures.class_counts import class_counts
from pages.parts.session import base_url, colours, store, wake_engine
from pages.parts.upload import upload_zip
from pages.parts.words import ago, count, duration, plain, size
from storage import Dataset, Request


def ask_import(name: str, source: Path, key: str | None = None) -> None:
    """Queue an import, or say what is wrong with it beside the form."""
    try:
        engine.add_dataset(store(), name, source, key=key)
        st.session_state["datasets.refused"] = ""
        wake_engine()
    except engine.Refused as refused:
        st.session_state["datasets.refused"] = "\n\n".join(plain(str(problem)) for problem in refused.problems)


def add_from_path() -> None:
    path = st.session_state["datasets.path"].strip()
    name = st.session_state["datasets.path_name"].strip() or Path(path).stem
    ask_import(name, Path(path) if path else Path("/nowhere"))


def add() -> None:
    with st.expander(
        "Add a data set", icon=":material/add_photo_alternate:", expanded=len(store().datasets.list()) < 2
    ):
        way = st.segmented_control("How", ["Upload a zip", "Folder or zip on this machine"], default="Upload a zip")
        if way == "Upload a zip":
            name = st.text_input("Name", key="datasets.upload_name", placeholder="made from the file's name")
            arrived = upload_zip("datasets.upload", base_url())
            if arrived:
                token, file_name = arrived
                ask_import(name.strip() or Path(file_name).stem, store().home.uploads / f"{token}.zip", key=token)
        else:
            st.text_input("Path", key="datasets.path", placeholder="/data/flowers, or /data/flowers.zip")
            st.text_input("Name", key="datasets.path_name", placeholder="made from the path")
            st.button("Import", type="primary", icon=":material/input:", on_click=add_from_path)
            st.caption("A folder is read where it lies, not copied.")
        if refused := st.session_state.get("datasets.refused"):
            st.error(refused, icon=":material/error:")


def imports() -> None:
    """Imports under way, and those refused lately."""
    requests = [one for one in store().requests.list("import_dataset", limit=20) if "dataset" not in one.payload]
    open_ones = [one for one in requests if one.state in ("pending", "running")]
    for request in open_ones:
        left = "" if request.eta_s is None else f" · about {duration(max(1, request.eta_s))} left"
        st.progress(request.progress or 0.0, text=f"Importing {plain(request.payload['name'])}{left}")
    if len(open_ones) != st.session_state.get("datasets.open", len(open_ones)):
        st.session_state["datasets.open"] = len(open_ones)
        st.rerun()  # one is done: the list below shows it
    st.session_state["datasets.open"] = len(open_ones)
    for request in requests:
        if request.state == "refused" and request.id not in st.session_state.get("datasets.dismissed", ()):
            refusal(request)


def refusal(request: Request) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.error(f"**{plain(request.payload['name'])}** was not imported: {plain(request.message or '')}")
        if st.button("Dismiss", key=f"datasets.dismiss.{request.id}"):
            dismissed = st.session_state.setdefault("datasets.dismissed", set())
            dismissed.add(request.id)
            store().requests.forget(request.id)
            st.rerun(scope="fragment")


def cards(datasets: list[Dataset], chosen: str) -> None:
    with st.grid(3, min_column_width=260, gap="medium"):
        for dataset in datasets:
            with st.container(border=True, key=f"dataset-{dataset.id}"):
                st.markdown(f"**{plain(dataset.name)}**")
                tone = "grey" if dataset.channels == 1 else "colour"
                images, classes = count(dataset.images, "image"), count(len(dataset.classes), "class", "classes")
                st.caption(f"{images} · {classes} · {dataset.width} × {dataset.height} {tone}")
                samples = engine.dataset_samples(store(), dataset.id)
                firsts = [paths[0] for paths in samples.values() if paths][:8]
                if firsts:
                    st.image(contact_sheet(firsts, columns=8), alt=f"Images of {dataset.name}")
                shown = dataset.id == chosen
                st.button(
                    "Shown below" if shown else "Look",
                    key=f"datasets.look.{dataset.id}",
                    icon=":material/visibility:",
                    disabled=shown,
                    on_click=lambda name: st.query_params.update({"dataset": name}),
                    args=(dataset.id,),
                )


def detail(dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        st.subheader(plain(dataset.name), anchor=False)
        with st.container(horizontal=True, width="content"):
            if st.button("Train on it", icon=":material/play_arrow:", type="primary", key="datasets.train"):
                st.switch_page("pages/train/new_run.py", query_params={"dataset": dataset.name})
            if not engine.DATASET_KINDS[dataset.kind].embedded and st.button("Delete", icon=":material/delete:"):
                confirm_delete(dataset)
    parts = ", ".join(f"{part} {sum(of.values()):,}" for part, of in dataset.counts.items() if part != "all")
    added = f"added {ago(dataset.created_at)} · {size(dataset.bytes)}" if dataset.created_at else "comes with Thaw"
    st.caption(f"{parts or 'not split: part of it is held back for validation'} · {added}")
    for note in dataset.notes:
        st.caption(f":material/info: {plain(note)}")
    if dataset.set_aside:
        with st.expander(f"{count(len(dataset.set_aside), 'image')} set aside", icon=":material/broken_image:"):
            st.dataframe(list(dataset.set_aside), hide_index=True, key="datasets.aside", alt="Images set aside")
    left, right = st.columns([2, 3], gap="medium")
    with left.container(border=True):
        st.markdown("**Images a class**")
        st.plotly_chart(class_counts(dataset, colours()), key="datasets.counts", config={"displayModeBar": False})
    with right.container(border=True):
        st.markdown("**Samples**")
        samples(dataset)


def samples(dataset: Dataset) -> None:
    found = engine.dataset_samples(store(), dataset.id)
    if not found:
        st.caption("Samples are being made; look again in a moment.")
        return
    names = list(found)
    every = len(names) <= 12 or st.toggle(f"All {len(names)} classes", key="datasets.every")
    for name in names if every else names[:10]:
        st.caption(plain(name))
        if found[name]:
            st.image(contact_sheet(found[name], columns=12), alt=f"Images of class {name}")


@st.dialog("Delete this data set?")
def confirm_delete(dataset: Dataset) -> None:
    st.text(dataset.name)
    st.caption("Runs trained on it stay. Images of a folder on this machine stay where they are.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep", key="datasets.keep"):
            st.rerun()
        if st.button("Delete", type="primary", icon=":material/delete:", key="datasets.delete"):
            try:
                request = engine.delete_dataset(store(), dataset.id)
                wake_engine()
                engine.wait_for_request(store(), request.id, timeout_s=20)
                st.query_params.pop("dataset", None)
                st.rerun()
            except (engine.Refused, engine.NotFound, engine.Unavailable) as error:
                st.error(plain(str(error)))


def page() -> None:
    st.title("Data sets")
    add()
    st.fragment(imports, run_every=1.5)()
    datasets = store().datasets.list()
    chosen = st.query_params.get("dataset", "")
    if chosen not in {dataset.id for dataset in datasets}:
        chosen = datasets[0].id
    cards(datasets, chosen)
    detail(store().datasets.get(chosen))


page()
