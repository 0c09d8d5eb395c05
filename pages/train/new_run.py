"""New run: a preset, a few fields, the rest under Advanced; the spec as YAML and as a command."""

import streamlit as st

import engine
from engine import PRESETS, Problem, Refused, RunSpec
from pages.parts import forms
from pages.parts.session import open_run, store, wake_engine
from pages.parts.words import plain
from storage import Run


def start(spec: RunSpec, key: str) -> None:
    try:
        st.session_state["new.started"] = engine.start_run(store(), spec, key=key).id
    except Refused as refused:
        st.session_state["new.refused"] = str(refused)


def take_preset() -> None:
    chosen = st.session_state["new.preset"]
    if chosen:
        dataset = st.session_state.get(forms.field_key("data.dataset"))
        values = dict(PRESETS[chosen].values)
        if dataset and "dataset" not in values.get("data", {}):
            values["data"] = {**values.get("data", {}), "dataset": dataset}  # a preset keeps the data set chosen
        forms.fill(values)


def take_yaml() -> None:
    try:
        forms.fill(RunSpec.from_yaml(st.session_state["new.yaml"]).model_dump())
        st.session_state["new.yaml_refused"] = ""
    except Refused as refused:
        st.session_state["new.yaml_refused"] = str(refused)


def first_values() -> None:
    """Fill the form once: from a run (`?from=`), for a data set (`?dataset=`), or with the balanced preset."""
    source = st.query_params.get("from", ""), st.query_params.get("dataset", "")
    if st.session_state.get("new.filled") == source:
        return
    st.session_state["new.filled"] = source
    values = dict(PRESETS["balanced"].values)
    if source[0]:
        try:
            values = engine.find_run(store(), source[0]).spec
        except engine.NotFound as missing:
            st.toast(str(missing))
    elif source[1]:
        values["data"] = {**values.get("data", {}), "dataset": source[1]}
    forms.fill(values)


def as_text(spec: RunSpec) -> None:
    with st.expander("Show as YAML and command", icon=":material/code:"):
        st.caption("The same run without a browser: save this as run.yaml, then")
        st.code("python -m engine train run.yaml --wait", language="bash")
        st.code(spec.to_yaml(all_fields=True), language="yaml")
    with st.expander("Paste YAML", icon=":material/content_paste:"):
        st.text_area("A spec", key="new.yaml", placeholder="epochs: 20\nmodel:\n  backbone: resnet18", height=160)
        st.button("Fill in the form", on_click=take_yaml, icon=":material/input:")
        if st.session_state.get("new.yaml_refused"):
            st.error(plain(st.session_state["new.yaml_refused"]))


def summary(spec: RunSpec | None, problems: list[Problem], newest: Run | None) -> None:
    """The way out: Start, or what keeps it from starting."""
    known = {setting.path for setting in engine.settings()}
    for problem in problems:
        if problem.field not in known:
            st.error(plain(str(problem)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=spec is None,
            on_click=start if spec else None,
            args=(spec, forms.start_key(spec, newest)) if spec else None,
            key="new.start",
        )
        if spec is None:
            st.caption(f":red[{len(problems)} to put right before it can start.]")
        else:
            table = engine.BACKBONES[spec.model.backbone]
            st.caption(
                f"{table.label} on {plain(spec.data.dataset)}, {spec.data.image_size} px, "
                f"{spec.epochs} epochs of batches of {spec.optimisation.batch_size}."
            )


def page() -> None:
    if started := st.session_state.pop("new.started", None):
        wake_engine()
        open_run(store().runs.get(started))
    st.title("New run")
    first_values()
    newest = next(iter(store().runs.list(limit=1)), None)
    datasets = store().datasets.list()
    with st.container(border=True):
        st.markdown("**Start from a preset**")
        st.pills(
            "Preset",
            list(PRESETS),
            format_func=lambda name: PRESETS[name].label,
            key="new.preset",
            on_change=take_preset,
            label_visibility="collapsed",
        )
        if chosen := st.session_state.get("new.preset"):
            st.caption(PRESETS[chosen].note)
    settings = list(engine.settings())
    spec, problems = forms.check(store())
    with st.container(border=True):
        forms.draw([one for one in settings if not one.advanced], problems, datasets)
    wrong_inside = {problem.field for problem in problems} & {one.path for one in settings if one.advanced}
    with st.expander("Advanced", icon=":material/tune:", expanded=bool(wrong_inside)):
        forms.draw([one for one in settings if one.advanced], problems, datasets)
    if refused := st.session_state.pop("new.refused", None):
        st.error(plain(refused), icon=":material/error:")
    summary(spec, problems, newest)
    if spec:
        as_text(spec)


page()
