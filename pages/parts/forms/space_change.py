"""Change the space of a search at rest: only the space counts, and how many trials it goes on with."""

from dataclasses import replace

import streamlit as st

from engine import api
from engine.api import Problem, Refused, SearchSpec
from pages.parts import formatting
from pages.parts.forms import range_form, search_form, search_problems
from pages.parts.forms.search_cost import search_cost
from pages.parts.searches.actions import MORE
from pages.parts.session import store, wake_engine
from pages.parts.widgets.cards import page_head
from storage import Search

TRIALS = "search_change_trials"


def page(search_id: str) -> None:
    """Draw all of it; the search keeps everything but its space."""
    try:
        search = api.find_search(store(), search_id)
    except api.NotFound as missing:
        st.error(formatting.escaped(str(missing)), icon=":material/search_off:")
        return
    with page_head(f"Change the space of “{formatting.escaped(formatting.shortened(search.name, 60))}”"):
        pass
    if st.session_state.get("search_filled") != ("change", search.id):
        st.session_state["search_filled"] = ("change", search.id)
        st.session_state.pop(TRIALS, None)
        search_form.fill(search.spec)
    st.info(
        "All else stays as it was set up, and what its trials came to is kept. The algorithm learns from those that "
        "fit the new space; trials tried outside of it are shown, but not learned from.",
        icon=":material/tune:",
    )
    _how_many(search)
    spec, problems = _check(search)
    search_form.space(spec)
    for part in search_form.SECTIONS:
        search_form.section(part, problems, store(), fixed=True)
    label = "Change the space and go on"
    search_form.start_bar(spec, problems, _summary, label=label, on_click=_change, args=(search.id,))


def _how_many(search: Search) -> None:
    """Those that it still has to run are the fewest: a search is extended, never cut."""
    left = max(0, api.trials_left(store(), search))
    with st.container(border=True):
        st.number_input(
            "Trials from here on",
            max(1, left),
            10_000,
            max(left, MORE),
            key=TRIALS,
            help=f"It has still {formatting.count(left, 'trial')} to run." if left else None,
            width=220,
        )


def _check(search: Search) -> tuple[SearchSpec | None, list[Problem]]:
    """What will run: the search over the new space, with the trials from here on."""
    try:
        spec = SearchSpec.parse({**search.spec, "space": range_form.read()})
    except Refused as refused:
        return None, search_problems.in_form(refused.problems)
    if problems := api.check_search(store(), spec):
        return None, search_problems.in_form(problems)
    number = _coming(search, spec)
    if number < 1:
        return None, [Problem("space", "grid", "all of its combinations were tried; widen it")]
    return spec.model_copy(update={"trials": number}), []


def _coming(search: Search, spec: SearchSpec) -> int:
    """Trials from here on; a grid has no more than it has combinations left."""
    left = max(0, api.trials_left(store(), search))
    changed = replace(search, spec=spec.model_dump(mode="json"))
    return api.num_trials_with(store(), changed, int(st.session_state[TRIALS]) - left) - search.num_trials + left


def _summary(spec: SearchSpec) -> None:
    search_cost(spec, more=True)


def _change(search_id: str) -> None:
    """Read the form as it is at the click; the search goes on over its new space."""
    try:
        search = api.find_search(store(), search_id)
        spec = _check(search)[0]
        if spec is None:
            return  # the page, drawn again, says what is wrong
        left = api.trials_left(store(), search)
        api.change_space(store(), search_id, range_form.read())
        if spec.trials > left:
            api.extend_search(store(), search_id, spec.trials - left)
        if left > 0 and (spec.trials <= left or not search.state.is_over):  # one that is over goes on when extended
            api.continue_search(store(), search_id)
    except Refused as refused:
        st.session_state["search_refused"] = refused.problems
        return
    except api.NotFound as missing:
        st.toast(formatting.escaped(str(missing)), icon=":material/search_off:")
        return
    wake_engine()
    st.session_state["started_search"] = search_id
