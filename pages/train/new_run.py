"""New run: a preset, a few fields a section, the rest under More; below them what will run, always in sight."""

from math import ceil

import streamlit as st
import yaml

from engine import api
from engine.api import PRESETS, Problem, Refused, RunSpec
from pages.parts import formatting
from pages.parts.forms import fields, run_sections
from pages.parts.forms.fit_panel import fit_panel
from pages.parts.forms.spec_texts import preset_choice, yaml_in, yaml_out
from pages.parts.runs import actions
from pages.parts.runs.lineage import MORE_EPOCHS
from pages.parts.session import NEW_SEARCH_PAGE, newest_run, open_run, store
from pages.parts.widgets.cards import page_head, problem_lines
from storage import Run, RunState


def start(drawn_on: str) -> None:
    """Read the form as it is at the click: a value typed just before it counts too."""
    take_yaml()
    spec = fields.check(store())[0]
    if spec is None or st.session_state.get("new_yaml_problems"):
        return  # the page, drawn again, says what is wrong
    try:
        st.session_state["started_run"] = actions.start(spec, drawn_on, origin=branching()).id
    except Refused as refused:
        st.session_state["new_refused"] = refused.problems
    except (api.NotFound, api.Unavailable) as gone:
        st.toast(formatting.escaped(str(gone)), icon=":material/error:")


def branching() -> tuple[str, str] | None:
    """The run and the checkpoint to go on from (`?branch=ID&at=NAME`), if any."""
    run_id = st.query_params.get("branch")
    return (run_id, st.query_params.get("at", "last")) if run_id else None


def branch_note(origin: tuple[str, str]) -> None:
    """What the new run begins with, and how to leave that."""
    try:
        parent, kept = api.find_run(store(), origin[0]), api.find_checkpoint(store(), *origin)
    except api.NotFound as missing:
        st.error(formatting.escaped(str(missing)), icon=":material/search_off:")
        return
    where = f"epoch {kept.epoch}" if kept.is_whole else f"step {kept.step:,}"
    st.info(
        f"It goes on from **{formatting.escaped(parent.name)}** after {where}, which stays as it is. Network, data "
        "set and split must stay the same; what else you change counts from there on. Epochs "
        "count from the very beginning.",
        icon=":material/fork_right:",
    )


def take_preset() -> None:
    chosen = st.session_state["new_preset"]
    if chosen:
        dataset = st.session_state.get(fields.field_key("data.dataset"))
        values = dict(PRESETS[chosen].values)
        if dataset:  # a preset keeps the data set chosen, unless it has its own
            values["data"] = {"dataset": dataset} | values.get("data", {})
        fields.fill(values)


def take_yaml(again: bool = False) -> None:
    """Fill in what was pasted, once: what is changed by hand after it stays, unless it is filled in `again`."""
    text = st.session_state.get("new_yaml", "")
    if text == st.session_state.get("new_yaml_taken", "") and not again:
        return
    st.session_state["new_yaml_taken"] = text
    st.session_state["new_yaml_problems"] = []
    if not text.strip():
        return
    try:
        fields.fill(RunSpec.from_yaml(text).model_dump())
        st.session_state["new_preset"] = None
    except Refused as refused:
        st.session_state["new_yaml_problems"] = refused.problems


def first_values() -> None:
    """Fill the form once: from a run (`?from=`), the same for longer (`?longer=`), to start from its weights
    (`?weights=`), for a data set (`?dataset=`), or with a preset for this machine."""
    source = tuple(st.query_params.get(name, "") for name in ("from", "dataset", "weights", "branch", "at", "longer"))
    if st.session_state.get("new_filled") == source:
        return
    st.session_state["new_filled"] = source
    status = store().engine.get()
    preset = "balanced" if status and status.machine.get("gpus") else "quick"
    values = dict(PRESETS[preset].values)
    if run_id := source[0] or source[3] or source[5]:
        try:
            copied = api.find_run(store(), run_id)
            values = _branched(copied) if source[3] else copied.spec
            if source[5]:
                values = api.longer(store(), run_id).model_dump()
            st.toast("Filled in from that run.", icon=":material/content_copy:")
        except api.NotFound as missing:
            st.toast(formatting.escaped(str(missing)), icon=":material/search_off:")
    else:
        st.session_state["new_preset"] = preset
        if source[1]:
            values["data"] = {**values.get("data", {}), "dataset": source[1]}
        if source[2]:
            values = {**values, **_fine_tuning(source[2], values)}
        values = _from_address(values)
    fields.fill(values)


def _branched(run: Run) -> fields.Values:
    """A run's settings, with epochs left to train where it has had them all."""
    epochs = run.spec["epochs"] + (MORE_EPOCHS if run.state is RunState.FINISHED else 0)
    return {**run.spec, "epochs": epochs, "name": f"{run.name}, branched"[:200]}


