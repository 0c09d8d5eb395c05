"""Widgets to spec and back: the only place where widget values become a RunSpec."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st

from engine import api
from engine.api import Backbone, Choice, Problem, Refused, RunSpec, Setting
from pages.parts import formatting
from pages.parts.analysis.trials import COSTS
from storage import Dataset, Run, Store

Row = TypeVar("Row")
Values = dict[str, Any]  # a spec as YAML has it, nested, maybe only a part of it, not yet checked

MOST_EXPLAINED = 14  # rows of a table in a tooltip


@dataclass(frozen=True, slots=True)
class Form:
    """The widgets of one kind of spec: where their values are kept, and what they are about."""

    prefix: str
    settings: Callable[[], Iterable[Setting]]

    def key(self, path: str) -> str:
        return f"{self.prefix}{path}"

    def setting(self, path: str) -> Setting:
        return next(one for one in self.settings() if one.path == path)

    def value(self, path: str) -> Any:
        """What the form holds for a field now."""
        return st.session_state.get(self.key(path), self.setting(path).default)


RUN = Form("new_", api.settings)
SEARCH = Form("plan_", api.search_settings)


def field_key(path: str) -> str:
    return RUN.key(path)


def fill(values: Values, form: Form = RUN) -> None:
    """Lay a (partial, nested) spec over the form; what it leaves out goes back to the default."""
    for setting in form.settings():
        inner: Any = values
        for part in setting.path.split("."):
            inner = inner.get(part, {}) if isinstance(inner, dict) else {}
        value = setting.default if inner == {} else inner
        st.session_state[form.key(setting.path)] = shown(setting, value)


def read(form: Form = RUN) -> Values:
    """The form's values as a nested mapping, not yet checked."""
    values: Values = {}
    for setting in form.settings():
        *parents, leaf = setting.path.split(".")
        inner = values
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[leaf] = value_of(setting, form)
    return values


def value_of(setting: Setting, form: Form = RUN) -> Any:
    """What the form holds for a setting now."""
    return st.session_state.get(form.key(setting.path), setting.default)


def check(store: Store) -> tuple[RunSpec | None, list[Problem]]:
    """The spec that the form says, or what is wrong with it, in the words of the command line."""
    try:
        spec = RunSpec.parse(read())
    except Refused as refused:
        return None, refused.problems
    problems = api.check(store, spec)
    return (None if problems else spec), problems


def means_something(setting: Setting, form: Form = RUN, searched: Mapping[str, Iterable[Any]] | None = None) -> bool:
    """Whether the form's other values let the setting matter; those that are `searched` have several."""
    if setting.when is None:
        return True
    path, values = setting.when
    tried = (form.value(path), *(searched or {}).get(path, ()))
    return any(value in values for value in tried)


def draw(
    settings: Iterable[Setting],
    problems: list[Problem],
    store: Store,
    *,
    form: Form = RUN,
    searched: Mapping[str, Iterable[Any]] | None = None,
    below: Callable[[Setting], None] | None = None,
    widget: Callable[[Setting], None] | None = None,
) -> None:
    """One widget a setting that matters now, in a grid; a problem stands under its own field.

    Args:
        searched: Values that fields have beside the form's own, by path; see `means_something`.
        below: Draws what stands under a widget, in the same cell.
        widget: Draws what stands in its place.
    """
    wrong = {problem.field: problem for problem in problems}
    with st.grid(3, min_column_width=220, gap="medium"):
        for setting in settings:
            if means_something(setting, form, searched):
                with st.container(gap="small"):
                    widget(setting) if widget else _widget(setting, store, form)
                    if setting.path in wrong:
                        st.markdown(f":small[:red[:material/error: {formatting.escaped(wrong[setting.path].message)}]]")
                    if below:
                        below(setting)


