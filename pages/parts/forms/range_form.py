"""The "Search …" switch under a field of the New search form, and the widgets of its range."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from engine import api
from engine.api import Problem, Setting
from pages.parts import formatting
from pages.parts.forms import fields, ranges

ALWAYS = "always"


def fill(space: Mapping[str, Any]) -> None:
    """Lay a space, as YAML has it, over the switches; fields that are not in it are switched off."""
    for path in api.searchable():
        span = space.get(path)
        st.session_state[_key("on", path)] = span is not None
        if span is not None:
            _hold(path, ranges.of_range(span))
            when = dict(span.get("when") or {})
            parent = next(iter(when), ALWAYS)
            st.session_state[_key("parent", path)] = parent
            # a form asks for one condition; more of them come from YAML alone, and stay
            st.session_state[_key("others", path)] = {one: when[one] for one in when if one != parent}
            st.session_state[_key("values", path)] = [ranges.typed(one) for one in _several(when.get(parent))]


def searched() -> dict[str, tuple[Any, ...]]:
    """The listed values of every field whose switch is on, by path; () for numbers between two ends."""
    known = api.searchable()
    return {path: ranges.choices(known[path], _held(path)) for path in known if is_on(path)}


def read() -> fields.Values:
    """The space as YAML has it. A field that means nothing now is not searched, whatever its switch says."""
    values = searched()
    space: fields.Values = {}
    for path in values:
        setting = api.searchable()[path]
        if fields.means_something(setting, searched=values):
            space[path] = {**ranges.as_range(setting, _held(path)), **_when(path, values)}
    return space


def is_on(path: str) -> bool:
    return bool(st.session_state.get(_key("on", path)))


def switch(setting: Setting, problems: list[Problem]) -> None:
    """The switch, and below it, once it is on, what to search and what is wrong with that."""
    if setting.path not in api.searchable():
        return
    on = st.toggle(
        f":small[Search {named(setting)}]",
        key=_key("on", setting.path),
        persist_state="session",
        on_change=_begin,
        args=(setting,),
        help="Trials try several values. Trial 1 takes the one above.",
    )
    if not on:
        return
    with st.container(border=True, gap="small", key=f"span_box_{setting.path.replace('.', '_')}"):
        _kind(setting)
        _values(setting)
        _condition(setting)
        for problem in problems:
            if problem.path[:2] == ("space", setting.path) or problem.path == (setting.path,):
                st.markdown(f":small[:red[:material/error: {formatting.escaped(problem.message)}]]")


def base_value(setting: Setting) -> None:
    """The base run's value, where it cannot be changed."""
    value = _label(setting, ranges.typed(fields.RUN.value(setting.path)))
    unit = f" {setting.unit}" if setting.unit else ""
    st.markdown(f"{formatting.escaped(setting.label)} :gray[{formatting.escaped(value)}{unit}]")


def named(setting: Setting) -> str:
    """Its label within a sentence: "learning rate", "EMA"."""
    label = setting.label
    return label if label[1:2].isupper() else label[0].lower() + label[1:]


def _kind(setting: Setting) -> None:
    offered = ranges.kinds(setting)
    if len(offered) > 1:
        st.segmented_control(
            "Search by",
            offered,
            format_func=ranges.KINDS.__getitem__,
            key=_key("kind", setting.path),
            required=True,
            persist_state="session",
            label_visibility="collapsed",
            on_change=_changed_kind,
            args=(setting,),
        )


def _values(setting: Setting) -> None:
    path, kind = setting.path, st.session_state.get(_key("kind", setting.path))
    if kind == "choices":
        offered = ranges.options(setting, fields.RUN.value(path))
        chosen = list(st.session_state.get(_key("choices", path), []))
        typed = offered is None or setting.type is tuple
        st.multiselect(
            "Values",
            list(dict.fromkeys([*(offered or []), *chosen])),
            key=_key("choices", path),
            persist_state="session",
            accept_new_options=typed,
            format_func=lambda name: _label(setting, name),
            placeholder="Type a value, then Enter" if typed else "Choose two or more",
            help="Several names in one value: flip + rotate" if setting.type is tuple else None,
        )
        return
    with st.container(horizontal=True, gap="small"):
        for name, label in (("low", "From"), ("high", "To"), ("step", "Step")):
            if name != "step" or kind != "log":
                st.text_input(
                    label,
                    key=_key(name, path),
                    persist_state="session",
                    placeholder={"step": "1" if kind == "integers" else "any"}.get(name, ""),
                    width=76,
                )


