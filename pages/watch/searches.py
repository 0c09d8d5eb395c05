"""All searches: how far each is, what it found; a click opens one."""

import streamlit as st

from pages.parts import formatting
from pages.parts.live import live
from pages.parts.runs.actions import being_deleted
from pages.parts.searches.table import search_list
from pages.parts.session import NEW_SEARCH_PAGE, store
from pages.parts.widgets.cards import empty_state, page_head
from pages.parts.widgets.exports import export_button

MOST_SEARCHES = 500


def table() -> None:
    gone = being_deleted()
    searches = [search for search in store().searches.list(limit=MOST_SEARCHES) if search.id not in gone]
    if searches:
        search_list(searches, key="searches_table")
        st.caption(f"{formatting.count(len(searches), 'search', 'searches')}. Click a name to open it.")


def page() -> None:
    any_search = bool(store().searches.list(limit=1))
    with page_head("Searches"):
        if any_search:
            export_button(["searches"], key="searches", caption="Of all searches.")
        if any_search and st.button("New search", icon=":material/add:", type="primary", key="searches_new"):
            st.switch_page(NEW_SEARCH_PAGE)
    if not any_search:
        empty_state(
            "travel_explore",
            "No searches yet",
            "A search trains many runs with different settings and finds the best of them.",
            lambda: st.page_link(NEW_SEARCH_PAGE, label="Set up a search", icon=":material/add:", width="content"),
        )
        return
    live(table, every_s=3.0)


page()
