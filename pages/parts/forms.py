"""Widgets to spec and back: the only place where widget values become a RunSpec."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

import engine
from engine import Problem, Refused, RunSpec, Setting
from pages.parts import words
from storage import Dataset, Store

TABLES: dict[str, dict[str, Any]] = {
    "backbones": engine.BACKBONES,
    "optimizers": engine.OPTIMIZERS,
    "strategies": engine.STRATEGIES,
}


def field_key(path: str) -> str:
    return f"new_{path}"


def fill(values: dict[str, Any]) -> None:
    """Lay a (partial, nested) spec over the form; what it leaves out goes back to the default."""
    for setting in engine.settings():
        inner: Any = values
        for part in setting.path.split("."):
            inner = inner.get(part, {}) if isinstance(inner, dict) else {}
        value = setting.default if inner == {} else inner
        st.session_state[field_key(setting.path)] = _shown(setting, value)


def read() -> dict[str, Any]:
    """The form's values as a nested mapping, not yet checked."""
    values: dict[str, Any] = {}
    for setting in engine.settings():
        *parents, leaf = setting.path.split(".")
        inner = values
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[leaf] = st.session_state.get(field_key(setting.path), setting.default)
    return values


def check(store: Store) -> tuple[RunSpec | None, list[Problem]]:
    """The spec that the form says, or what is wrong with it, in the words of the command line."""
    try:
        spec = RunSpec.parse(read())
    except Refused as refused:
        return None, refused.problems
    problems = engine.check(store, spec)
    return (None if problems else spec), problems


def draw(settings: Iterable[Setting], problems: list[Problem], datasets: list[Dataset]) -> None:
    """One widget a setting, in a grid; a problem stands under its own field."""
    wrong = {problem.field: problem for problem in problems}
    with st.grid(3, min_column_width=220, gap="medium"):
        for setting in settings:
            with st.container(gap="small"):
                _widget(setting, datasets)
                if setting.path in wrong:
                    st.markdown(f":small[:red[:material/error: {words.escaped(wrong[setting.path].message)}]]")


def _widget(setting: Setting, datasets: list[Dataset]) -> None:
    label = f"{setting.label} ({setting.unit})" if setting.unit else setting.label
    shared: dict[str, Any] = {
        "label": label,
        "key": field_key(setting.path),
        "help": f"{setting.description} Allowed: {_allowed(setting)}.",
        "persist_state": "session",  # leaving the page for another loses nothing
    }
    if setting.choices == "datasets":
        _dataset_box(shared, datasets)
    elif isinstance(setting.choices, str):
        table = TABLES[setting.choices]
        lines = "\n".join(f"- **{row.label}**: {row.note}" for row in table.values())
        shared["help"] += f"\n\n{lines}"
        st.selectbox(**shared, options=list(table), format_func=lambda name: table[name].label)
    elif setting.choices:
        st.selectbox(**shared, options=list(setting.choices))
    elif setting.type is int:
        st.number_input(**shared, step=1)
    else:
        placeholder = "made from backbone and data set" if setting.path == "name" else f"{setting.default}"
        st.text_input(**shared, placeholder=placeholder)


def _dataset_box(shared: dict[str, Any], datasets: list[Dataset]) -> None:
    """Data sets by id. One that is no longer here, from an old spec, stays on show so that the check can say so."""
    about = {dataset.id: f"{dataset.name} · {words.count(dataset.images, 'image')}" for dataset in datasets}
    by_name = {dataset.name: dataset.id for dataset in datasets}
    chosen = st.session_state.get(shared["key"])
    if chosen in by_name:
        st.session_state[shared["key"]] = by_name[chosen]
    elif chosen and chosen not in about:
        about[chosen] = f"{chosen} · not here"
    st.selectbox(**shared, options=list(about), format_func=lambda name: about.get(name, name))


def _allowed(setting: Setting) -> str:
    return "one of the list" if isinstance(setting.choices, str) else setting.allowed


def _shown(setting: Setting, value: Any) -> Any:
    """Rates as text: "1e-05" and "0.001" are both typed, and no widget rounds them."""
    return f"{value:g}" if setting.type is float and isinstance(value, float | int) else value
