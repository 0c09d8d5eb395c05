"""What can be done with a search, and what the engine answers."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from engine import api
from engine.api import NotFound, Refused, Unavailable
from pages.parts import formatting
from pages.parts.analysis.trials import Trial
from pages.parts.session import NEW_SEARCH_PAGE, store, wake_engine
from storage import Search, SearchState

MORE = 10
WORKING = (SearchState.QUEUED, SearchState.STARTING, SearchState.RUNNING, SearchState.INTERRUPTED)


def search_buttons(search: Search, *, afterwards: Callable[[], None]) -> None:
    """Those that do something in its state: pause, go on, stop, more trials, another space, delete."""
    if search.state in WORKING:
        note = "Trials save and stop, the machine is free, and it goes on where it was when you say so."
        _button("Pause", "pause_circle", search, api.pause_search, doing="Pausing", help=note)
        note = "Trials save and stop. What they came to stays."
        _button("Stop", "stop_circle", search, api.stop_search, doing="Stopping", help=note)
    if search.state in (SearchState.PAUSED, SearchState.STOPPED, SearchState.FAILED):
        note = "No finished trial is run again."
        _button("Continue", "resume", search, api.continue_search, doing="Going on", help=note)
    _more(search)
    if search.state.is_at_rest and st.button(
        "Change space", icon=":material/tune:", key="search_change", help="Search elsewhere, knowing what it knows"
    ):
        st.switch_page(NEW_SEARCH_PAGE, query_params={"change": search.id})
    if st.button("Clone", icon=":material/content_copy:", key="search_clone", help="A new search set up like this"):
        st.switch_page(NEW_SEARCH_PAGE, query_params={"like": search.id})
    _delete(search, afterwards)


def stop_trials(trials: list[Trial]) -> None:
    _ask(
        "Stopping",
        formatting.count(len(trials), "trial"),
        [partial(api.stop_trial, store(), one.run.id) for one in trials],
    )


def _more(search: Search) -> None:
    if search.state in (SearchState.STOPPING, SearchState.PAUSING):
        return
    with st.popover("More trials", icon=":material/add:", key="search_more_trials"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            number = st.number_input("Trials", 1, 10_000, MORE, key="search_extend_by", width=120)
            st.button(
                f"Add {number:,}",
                type="primary",
                icon=":material/add:",
                key="search_extend",
                on_click=_extend,
                args=(search.id,),
            )
        st.caption(f"Then {search.num_trials + int(number):,} in all. What was learned from the others counts.")


def _extend(search_id: str) -> None:
    number = int(st.session_state["search_extend_by"])
    _ask("Adding", formatting.count(number, "trial"), [lambda: api.extend_search(store(), search_id, number)])


def _delete(search: Search, afterwards: Callable[[], None]) -> None:
    with st.popover("Delete", icon=":material/delete:", key="search_ask_delete"):
        st.markdown("**Delete this search for good?**")
        st.caption("All its trials go too: checkpoints, metrics and logs. One that trains is stopped first.")
        st.button(
            "Delete the search", type="primary", key="search_delete", on_click=_deleted, args=(search.id, afterwards)
        )


def _deleted(search_id: str, afterwards: Callable[[], None]) -> None:
    _ask("Deleting", "the search", [lambda: api.delete_search(store(), search_id)], afterwards)


def _button(label: str, icon: str, search: Search, call: Callable[..., Any], *, doing: str, help: str) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"search_{label.lower()}",
        help=help,
        on_click=_ask,
        args=(doing, "the search", [lambda: call(store(), search.id)]),
    )


def _ask(doing: str, what: str, calls: list[Callable[[], Any]], afterwards: Callable[[], None] = lambda: None) -> None:
    """Ask, wake the engine, and say what was asked or refused; `afterwards` only where nothing was refused."""
    try:
        for call in calls:
            call()
    except (Refused, NotFound, Unavailable) as error:
        st.toast(formatting.escaped(str(error)), icon=":material/error:")
        return
    wake_engine()
    st.toast(f"{doing} {what}.", icon=":material/check:")
    afterwards()