def _widget(setting: Setting, store: Store, form: Form) -> None:
    label = f"{setting.label} ({setting.unit})" if setting.unit else setting.label
    shared: dict[str, Any] = {
        "label": label,
        "key": form.key(setting.path),
        "help": f"{setting.tooltip} Allowed: {_allowed(setting)}.",
        "persist_state": "session",  # leaving the page for another loses nothing
    }
    if setting.choices == "datasets":
        _dataset_box(shared, store.datasets.list())
    elif setting.choices == "stages":
        st.multiselect(**shared, options=list(_chosen(api.BACKBONES, "model.backbone", form).stages))
    elif isinstance(setting.choices, str):
        _table_box(setting, shared, form)
    elif setting.choices:
        st.selectbox(
            **shared, options=list(setting.choices), format_func=lambda name: COSTS.get(name, formatting.metric(name))
        )
    elif setting.type is bool:
        st.toggle(**shared)
    elif setting.path == "model.weights_from" and st.session_state.get(field_key("model.weights")) == "run":
        _run_box(shared, store)
    elif setting.type is int:
        st.number_input(**shared, step=1)
    else:
        placeholder = {"name": "made from backbone and data set", "model.weights_from": "/data/weights.safetensors"}
        st.text_input(**shared, placeholder=placeholder.get(setting.path, f"{setting.default}"))


def _table_box(setting: Setting, shared: dict[str, Any], form: Form) -> None:
    """One or several rows of a catalog table; the note of the chosen one stands below, all of a few in the tooltip."""
    table = api.TABLES[str(setting.choices)]
    if len(table) <= MOST_EXPLAINED:
        shared["help"] += "\n\n" + "\n".join(f"- **{row.label}**: {row.note}" for row in table.values())
    if setting.type is tuple:
        st.multiselect(**shared, options=list(table), format_func=lambda name: table[name].label, placeholder="None")
        return
    st.selectbox(**shared, options=list(table), format_func=lambda name: _label(table[name]))
    st.caption(_chosen(table, setting.path, form).note)


def _chosen(table: Mapping[str, Row], path: str, form: Form) -> Row:
    """The row that the form's field `path` names."""
    return table.get(form.value(path), table[form.setting(path).default])


def _label(row: Choice) -> str:
    return f"{row.label} · {row.parameters_m:.3g} M" if isinstance(row, Backbone) else row.label


def _dataset_box(shared: dict[str, Any], datasets: list[Dataset]) -> None:
    """Data sets by id. One that is no longer here, from an old spec, stays on show so that the check can say so."""
    about = {dataset.id: f"{dataset.name} · {formatting.count(dataset.images, 'image')}" for dataset in datasets}
    by_name = {dataset.name: dataset.id for dataset in datasets}
    chosen = st.session_state.get(shared["key"])
    if chosen in by_name:
        st.session_state[shared["key"]] = by_name[chosen]
    elif chosen and chosen not in about:
        about[chosen] = f"{chosen} · not here"
    st.selectbox(**shared, options=list(about), format_func=lambda name: about.get(name, name))


def _run_box(shared: dict[str, Any], store: Store) -> None:
    """Runs that have learned something; choosing one takes its backbone over. A written-out @epoch stays on show."""
    runs = {run.id: run for run in store.runs.list(limit=500) if run.best_value is not None and not run.source}
    chosen = st.session_state.get(shared["key"]) or ""
    if not chosen and runs:
        backbone = st.session_state.get(field_key("model.backbone"))
        fitting = (name for name, run in runs.items() if run.spec["model"]["backbone"] == backbone)
        chosen = st.session_state[shared["key"]] = next(fitting, next(iter(runs)))
    options = [*runs, *([chosen] if chosen and chosen not in runs else [])]
    if not options:
        st.caption(":material/info: No run has a checkpoint yet.")
        return
    st.selectbox(
        **shared,
        options=options,
        format_func=lambda name: _of_run(runs[name]) if name in runs else name,
        on_change=_take_backbone,
        args=(runs, shared["key"]),
    )


def _take_backbone(runs: dict[str, Run], key: str) -> None:
    run = runs.get(st.session_state.get(key) or "")
    if run:
        st.session_state[field_key("model.backbone")] = run.spec["model"]["backbone"]


def _of_run(run: Run) -> str:
    return f"{formatting.shortened(run.name, 40)} · {run.spec['model']['backbone']} · {run.best_value:.3f}"


def _allowed(setting: Setting) -> str:
    return "one of the list" if isinstance(setting.choices, str) else setting.allowed


def shown(setting: Setting, value: Any) -> Any:
    """Rates as text: "1e-05" and "0.001" are both typed, and no widget rounds them."""
    if setting.type is float and isinstance(value, float | int):
        return repr(float(value)).removesuffix(".0")
    return list(value) if setting.type is tuple else value
