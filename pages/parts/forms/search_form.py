"""The New search form as a whole: base run, space and search together, from widgets to a spec and back."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from engine import api
from engine.api import Problem, Refused, SearchSpec, Setting
from pages.parts import formatting
from pages.parts.forms import fields, range_form, run_sections, search_problems
from pages.parts.forms.run_sections import Section
from storage import Store

PLAN = (
    "name",
    "algorithm",
    "scheduler",
    "metric",
    "cost",
    "random_first",
    "grace_epochs",
    "reduction",
    "perturb_epochs",
)
BUDGET = ("trials", "max_concurrent", "cpus", "gpus", "hours", "gpu_hours", "target", "seed")


def fill(values: fields.Values) -> None:
    """Lay a (partial) search spec over the form; a part that it leaves out goes back to the defaults."""
    if "run" in values:
        fields.fill(values["run"])
    fields.fill(values, fields.SEARCH)
    range_form.fill(values.get("space", {}))


def check(store: Store) -> tuple[SearchSpec | None, list[Problem]]:
    """The spec that the form says, or what is wrong with it, in the words of the form."""
    try:
        spec = SearchSpec.parse({**fields.read(fields.SEARCH), "run": fields.read(), "space": range_form.read()})
    except Refused as refused:
        return None, search_problems.in_form(refused.problems)
    problems = search_problems.in_form(api.check_search(store, spec))
    return (None if problems else spec), problems


def settle() -> None:
    """An algorithm that was just chosen takes a scheduler along that works with it."""
    algorithm, scheduler = (fields.SEARCH.value(name) for name in ("algorithm", "scheduler"))
    if st.session_state.get("plan_settled") == algorithm:
        return
    st.session_state["plan_settled"] = algorithm
    row, ends = api.ALGORITHMS[algorithm], api.SCHEDULERS[scheduler]
    if row.schedulers and scheduler not in row.schedulers:
        st.session_state[fields.SEARCH.key("scheduler")] = row.schedulers[0]
    elif ends.algorithms and algorithm not in ends.algorithms:
        st.session_state[fields.SEARCH.key("scheduler")] = "none"


def of_run(problems: list[Problem]) -> list[Problem]:
    """Those of the base run, named as its own form names them."""
    return [replace(one, path=one.path[1:]) if one.path[0] == "run" else one for one in problems]


def section(part: Section, problems: list[Problem], store: Store, *, fixed: bool = False) -> None:
    """A section of the base run's form, each field with its switch.

    Args:
        part: Which one.
        problems: What is wrong with the search; each stands under its field.
        store: Where data sets and runs to choose from are.
        fixed: The base run stays as it is: its values are shown, and only fields that can be searched stand there.
    """
    searched = range_form.searched()
    shown = [one for one in _settings(part, fixed=fixed) if fields.means_something(one, searched=searched)]
    if not shown:
        return
    draw = partial(
        fields.draw,
        problems=of_run(problems),
        store=store,
        searched=searched,
        below=partial(range_form.switch, problems=problems),
        widget=range_form.base_value if fixed else None,
    )
    usual, rest = ([one for one in shown if one.advanced is advanced] for advanced in (False, True))
    with st.container(border=True):
        st.markdown(f"**:material/{part.icon}: {part.title}**")
        if usual:
            draw(usual)
        if rest:
            paths = {one.path for one in rest}
            is_wrong = any(not paths.isdisjoint(one.path) for one in problems)
            label = _more(len(paths & searched.keys()))
            with st.expander(label, icon=":material/tune:", expanded=is_wrong, key=f"search_more_{part.title}"):
                draw(rest)


def _settings(part: Section, *, fixed: bool) -> list[Setting]:
    of_part = [one for one in api.settings() if one.path.startswith(part.fields) and one.path != "name"]
    return [one for one in of_part if one.path in api.searchable()] if fixed else of_part


def _more(searched: int) -> str:
    return f"More · {formatting.count(searched, 'setting')} searched" if searched else "More"


def space(spec: SearchSpec | None) -> None:
    """What is searched, in a line a field, wherever its switch is."""
    with st.container(border=True, gap="xsmall", key="search_space"):
        st.markdown("**:material/tune: What is searched**")
        known = api.searchable()
        if spec is None or not spec.space:
            searched = range_form.read()
            if not searched:
                st.caption("Nothing yet. Switch on “Search …” under a field below.")
            else:
                st.caption(", ".join(formatting.escaped(known[path].label) for path in searched))
            return
        for path, one in spec.space.items():
            when = " and ".join(
                f"{known[parent].label} {' or '.join(map(str, values))}"
                for parent, values in spec.conditions[path].items()
            )
            line = f"**{formatting.escaped(known[path].label)}** {formatting.escaped(api.in_words(one))}"
            st.markdown(line + (f" :small[:gray[only with {formatting.escaped(when)}]]" if when else ""))


def plan(problems: list[Problem], store: Store) -> None:
    """Who chooses the trials, what ends them early, and when it is enough."""
    with st.container(border=True):
        st.markdown("**:material/travel_explore: Search**")
        own = {one.path: one for one in api.search_settings()}
        usual = [own[path] for path in (*PLAN, *BUDGET) if not own[path].advanced]
        fields.draw(usual, problems, store, form=fields.SEARCH)
        rest = [one for one in own.values() if one.advanced and fields.means_something(one, fields.SEARCH)]
        wrong = {problem.field for problem in problems} & {one.path for one in rest}
        with st.expander("More", icon=":material/tune:", expanded=bool(wrong), key="search_more"):
            fields.draw(rest, problems, store, form=fields.SEARCH)


SECTIONS = run_sections.SECTIONS


def start_bar(
    spec: SearchSpec | None,
    problems: list[Problem],
    summary: Callable[[SearchSpec], None],
    *,
    label: str,
    on_click: Callable[..., None],
    args: tuple[Any, ...],
) -> None:
    """Always in sight: what will run, what it costs, and the button; or what keeps it from starting.

    Args:
        spec: What will run; None: something is wrong.
        problems: What that is.
        summary: Draws what will run and what it costs.
        label: Of the button.
        on_click: What it does, with `args`.
        args: See `on_click`.
    """
    with st.bottom, st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(gap=None, width="stretch", key="search_summary"):
            if spec is None:
                st.markdown(f"**{formatting.count(len(problems), 'value')} to put right**")
                _refused(problems[:2])
            else:
                summary(spec)
            _refused(search_problems.in_form(st.session_state.pop("search_refused", [])))
        st.button(
            label,
            type="primary",
            icon=":material/play_arrow:",
            disabled=spec is None or not spec.space,
            on_click=on_click,
            args=args,
            key="search_start",
            width="content",
        )


def _refused(problems: list[Problem]) -> None:
    for problem in problems:
        st.markdown(f":red[:material/error: {formatting.escaped(search_problems.line(problem))}]")
