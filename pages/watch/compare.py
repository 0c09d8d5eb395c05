"""Several runs side by side: which is best, by how much, at what cost. `?runs=ID,ID&searches=ID` opens it anywhere."""

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared, Focus, focused
from pages.parts.analysis.comparison.group_values import painted
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.comparison.settings_table import legend
from pages.parts.analysis.comparison.summary import summary
from pages.parts.analysis.results.by_image import ByImage
from pages.parts.compare.current import best_two, gathered, grouping, runs_in
from pages.parts.compare.curves import current_view, curves
from pages.parts.compare.plots import TABLE, configuration, trade_offs, what_made_a_difference
from pages.parts.compare.results import results_side_by_side
from pages.parts.compare.share import share
from pages.parts.compare.tables import groups_side_by_side, order, runs_side_by_side
from pages.parts.live import CHARTS_S, live
from pages.parts.palette import LIGHT, Palette
from pages.parts.session import RUNS_PAGE, palette, store
from pages.parts.widgets.basket import (
    MOST_RUNS,
    Basket,
    addressed_basket,
    basket,
    gone,
    gone_caption,
    keep,
    without_gone,
)
from pages.parts.widgets.brushed_axes import brushed
from pages.parts.widgets.cards import empty_state, page_head
from pages.parts.widgets.row_selection import kept_order, ticked_ids
from storage import Run

VIEWS = ("Curves", "Trade-offs", "What made a difference", "Configuration")
IMAGES = "**Image by image** :small[:gray[what one fixes and another breaks, and the same image through every run]]"
MANY = 24  # runs; of more all their settings say more at first than the curves of some
MOST_NAMES = 12  # that stand above a chart


def choice(held: Basket) -> None:
    """The basket as lists to add to and take from."""
    known = store().runs.titles(MOST_RUNS) | {run.id: run.name for run in store().runs.some(held.runs)}
    st.session_state["compare_runs"] = [run_id for run_id in held.runs if run_id in known]
    st.multiselect(
        "Runs",
        list(known),
        format_func=lambda run_id: known[run_id],
        key="compare_runs",
        placeholder="Choose two or more",
        on_change=_choose,
    )
    searches = {search.id: search for search in store().searches.list()}
    if searches:
        st.session_state["compare_searches"] = [one for one in held.searches if one in searches]
        st.multiselect(
            "All trials of a search",
            list(searches),
            format_func=lambda search_id: searches[search_id].name,
            key="compare_searches",
            placeholder="Choose a search",
            on_change=_choose,
        )


def _choose() -> None:
    held, chosen = basket(), st.session_state["compare_runs"]
    kept = held.without_runs(set(held.runs) - set(chosen)).with_runs(chosen)
    keep(Basket(kept.places, tuple(st.session_state.get("compare_searches", ()))))


def verdict(compared: Compared, said: list[Group], focus: Focus, images: ByImage | None) -> None:
    """What is to be said first, in a few sentences.

    Args:
        compared: What is known of the runs.
        said: Groups to write of.
        focus: Their colours.
        images: The best runs of the best two groups, image by image.
    """
    names = {group.name: focus.colours[group.key] for group in focus.groups}
    sentences = summary(compared, said, painted(names, palette()), images)
    if sentences:
        with st.container(border=True, key="compare_written"):
            st.html(f'<div style="line-height:1.6">{" ".join(sentences)}</div>')


def chosen_view(compared: Compared, focus: Focus, shown: list[Run]) -> None:
    """One look at a time: curves, two quantities, all settings, configurations."""
    view = st.segmented_control(
        "Look",
        VIEWS,
        default=VIEWS[2] if len(compared.runs) > MANY else VIEWS[0],
        required=True,
        key="compare_look",
        label_visibility="collapsed",
        bind="query-params",
    )
    if view in VIEWS[:2] and len(focus.groups) <= MOST_NAMES:
        st.html(legend([(group.name, focus.colours[group.key]) for group in focus.groups], palette()))
    if view == "Trade-offs":
        trade_offs(compared, focus, shown)
    elif view == "What made a difference":
        what_made_a_difference(compared, focus)
    elif view == "Configuration":
        configuration(compared, focus, shown)
    else:
        curves(compared, focus)


def left_by_the_brush(compared: Compared) -> list[Run]:
    """Best first; while rows are ticked in the order they had then."""
    left = set(brushed("compare"))
    by_id = {run.id: run for run in compared.runs if not left or run.id in left}
    ranked = compared.best_first([*by_id.values()])
    return [by_id[run_id] for run_id in kept_order(TABLE, [run.id for run in ranked])]


def focus_in(compared: Compared, shown: list[Run], held: Basket, colours: Palette) -> Focus:
    """A run's place in the basket is its colour; all others keep what they once wore.

    Args:
        compared: What is known of the runs.
        shown: Those that are drawn.
        held: The basket.
        colours: The theme's.
    """
    worn = st.session_state.setdefault("compare_worn", {})
    worn |= {run_id: place for place, run_id in enumerate(held.places) if run_id}
    return focused(compared, shown, ticked_ids(TABLE), worn, colours)


def drawn(drawn_for: Basket) -> None:
    held = basket()
    runs = runs_in(held)
    if held != drawn_for or len(runs) < 2 or any(gone(held, runs)):
        st.rerun()  # chosen anew, or deleted meanwhile: the whole page follows
    with page_head("Compare"):
        with st.popover(formatting.count(len(runs), "run"), icon=":material/playlist_add:", key="compare_choice"):
            choice(held)
        by = grouping(runs)
        tools = st.container(width="content")
    gone_caption(held)
    compared = gathered(runs, by)
    shown = left_by_the_brush(compared)
    focus, light = (focus_in(compared, shown, held, colours) for colours in (palette(), LIGHT))
    said = list(focus.groups) if focus.is_chosen else compared.groups_of(shown)
    images = best_two(compared, said)
    with tools:
        share(compared, said, light, current_view(), images)
    verdict(compared, said, focus, images)
    with st.container(border=True, key="compare_look_card"):
        chosen_view(compared, focus, shown)
    if compared.is_grouped:
        with st.container(border=True):
            st.markdown(f"**Groups** :small[:gray[by mean, {order(compared)}]]")
            groups_side_by_side(compared, focus)
    with st.container(border=True, key="compare_board"):
        runs_side_by_side(compared, focus, shown)


def by_image(runs: list[Run]) -> None:
    """What one gets right and another does not, by the images: read only once it is asked for."""
    with st.expander(IMAGES, icon=":material/grid_on:", key="images", on_change="rerun", bind="query-params") as images:
        if images.open:
            results_side_by_side(runs)


def page() -> None:
    held = addressed_basket()
    runs = runs_in(held)
    held = without_gone(held, runs)
    if len(runs) > 1:
        live(lambda: drawn(held), every_s=None if all(run.state.is_over for run in runs) else CHARTS_S)
        by_image(runs)
        return
    with page_head("Compare"):
        pass
    gone_caption(held)
    if store().runs.count():
        text = (
            "Choose two runs or more, here or by ticking rows on the Runs page. Or collect them with Add to basket on "
            "the pages of runs and searches: what is in the basket opens here."
        )
        empty_state("compare_arrows", "Which runs?", text, lambda: choice(held))
        return
    empty_state(
        "compare_arrows",
        "Nothing to compare yet",
        "Once you have trained two runs, see here which is better, and what set them apart.",
        lambda: st.page_link(RUNS_PAGE, label="All runs", icon=":material/list_alt:"),
    )


page()
