"""The sections of the New run form and the pictures beside their fields: what augmentation, freezing and rates do."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from engine import api
from engine.api import Preview, Problem, RunSpec, Setting
from pages.parts import formatting
from pages.parts.figures.runs.rate_finder import rate_finder
from pages.parts.figures.runs.rate_plan import rate_plan
from pages.parts.figures.runs.thaw_plan import height, thaw_plan
from pages.parts.forms import fields as forms
from pages.parts.session import palette, store
from pages.parts.widgets.preview import previewed

SMALL_PX = 48  # a stem made for 224 px leaves little of such images
POINTS = 200  # of a drawn schedule


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    icon: str
    fields: tuple[str, ...]  # beginnings of the settings' paths
    picture: Callable[[RunSpec], None]


def draw(section: Section, spec: RunSpec | None, problems: list[Problem]) -> None:
    """The usual fields, the picture of what they do, and the rest behind "More"."""
    settings = [one for one in api.settings() if one.path.startswith(section.fields)]
    with st.container(border=True):
        st.markdown(f"**:material/{section.icon}: {section.title}**")
        forms.draw(_plain(settings), problems, store())
        if spec is not None:
            section.picture(spec)
        advanced = [one for one in settings if one.advanced and forms.means_something(one)]
        wrong = {problem.field for problem in problems} & {one.path for one in advanced}
        changed = sum(_is_changed(one) for one in advanced)
        label = f"More · {changed} changed" if changed else "More"
        with st.expander(label, icon=":material/tune:", expanded=bool(wrong), key=f"new_more_{section.title}"):
            forms.draw(advanced, problems, store())


def _plain(settings: list[Setting]) -> list[Setting]:
    return [one for one in settings if not one.advanced]


def _is_changed(setting: Setting) -> bool:
    value = forms.value_of(setting)
    return str(value) not in (str(setting.default), f"{setting.default:g}" if setting.type is float else "")


def _augmentation(spec: RunSpec) -> None:
    if not spec.data.augmentations and spec.data.resize == "stretch":
        return

    def show(made: Preview) -> None:
        st.image(
            made.pictures["sheet"],
            alt="Some training images, unchanged on the left, then as training will see them",
            width="stretch",
        )
        changed = " the first of each row is unchanged, the others are as training may see it" * bool(
            spec.data.augmentations
        )
        st.caption(f"Your own training images at {spec.data.image_size} px:{changed or ' as the network sees them'}.")

    with st.container(border=False, key="new_augmentation"):
        previewed("augmentation", spec, show, making="Changing some of your images")


def _weights(spec: RunSpec) -> None:
    row = api.BACKBONES[spec.model.backbone]
    if row.layout.stem and spec.model.stem == "original" and spec.data.image_size <= SMALL_PX:
        st.caption(f"For images of {spec.data.image_size} px, a small stem (under More) lets the network see more.")
    if spec.model.weights == "random":
        return

    def show(made: Preview) -> None:
        weights = (made.values or {})["first_weights"] or {}
        if "missing" in weights:
            st.info(
                f"{weights['missing']} is not in {formatting.escaped(weights['folder'])} yet: it is fetched when "
                f"the run starts. Without a network, put the file from {weights['url']} there.",
                icon=":material/download:",
            )
            return
        taken = (
            f"{formatting.count(weights['loaded'], 'tensor')} taken over from {formatting.escaped(weights['source'])}"
        )
        if len(weights["new"]) > weights["loaded"]:
            most = f"but {formatting.count(len(weights['new']), 'tensor')} begin from nothing"
            st.warning(f"{taken}, {most}: are these weights of another network?", icon=":material/warning:")
        else:
            st.markdown(f":material/check_circle: {taken}.")
        for name, title in (("changed", "Fitted"), ("new", "New, learned from nothing"), ("left_out", "Left out")):
            if weights[name]:
                st.caption(f"{title}: {formatting.escaped(formatting.some(weights[name], 8))}")

    previewed("layers", spec, show, making="Comparing the weights with the network", place="weights")


def _freezing(spec: RunSpec) -> None:
    plan = spec.thaw_plan
    if spec.freeze.policy != "none":
        option = thaw_plan(plan, spec.epochs, palette=palette())
        st.echarts_chart(option, height=height(plan), key="new_thaw_plan", alt="When each stage of the network learns")
        late = [name for name, thaws in plan.items() if thaws is not None and thaws >= spec.epochs]
        if late:
            never = "never thaws" if len(late) == 1 else "never thaw"
            st.warning(
                f"With {formatting.count(spec.epochs, 'epoch')}, {', '.join(late)} {never}: "
                "train for more epochs, or let stages thaw sooner.",
                icon=":material/ac_unit:",
            )
        st.caption(
            "Frozen stages keep their BatchNorm statistics and drop nothing out."
            if spec.freeze.batchnorm
            else "BatchNorm statistics of frozen stages follow your images, although their weights are frozen."
        )
        if spec.model.weights == "random":
            st.warning(
                "Frozen stages with random weights know nothing: choose weights to start from.",
                icon=":material/warning:",
            )
    previewed("layers", spec, lambda made: _layers(spec, made), making="Reading the network's layers")


def _layers(spec: RunSpec, made: Preview) -> None:
    values = made.values or {}
    keeps = api.OPTIMIZERS[spec.optimisation.optimizer].keeps
    thaws = {name: spec.epochs if at is None else at for name, at in spec.thaw_plan.items()}
    at_start = sum(stage["weights"] for stage in values["stages"] if thaws[stage["name"]] == 0)
    by_end = sum(stage["weights"] for stage in values["stages"] if thaws[stage["name"]] < spec.epochs)
    checkpoint = values["bytes"] + 4 * keeps * by_end
    with st.container(horizontal=True, gap="large"):
        st.metric("Weights", formatting.millions(values["weights"]))
        st.metric("Learn at the start", formatting.millions(at_start))
        st.metric("Learn by the end", formatting.millions(by_end))
        st.metric("A checkpoint", formatting.size(checkpoint))
    with st.expander("Layers and tensors", icon=":material/layers:", key="new_layers"):
        view = st.segmented_control(
            "Show", ("Layers", "Tensors"), default="Layers", required=True, key="new_layers_view"
        )
        if view == "Tensors":
            rows = [
                {"Tensor": one["name"], "Shape": " × ".join(map(str, one["shape"])) or "1", "Type": one["type"]}
                for one in values["tensors"]
            ]
        else:
            rows = [_row(spec, one) for one in values["layers"]]
        st.dataframe(
            pd.DataFrame(rows), hide_index=True, height=360, key=f"new_layers_{view}", alt=f"{view} of the network"
        )


def _row(spec: RunSpec, layer: dict) -> dict[str, object]:
    thaws = spec.thaw_plan.get(layer["stage"] or "")
    learns = (
        "" if not layer["weights"] else "frozen" if thaws is None else f"from epoch {thaws + 1}" if thaws else "learns"
    )
    return {
        "Layer": layer["path"],
        "Kind": layer["kind"],
        "Output": " × ".join(map(str, layer["output"])),
        "Weights": layer["weights"],
        "Stage": layer["stage"] or "",
        "Learns": learns,
    }


def _rates(spec: RunSpec) -> None:
    optimisation, plan = spec.optimisation, spec.thaw_plan
    moves = optimisation.schedule != "constant" or optimisation.warmup_epochs or spec.freeze.rate_decay < 1
    if moves:
        rates = {}
        for stage, share in spec.rates.items():
            start = plan[stage]
            if start is not None and start < spec.epochs:
                epochs = [start + (spec.epochs - start) * place / POINTS for place in range(POINTS + 1)]
                rates[stage] = [
                    (epoch, optimisation.learning_rate * share * spec.rate_share(epoch)) for epoch in epochs
                ]
        if spec.freeze.rate_decay == 1:  # one rate for all: the head's
            rates = {"learning rate": rates["head"]}
        option = rate_plan(rates, spec.epochs, palette=palette())
        st.echarts_chart(option, height=210, key="new_rate_plan", alt="Learning rate over the epochs")
        if api.SCHEDULES[optimisation.schedule].follows:
            st.caption("The plateau schedule lowers the rate when validation stalls, which nobody can draw beforehand.")
    _finder(spec)


def _finder(spec: RunSpec) -> None:
    if not st.toggle(
        "Find a learning rate",
        key="new_find_rate",
        help="Trains a throw-away copy for some steps while the rate grows, and shows where the loss falls fastest.",
    ):
        return

    def show(made: Preview) -> None:
        values = made.values or {}
        option = rate_finder(values["rates"], values["losses"], values["suggestion"], palette=palette())
        st.echarts_chart(option, height=220, key="new_rate_finder", alt="Loss over the learning rate")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Take {values['suggestion']:g}",
                icon=":material/check:",
                key="new_take_rate",
                on_click=_take_rate,
                args=(values["suggestion"],),
            )
            st.caption("Where the loss falls fastest. To the right of the lowest point, training diverges.")

    # the rate itself does not matter to the search for it: typing another one must not start it anew
    neutral = spec.model_copy(update={"optimisation": spec.optimisation.model_copy(update={"learning_rate": 1e-3})})
    previewed("rates", neutral, show, making="Trying rates from tiny to huge")


def _take_rate(rate: float) -> None:
    st.session_state[forms.field_key("optimisation.learning_rate")] = f"{rate:g}"


def _nothing(spec: RunSpec) -> None:
    """A section that needs no picture."""


SECTIONS = (
    Section("Images", "photo_library", ("data.",), _augmentation),
    Section("Network", "hub", ("model.",), _weights),
    Section("Freezing", "ac_unit", ("freeze.",), _freezing),
    Section("Training", "trending_down", ("optimisation.", "epochs"), _rates),
    Section("Run", "play_circle", ("name", "seed", "device", "strategy", "compute.", "keep_checkpoints"), _nothing),
)
