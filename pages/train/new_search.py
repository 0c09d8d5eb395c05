"""New search: the form of a run with a "Search …" under every field; below it what it will cost, always in sight."""

import streamlit as st

from engine import api
from engine.api import PRESETS, SEARCH_PRESETS, Refused, SearchSpec
from pages.parts import formatting
from pages.parts.forms import fields, search_form, space_change
from pages.parts.forms.search_cost import search_cost
from pages.parts.forms.spec_texts import preset_choice, yaml_in, yaml_out
from pages.parts.runs import actions
from pages.parts.session import newest_search, open_search, store
from pages.parts.widgets.cards import page_head

PLACEHOLDER = "run:\n  epochs: 9\nspace:\n  optimisation.learning_rate: {log: [0.0001, 0.01]}\ntrials: 10"


def start(drawn_on: str) -> None:
    """Read the form as it is at the click: a value typed just before it counts too."""
    take_yaml()
    search_form.settle()
    spec = search_form.check(store())[0]
    if spec is None or st.session_state.get("search_yaml_problems"):
        return  # the page, drawn again, says what is wrong
    try:
        st.session_state["started_search"] = actions.start_search(spec, drawn_on).id
    except Refused as refused:
        st.session_state["search_refused"] = refused.problems


def take_preset() -> None:
    chosen = st.session_state["search_preset"]
    if chosen:
        name = fields.SEARCH.value("name")
        search_form.fill({"name": name} | dict(SEARCH_PRESETS[chosen].values))


def take_yaml(again: bool = False) -> None:
    """Fill in what was pasted, once: what is changed by hand after it stays, unless it is filled in `again`."""
    text = st.session_state.get("search_yaml", "")
    if text == st.session_state.get("search_yaml_taken", "") and not again:
        return
    st.session_state["search_yaml_taken"] = text
    st.session_state["search_yaml_problems"] = []
    if not text.strip():
        return
    try:
        spec = SearchSpec.from_yaml(text)
    except Refused as refused:
        st.session_state["search_yaml_problems"] = refused.problems
        return
    search_form.fill(spec.model_dump(mode="json"))
    st.session_state["search_preset"] = None


def first_values() -> None:
    """Fill the form once: from a search (`?like=`), around a run (`?from=`), for a data set (`?dataset=`),
    else with a preset around what the New run form holds."""
    source = tuple(st.query_params.get(name, "") for name in ("like", "from", "dataset"))
    if st.session_state.get("search_filled") == source:
        return
    st.session_state["search_filled"] = source
    try:
        if source[0]:
            search_form.fill(api.find_search(store(), source[0]).spec)
            st.session_state["search_preset"] = None
            st.toast("Filled in from that search.", icon=":material/content_copy:")
            return
        if source[1]:
            fields.fill(api.find_run(store(), source[1]).spec)
            st.toast("Filled in from that run.", icon=":material/content_copy:")
    except api.NotFound as missing:
        st.toast(formatting.escaped(str(missing)), icon=":material/search_off:")
    if not source[1] and "new_filled" not in st.session_state:  # New run has not been opened: nothing is set up yet
        fields.fill(dict(PRESETS["quick"].values))
    if source[2]:
        st.session_state[fields.field_key("data.dataset")] = source[2]
    st.session_state["search_preset"] = "quick"
    search_form.fill(dict(SEARCH_PRESETS["quick"].values))


def page() -> None:
    if (started := actions.started_search()) is not None:
        st.session_state.pop("search_filled", None)
        open_search(started)
    if searched := st.query_params.get("change"):
        space_change.page(searched)
        return
    with page_head("New search"):
        pass
    first_values()
    search_form.settle()
    spec, problems = search_form.check(store())
    none = "Your own space; a preset would replace it."
    preset_choice(SEARCH_PRESETS, "search_preset", take_preset, none=none)
    search_form.space(spec)
    search_form.plan(problems, store())
    for part in search_form.SECTIONS:
        search_form.section(part, problems, store())
    yaml_in("search", take_yaml, placeholder=PLACEHOLDER)
    if spec is not None:
        yaml_out("search", "search", spec.to_yaml())
    search_form.start_bar(spec, problems, search_cost, label="Start search", on_click=start, args=(newest_search(),))


page()