def _from_address(values: fields.Values) -> fields.Values:
    """`values` with what the address says of single settings: `?data.split_seed=7`; what is refused a toast says."""
    for setting in api.settings():
        if setting.path in st.query_params:
            part, _, leaf = setting.path.partition(".")
            try:
                value = yaml.safe_load(st.query_params[setting.path])
                alone = {part: {leaf: value} if leaf else value}
                RunSpec.parse(alone)
            except yaml.YAMLError:
                st.toast(f"The address's {setting.path} is left out: it is no value.", icon=":material/link_off:")
                continue
            except Refused as refused:
                if any(problem.field == setting.path for problem in refused.problems):
                    st.toast(formatting.escaped(str(refused)), icon=":material/link_off:")
                    continue
            values = {**values, part: {**values.get(part, {}), leaf: value} if leaf else value}
    return values


def _fine_tuning(run_id: str, values: fields.Values) -> fields.Values:
    """What a run that starts from another's weights takes over from it, and a policy fit for few images."""
    try:
        spec = api.find_run(store(), run_id).spec
    except api.NotFound as missing:
        st.toast(formatting.escaped(str(missing)), icon=":material/search_off:")
        return {}
    others = [one.id for one in store().datasets.list() if one.id not in (spec["data"]["dataset"], "digits")]
    dataset = {"dataset": others[0]} if others and "dataset" not in st.query_params else {}
    kept = ("backbone", "stem", "input_layer")
    model = {name: spec["model"][name] for name in kept if name in spec["model"]}
    return {
        "data": {**values.get("data", {}), **dataset, "image_size": spec["data"]["image_size"]},
        "model": {**model, "weights": "run", "weights_from": run_id},
        "freeze": {"policy": "head"},
    }


def start_bar(spec: RunSpec | None, problems: list[Problem]) -> None:
    """Always in sight: what will run and the button that starts it, or what keeps it from starting."""
    with st.bottom, st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(gap=None, width="stretch", key="new_summary"):
            if spec is None:
                st.markdown(f"**{formatting.count(len(problems), 'value')} to put right**")
                problem_lines(problems[:2], labelled=True)
            else:
                summary(spec)
            problem_lines(st.session_state.pop("new_refused", []), labelled=True)
            if spec is not None:
                fit_panel(spec)
        st.button(
            "Start training",
            type="primary",
            icon=":material/play_arrow:",
            disabled=spec is None,
            on_click=start,
            args=(newest_run(),),
            key="new_start",
            width="content",
        )


def summary(spec: RunSpec) -> None:
    """What will run: network, data set, images and steps, and what runs before it."""
    dataset = store().datasets.get(spec.data.dataset)
    backbone = api.BACKBONES[spec.model.backbone]
    own = sum(dataset.counts.get("train", {}).values())
    training = own or round(dataset.images * (1 - spec.data.validation_fraction))
    steps = ceil(training / spec.optimisation.batch_size)
    st.markdown(f"**{formatting.escaped(backbone.label)} on {formatting.escaped(dataset.name)}**")
    images, epochs = formatting.count(training, "image"), formatting.count(spec.epochs, "epoch")
    waiting = len(store().runs.queue())
    waits = f" · after {formatting.count(waiting, 'waiting run')}" if waiting else ""
    st.caption(f"{images} · {epochs} of {formatting.count(steps, 'step')}{waits}")
    if steps == 1 and training < spec.optimisation.batch_size:
        st.caption(
            f":orange[A batch of {spec.optimisation.batch_size} holds them all: a smaller one moves more often.]"
        )


def _misfits(origin: tuple[str, str], spec: RunSpec) -> list[Problem]:
    try:
        return api.branch_problems(store(), *origin, spec)
    except Refused as refused:  # the other run's settings are of another version
        return refused.problems
    except api.NotFound as missing:
        return [Problem("checkpoint", origin[1], str(missing))]


def page() -> None:
    if (started := actions.started_run()) is not None:
        st.session_state.pop("new_filled", None)
        open_run(started)
    with page_head("New run"):
        if not branching():
            st.page_link(NEW_SEARCH_PAGE, label="Search around this", icon=":material/travel_explore:")
    first_values()
    spec, problems = fields.check(store())
    if origin := branching():
        branch_note(origin)
        if spec is not None and (problems := _misfits(origin, spec)):
            spec = None
    else:
        preset_choice(PRESETS, "new_preset", take_preset, none="Your own settings; a preset would replace them.")
    for section in run_sections.SECTIONS:
        run_sections.draw(section, spec, problems)
    yaml_in("new", take_yaml, placeholder="epochs: 20\nmodel:\n  backbone: resnet18")
    if spec is not None:
        yaml_out("run", "train", spec.to_yaml(all_fields=True))
    start_bar(spec, problems)


page()
