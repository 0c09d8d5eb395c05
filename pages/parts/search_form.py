"""The New search form as a whole: base run, space and search together, from widgets to a spec and back."""

from typing import Any

import streamlit as st

import engine
from engine import Problem, Refused, SearchSpec, Setting
from pages.parts import forms, run_sections, span_form, words
from pages.parts.run_sections import Section
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
BUDGET = ("trials", "at_once", "cpus", "gpus", "hours", "gpu_hours", "target", "seed")


def fill(values: dict[str, Any]) -> None:
    """Lay a (partial) search spec over the form; a part that it leaves out goes back to the defaults."""
    if "run" in values:
        forms.fill(values["run"])
    forms.fill(values, forms.SEARCH)
    span_form.fill(values.get("space", {}))


def check(store: Store) -> tuple[SearchSpec | None, list[Problem]]:
    """The spec that the form says, or what is wrong with it, in the words of the command line."""
    try:
        spec = SearchSpec.parse({**forms.read(forms.SEARCH), "run": forms.read(), "space": span_form.read()})
    except Refused as refused:
        return None, refused.problems
    problems = engine.check_search(store, spec)
    return (None if problems else spec), problems


def of_run(problems: list[Problem]) -> list[Problem]:
    """Those of the base run, named as its own form names them."""
    return [Problem(one.field.removeprefix("run."), one.value, one.message) for one in problems]


def labelled(problems: list[Problem]) -> list[Problem]:
    """With labels for the fields of the space: "Learning rate" for "space.optimisation.learning_rate"."""
    known = engine.searchable()
    names = {f"space.{path}": one.label for path, one in known.items()}
    return [
        Problem(names.get(one.field.removesuffix(".when"), one.field), one.value, one.message)
        for one in of_run(problems)
    ]


def section(part: Section, problems: list[Problem], store: Store) -> None:
    """A section of the base run's form, each field with its switch; what is searched under More opens it."""
    searched, wrong = span_form.searched(), of_run(problems)
    settings = [one for one in engine.settings() if one.path.startswith(part.fields) and one.path != "name"]

    def below(setting: Setting) -> None:
        span_form.switch(setting, problems)

    with st.container(border=True):
        st.markdown(f"**:material/{part.icon}: {part.title}**")
        usual = [one for one in settings if not one.advanced]
        if usual:
            forms.draw(usual, wrong, store, searched=searched, below=below)
        rest = [one for one in settings if one.advanced and forms.means_something(one, searched=searched)]
        if not rest:
            return
        paths = {one.path for one in rest}
        mine = paths & set(searched)
        bad = {one.field.removeprefix("space.").removesuffix(".when") for one in wrong} & paths
        told = f"More · {words.count(len(mine), 'setting')} searched" if mine else "More"
        with st.expander(told, icon=":material/tune:", expanded=bool(bad), key=f"search_more_{part.title}"):
            forms.draw(rest, wrong, store, searched=searched, below=below)


def plan(problems: list[Problem], store: Store) -> None:
    """Who chooses the trials, what ends them early, and when it is enough."""
    with st.container(border=True):
        st.markdown("**:material/travel_explore: Search**")
        own = {one.path: one for one in engine.search_settings()}
        usual = [own[path] for path in (*PLAN, *BUDGET) if not own[path].advanced]
        forms.draw(usual, problems, store, form=forms.SEARCH)
        rest = [one for one in own.values() if one.advanced and forms.means_something(one, forms.SEARCH)]
        wrong = {problem.field for problem in problems} & {one.path for one in rest}
        with st.expander("More", icon=":material/tune:", expanded=bool(wrong), key="search_more"):
            forms.draw(rest, problems, store, form=forms.SEARCH)


SECTIONS = run_sections.SECTIONS