def _condition(setting: Setting) -> None:
    """Search it only in trials where another searched field has a certain value."""
    known, path = api.searchable(), setting.path
    parents = [one for one, values in searched().items() if values and one != path]
    if not parents:
        return
    chosen = st.session_state.get(_key("parent", path), ALWAYS)
    if chosen not in parents:
        st.session_state[_key("parent", path)] = ALWAYS
    when = "always" if chosen not in parents else f"only with {known[chosen].label.lower()}"
    with st.popover(f":small[:material/rule: {when}]", type="tertiary", key=f"span_when_{path.replace('.', '_')}"):
        st.selectbox(
            "Search it",
            [ALWAYS, *parents],
            format_func=lambda one: "always" if one == ALWAYS else f"only with some of {known[one].label.lower()}",
            key=_key("parent", path),
            persist_state="session",
        )
        parent = st.session_state[_key("parent", path)]
        if parent != ALWAYS:
            offered = [ranges.typed(one) for one in searched()[parent]]
            kept = [one for one in st.session_state.get(_key("values", path), []) if one in offered]
            st.session_state[_key("values", path)] = kept or offered[:1]
            st.multiselect(
                known[parent].label,
                offered,
                key=_key("values", path),
                persist_state="session",
                placeholder="with which values",
            )


def _when(path: str, values: Mapping[str, tuple[Any, ...]]) -> fields.Values:
    parent = st.session_state.get(_key("parent", path), ALWAYS)
    if parent == ALWAYS or not values.get(parent):
        return {}
    named = set(st.session_state.get(_key("values", path), []))
    others = {one: several for one, several in st.session_state.get(_key("others", path), {}).items() if one in values}
    return {"when": {parent: [one for one in values[parent] if ranges.typed(one) in named], **others}}


def _begin(setting: Setting) -> None:
    """Once switched on: a range around the field's value, unless there was one before."""
    if is_on(setting.path) and _key("kind", setting.path) not in st.session_state:
        base = fields.RUN.value(setting.path)
        _hold(setting.path, ranges.suggested(setting, base, fits=lambda text: _fits(setting, text)))


def _fits(setting: Setting, text: str) -> bool:
    """Whether the form goes together with this value: weights of a file, say, want the file's name first."""
    values = fields.read()
    *parents, leaf = setting.path.split(".")
    inner = values
    for parent in parents:
        inner = inner[parent]
    inner[leaf] = ranges.as_range(setting, ranges.RangeInput(choices=(text,)))["choices"][0]
    try:
        api.RunSpec.parse(values)
    except api.Refused:
        return False
    return True


def _label(setting: Setting, name: str) -> str:
    """A row of a table by its label; what else is chosen, as it is typed."""
    table = api.TABLES.get(setting.choices, {}) if isinstance(setting.choices, str) else {}
    return table[name].label if name in table else name


def _changed_kind(setting: Setting) -> None:
    """From a list to two ends and back: what is empty then gets a suggestion."""
    kind, path = st.session_state[_key("kind", setting.path)], setting.path
    now = _held(path)
    if kind == "choices" and not now.choices:
        st.session_state[_key("choices", path)] = [ranges.typed(fields.RUN.value(path))]
    elif kind != "choices" and not (now.low and now.high):
        made = ranges.suggested(setting, fields.RUN.value(path))
        st.session_state[_key("low", path)] = made.low or min(now.choices, key=_as_number, default="")
        st.session_state[_key("high", path)] = made.high or max(now.choices, key=_as_number, default="")


def _as_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _hold(path: str, values: ranges.RangeInput) -> None:
    for name, value in asdict(values).items():
        st.session_state[_key(name, path)] = list(value) if name == "choices" else value


def _held(path: str) -> ranges.RangeInput:
    defaults = asdict(ranges.RangeInput())
    held = {name: st.session_state.get(_key(name, path), value) for name, value in defaults.items()}
    return ranges.RangeInput(**{**held, "choices": tuple(held["choices"])})


def _several(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [] if values is None else [values]


def _key(part: str, path: str) -> str:
    return f"span_{part}_{path}"
