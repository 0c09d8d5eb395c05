"""Widgets to spec and back: the only place where widget values become a RunSpec."""

import hashlib
from collections.abc import Iterable
from typing import Any

import streamlit as st

import engine
from engine import Problem, Refused, RunSpec, Setting
from storage import Dataset, Run, Store

TABLES: dict[str, dict[str, Any]] = {
    "backbones": engine.BACKBONES,
    "optimizers": engine.OPTIMIZERS,
    "strategies": engine.STRATEGIES,
}


def field_key(path: str) -> str:
    return f"new.{path}"


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
                    st.caption(f":red[{_plain(wrong[setting.path].message)}]")


def start_key(spec: RunSpec, newest: Run | None) -> str:
    """The same in every tab that shows this spec and has seen the same runs: two tabs start one run."""
    told = spec.model_dump_json() + (newest.id if newest else "")
    return hashlib.sha256(told.encode()).hexdigest()


def _widget(setting: Setting, datasets: list[Dataset]) -> None:
    key = field_key(setting.path)
    label = f"{setting.label} ({setting.unit})" if setting.unit else setting.label
    text = f"{setting.description} Allowed: {_allowed(setting)}."
    if setting.choices == "datasets":
        by_name = {dataset.name: dataset for dataset in datasets}
        if st.session_state.get(key) not in by_name:
            st.session_state[key] = next(iter(by_name), setting.default)
        st.selectbox(label, list(by_name), key=key, help=text, format_func=lambda name: _about(by_name[name]))
    elif isinstance(setting.choices, str):
        table = TABLES[setting.choices]
        lines = "\n".join(f"- **{row.label}**: {row.note}" for row in table.values())
        st.selectbox(label, list(table), key=key, help=f"{text}\n\n{lines}", format_func=lambda name: table[name].label)
    elif setting.choices:
        st.selectbox(label, list(setting.choices), key=key, help=text)
    elif setting.type is int:
        st.number_input(label, key=key, help=text, step=1)
    elif setting.path == "name":
        st.text_input(label, key=key, help=text, placeholder="made from backbone and data set")
    else:
        st.text_input(label, key=key, help=text)


def _allowed(setting: Setting) -> str:
    return "one of the list" if isinstance(setting.choices, str) else setting.allowed


def _shown(setting: Setting, value: Any) -> Any:
    """Rates as text: "1e-05" and "0.001" are both typed, and no widget rounds them."""
    return f"{value:g}" if setting.type is float and isinstance(value, float | int) else value


def _about(dataset: Dataset) -> str:
    return f"{dataset.name} · {dataset.images:,} images · {len(dataset.classes)} classes"


def _plain(text: str) -> str:
    return text.replace("[", "\\[").replace("]", "\\]").replace("_", "\\_").replace("*", "\\*")
