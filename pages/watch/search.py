"""One search: its best configuration first, then how it came to it. `?search=ID` opens it anywhere."""

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.trials import dimensions
from pages.parts.live import CHARTS_S, FAST_S, live
from pages.parts.searches import sections
from pages.parts.searches.analysis import analysis
from pages.parts.searches.charts import charts
from pages.parts.searches.leaderboard import axes, board
from pages.parts.session import NEW_SEARCH_PAGE, SEARCHES_PAGE, selected_search, store
from pages.parts.widgets.cards import empty_state, page_head
from storage import Search, SearchState


def outline(search: Search) -> tuple[object, ...]:
    """What the page's frame depends on: once it differs, all of the page is drawn again, not its moving parts alone."""
    return search.state, search.attempt, search.num_trials, search.reason, search.best_run_id is not None


def current(search_id: str) -> Search:
    try:
        return store().searches.get(search_id)
    except KeyError:
        st.rerun()  # deleted meanwhile: the whole page says so


def pace(search: Search, every_s: float) -> float | None:
    """How often its page looks for news: never while it rests and nothing more is asked of it."""
    is_awaited = any(request.target == search.id for request in store().requests.open())
    return None if search.state.is_at_rest and not is_awaited else every_s


def nothing_yet(search: Search) -> None:
    """In place of curves, before there are any."""
    if search.state is SearchState.QUEUED:
        text = "It starts by itself once a slot is free. You may close this page."
        empty_state("hourglass_empty", "Waiting for its turn", text)
    elif search.state.is_at_rest:
        empty_state("travel_explore", "No trial was begun", "Continue it, or look at its events below.")
    else:
        empty_state("travel_explore", "The first trial is being prepared", "It is the base configuration as it stands.")


def page(search: Search) -> None:
    drawn_for = outline(search)
    sections.header(search)
    sections.trouble(search)

    def moving() -> None:
        now = current(search.id)
        if outline(now) != drawn_for:
            st.rerun()
        trials = sections.trials_of(now)
        sections.progress(now, trials)
        if trials:
            sections.best_configuration(now, trials)
            sections.numbers(now, trials)

    def drawn() -> None:
        now = current(search.id)
        trials = sections.trials_of(now)
        if not trials:
            nothing_yet(now)
            return
        curves = store().runs.trial_histories(now.id)
        token = tuple((one.run.id, one.run.state, one.run.offset, one.value) for one in trials)
        tried = dimensions(now.spec.get("space", {}), sections.labels(), trials)
        charts(now, trials, curves, token)
        axes(now, trials, tried, token)
        board(now, trials, tried, curves)

    def analysed() -> None:
        now = current(search.id)
        trials = sections.trials_of(now)
        analysis(now, trials, dimensions(now.spec.get("space", {}), sections.labels(), trials))

    live(moving, every_s=pace(search, FAST_S))
    live(drawn, every_s=pace(search, CHARTS_S))
    live(analysed, every_s=pace(search, 2 * CHARTS_S))


def not_here(search_id: str | None) -> None:
    st.session_state.pop("selected_search", None)
    with page_head("Search"):
        pass

    def ways() -> None:
        st.page_link(SEARCHES_PAGE, label="All searches", icon=":material/manage_search:")
        st.page_link(NEW_SEARCH_PAGE, label="New search", icon=":material/travel_explore:")

    empty_state(
        "search_off",
        "No search is chosen" if search_id is None else "This search is not here",
        "Open one from the list."
        if search_id is None
        else f"{formatting.escaped(search_id)} may have been deleted, or mistyped.",
        ways,
    )


if st.session_state.pop("search_left", False):
    st.session_state.pop("selected_search", None)
    st.switch_page(SEARCHES_PAGE)
selected = selected_search()
if st.session_state.get("search_seen") != selected:  # what was brushed and ticked belongs to another search
    st.session_state["search_seen"] = selected
    for name in ("search_brushed", "search_board_ids", "search_axes_option"):
        st.session_state.pop(name, None)
    st.session_state["search_board_round"] = st.session_state.get("search_board_round", 0) + 1
try:
    found = store().searches.get(selected or "")
except KeyError:
    not_here(selected)
else:
    page(found)
