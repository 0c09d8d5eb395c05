"""New search: the form of a run with a "search this" under every field; below it what it will cost, always in sight."""

import streamlit as st

import engine
from engine import PRESETS, SEARCH_PRESETS, Problem, Refused, SearchSpec
from pages.parts import actions, forms, search_form, span_form, words
from pages.parts.cards import page_head, problem_lines
from pages.parts.search_actions import MORE
from pages.parts.search_cost import search_cost
from pages.parts.session import newest_search, open_search, store, wake_engine

COMMAND = ".venv/bin/python -m engine search search.yaml --wait"


def changing() -> str | None:
    """The id of the search whose space is changed here (`?change=ID`), if any."""
    return st.query_params.get("change")


def change(search_id: str) -> None:
    """Only the space counts; then the search goes on, with some more trials where it has had them all."""
    try:
        search = engine.find_search(store(), search_id)
        engine.change_space(store(), search_id, span_form.read())
        if engine.trials_left(store(), search) > 0:
            engine.continue_search(store(), search_id)
        else:
            engine.extend_search(store(), search_id, MORE)
    except Refused as refused:
        st.session_state["search_refused"] = refused.problems
        return
    except engine.NotFound as missing:
        st.toast(words.escaped(str(missing)), icon=":material/search_off:")
        return
    wake_engine()
    st.session_state["started_search"] = search_id


def change_note(search_id: str) -> None:
    """What a change of its space does to a search."""
    try:
        search = engine.find_search(store(), search_id)
    except engine.NotFound as missing:
        st.error(words.escaped(str(missing)), icon=":material/search_off:")
        return
    more = f" with {MORE} more trials" if engine.trials_left(store(), search) <= 0 else ""
    st.info(
        f"**{words.escaped(search.name)}** gets another space and goes on{more}. "
        "What its trials so far came to is kept and learned from; all else stays as it was set up.",
        icon=":material/tune:",
    )


def start(drawn_on: str) -> None:
    """Read the form as it is at the click: a value typed just before it counts too."""
    spec = search_form.check(store())[0]
    if spec is None:
        return  # the page, drawn again, says what is wrong
    try:
        st.session_state["started_search"] = actions.start_search(spec, drawn_on).id
    except Refused as refused:
        st.session_state["search_refused"] = refused.problems


def take_preset() -> None:
    chosen = st.session_state["search_preset"]
    if chosen:
        name = forms.SEARCH.value("name")
        search_form.fill({"name": name} | dict(SEARCH_PRESETS[chosen].values))


def take_yaml() -> None:
    try:
        spec = SearchSpec.from_yaml(st.session_state["search_yaml"])
    except Refused as refused:
        st.session_state["search_yaml_problems"] = refused.problems
        return
    search_form.fill(spec.model_dump(mode="json"))
    st.session_state["search_yaml_problems"] = []
    st.session_state["search_preset"] = None


def first_values() -> None:
    """Fill the form once: from a search (`?like=`, `?change=`), around a run (`?from=`), for a data set (`?dataset=`),
    else with a preset around what the New run form holds."""
    source = tuple(st.query_params.get(name, "") for name in ("like", "from", "dataset", "change"))
    if st.session_state.get("search_filled") == source:
        return
    st.session_state["search_filled"] = source
    try:
        if known := source[0] or source[3]:
            search_form.fill(engine.find_search(store(), known).spec)
            st.session_state["search_preset"] = None
            st.toast("Filled in from that search.", icon=":material/content_copy:")
            return
        if source[1]:
            forms.fill(engine.find_run(store(), source[1]).spec)
            st.toast("Filled in from that run.", icon=":material/content_copy:")
    except engine.NotFound as missing:
        st.toast(words.escaped(str(missing)), icon=":material/search_off:")
    if not source[1] and "new_filled" not in st.session_state:  # New run has not been opened: nothing is set up yet
        forms.fill(dict(PRESETS["quick"].values))
    if source[2]:
        st.session_state[forms.field_key("data.dataset")] = source[2]
    st.session_state["search_preset"] = "quick"
    search_form.fill(dict(SEARCH_PRESETS["quick"].values))


def presets() -> None:
    with st.container(border=True, gap="small"):
        st.segmented_control(
            "Start from a preset",
            list(SEARCH_PRESETS),
            format_func=lambda name: SEARCH_PRESETS[name].label,
            key="search_preset",
            on_change=take_preset,
            persist_state="session",
        )
        chosen = st.session_state.get("search_preset")
        st.caption(SEARCH_PRESETS[chosen].note if chosen else "Your own space; a preset would replace it.")


def space(spec: SearchSpec | None) -> None:
    """What is searched, in a line a field, wherever its switch is."""
    with st.container(border=True, gap="xsmall", key="search_space"):
        st.markdown("**:material/tune: What is searched**")
        known = engine.searchable()
        if spec is None or not spec.space:
            searched = span_form.read()
            if not searched:
                st.caption("Nothing yet. Switch on “Search this” under a field below.")
            else:
                st.caption(", ".join(words.escaped(known[path].label) for path in searched))
            return
        for path, one in spec.space.items():
            when = " and ".join(
                f"{known[parent].label} {' or '.join(map(str, values))}"
                for parent, values in spec.conditions[path].items()
            )
            told = f"**{words.escaped(known[path].label)}** {words.escaped(engine.in_words(one))}"
            st.markdown(told + (f" :small[:gray[only with {words.escaped(when)}]]" if when else ""))


def yaml_in() -> None:
    with st.expander("Paste a YAML spec", icon=":material/content_paste:"):
        placeholder = "run:\n  epochs: 9\nspace:\n  optimisation.learning_rate: {log: [0.0001, 0.01]}\ntrials: 10"
        st.text_area("Spec", key="search_yaml", placeholder=placeholder, height=160)
        st.button("Fill in the form", on_click=take_yaml, icon=":material/input:", key="search_take_yaml")
        problem_lines(st.session_state.get("search_yaml_problems", []))


def yaml_out(spec: SearchSpec) -> None:
    with st.expander("As YAML and command", icon=":material/code:"):
        st.caption("The same search without a browser: save this as search.yaml, then")
        st.code(COMMAND, language="bash", wrap_lines=True)
        st.code(spec.to_yaml(), language="yaml")


def start_bar(spec: SearchSpec | None, problems: list[Problem]) -> None:
    """Always in sight: what will run, what it costs, and the button; or what keeps it from starting."""
    with st.bottom, st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(gap=None, width="stretch", key="search_summary"):
            if spec is None:
                st.markdown(f"**{words.count(len(problems), 'value')} to put right**")
                problem_lines(search_form.labelled(problems)[:2], labelled=True)
            else:
                search_cost(spec)
            problem_lines(st.session_state.pop("search_refused", []), labelled=True)
        at = changing()
        st.button(
            "Change the space and go on" if at else "Start search",
            type="primary",
            icon=":material/play_arrow:",
            disabled=spec is None or not spec.space,
            on_click=change if at else start,
            args=(at or newest_search(),),
            key="search_start",
            width="content",
        )


def page() -> None:
    if (started := actions.started_search()) is not None:
        st.session_state.pop("search_filled", None)
        open_search(started)
    with page_head("New search"):
        pass
    first_values()
    spec, problems = search_form.check(store())
    if at := changing():
        change_note(at)
    else:
        presets()
    space(spec)
    if not changing():
        search_form.plan(problems, store())
    for part in search_form.SECTIONS:
        search_form.section(part, problems, store())
    yaml_in()
    if spec is not None:
        yaml_out(spec)
    start_bar(spec, problems)


page()
