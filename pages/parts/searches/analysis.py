"""A closer look at a search: what mattered, one or two settings, when trials ran, why some failed, its set-up."""

import time
from collections.abc import Callable, Sequence
from math import log

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.analysis.trials import COSTS, Dimension, Trial, failures
from pages.parts.figures.searches.contour import contour
from pages.parts.figures.searches.importance import importance
from pages.parts.figures.searches.slices import slices
from pages.parts.figures.searches.timeline import height, timeline
from pages.parts.figures.searches.trade_off import Scale, trade_off
from pages.parts.live import unless_new
from pages.parts.runs.table import event_list
from pages.parts.searches.sections import dots_of, in_percent, labels, lowest
from pages.parts.session import palette, run_link, store
from storage import RunState, Search

FEW_TRIALS = 20  # finished ones, that say little of importance
LINKED_TRIALS = 8  # failed trials of a cause that have a link
COMMAND = ".venv/bin/thaw search search.yaml --wait"

View = Callable[[Search, list[Trial], Sequence[Dimension]], None]


def analysis(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    """One view at a time, as chosen."""
    weighed = search.spec.get("cost", "none") in COSTS
    names = [name for name in VIEWS if weighed or name != "Trade-off"]
    with st.container(border=True, key="search_analysis"):
        chosen = st.segmented_control(
            "View", names, default=names[0], required=True, key="search_view", label_visibility="collapsed"
        )
        VIEWS[chosen or names[0]](search, trials, dimensions)


def _importance(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    finished = sum(trial.run.state is RunState.FINISHED and trial.value is not None for trial in trials)
    news = finished if finished < 20 else int(20 * log(finished))  # it takes a second: not for each of hundreds
    try:
        shares = unless_new("search_importances", (search.id, news), lambda: api.importances(store(), search.id))
    except (api.Refused, api.NotFound, api.Unavailable) as refused:
        st.caption(formatting.escaped(str(refused)))
        return
    if not shares:
        text = f"Shows once four trials or more are finished with different values; {finished} are so far"
        st.caption(f"{text}{_left_out(trials)}.")
        return
    made = f"Made from {formatting.count(finished, 'finished trial')}{_left_out(trials)}."
    named = labels()
    figure = importance({named.get(path, path): share for path, share in shares.items()}, palette=palette())
    st.plotly_chart(figure, key="search_importance", config={"displayModeBar": False})
    few = " So few make it a guess." if finished < FEW_TRIALS else ""
    st.caption(f"Share of the differences between trials that each setting explains (fANOVA). {made}{few}")


def _left_out(trials: list[Trial]) -> str:
    """Why there are fewer than trials: those pruned had fewer epochs, which says nothing of their settings."""
    pruned = sum(trial.is_pruned for trial in trials)
    return f"; {pruned:,} pruned are left out: they had fewer epochs to come to their value" if pruned else ""


def _slice(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    if not _enough(trials, dimensions, 1):
        return
    one = _chosen("Setting", dimensions, "search_slice_of", 0)
    figure = slices(trials, one, metric=formatting.metric(search.metric), percent=in_percent(search), palette=palette())
    st.plotly_chart(figure, key="search_slice", config={"displayModeBar": False})
    st.caption("Each trial at its value of the setting. Later trials are darker, pruned ones hollow.")


def _contour(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    if not _enough(trials, dimensions, 2):
        return
    with st.container(horizontal=True):
        across = _chosen("Across", dimensions, "search_contour_across", 0)
        up = _chosen("Upwards", [one for one in dimensions if one is not across], "search_contour_up", 0)
    whole = [trial for trial in trials if not trial.is_pruned]  # the others might have come to more
    figure = contour(
        whole,
        across,
        up,
        percent=in_percent(search),
        lowest=lowest(search),
        palette=palette(),
    )
    st.plotly_chart(figure, key="search_contour", config={"displayModeBar": False})
    st.caption("Dots are trials that were not pruned; between them the surface is a guess from the nearest ones.")


def _trade_off(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    percent = in_percent(search)
    dots = dots_of(trials, percent=percent)
    if not dots:
        st.caption("Shows with the first trial that has ended.")
        return
    cost = Scale(COSTS[search.spec["cost"]], lowest=True)
    value = Scale(formatting.metric(search.metric), "%" if percent else "", lowest=lowest(search))
    figure = trade_off(dots, cost, value, palette=palette())
    st.plotly_chart(figure, key="search_trade_off", config={"displayModeBar": False})
    st.caption("The dotted steps join the best trial that can be had for each cost (the Pareto front).")


def _timeline(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    begun = [trial.run.started_at for trial in trials if trial.run.started_at is not None]
    if not begun:
        st.caption("No trial has started yet.")
        return
    now = time.time()
    option = timeline(trials, began=min(begun), now=now, palette=palette())
    st.echarts_chart(option, height=height(trials, now), key="search_timeline", alt="When each trial was at work")
    st.caption("A row a place on the machine. Gaps are the time that trials took to begin.")


def _failures(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    found = failures(trials)
    if not found:
        st.caption("No trial has failed.")
    for one in found:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"**{formatting.count(len(one.trials), 'trial')}** · {formatting.escaped(one.reason)}")
            if one.advice:
                st.caption(formatting.escaped(one.advice))
            links = [f"[{trial.label}]({run_link(trial.run)})" for trial in one.trials]
            st.markdown(f":small[{formatting.some(links, LINKED_TRIALS)}]")


def _events(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    happened = store().events.list(search_id=search.id)
    if not happened:
        st.caption("Nothing has happened yet.")
        return
    event_list(happened, key="search_events", alt="What happened to this search, newest first")


def _configuration(search: Search, trials: list[Trial], dimensions: Sequence[Dimension]) -> None:
    try:
        text = api.SearchSpec.parse(search.spec).to_yaml()
    except api.Refused as refused:
        st.caption("This spec was written by another version of Thaw:")
        st.code("\n".join(map(str, refused.problems)), language=None)
        return
    st.caption("The same search without a browser: save this as search.yaml, then")
    st.code(COMMAND, language="bash", wrap_lines=True)
    st.code(text, language="yaml")


VIEWS: dict[str, View] = {
    "Trade-off": _trade_off,
    "Importance": _importance,
    "One setting": _slice,
    "Two settings": _contour,
    "Timeline": _timeline,
    "Failures": _failures,
    "Events": _events,
    "Configuration": _configuration,
}


def _enough(trials: list[Trial], dimensions: Sequence[Dimension], settings: int) -> bool:
    """Whether there is something to draw; says so if not."""
    if len(dimensions) < settings:
        st.caption(f"This search varies {formatting.count(len(dimensions), 'setting')}; it takes {settings}.")
        return False
    if not any(trial.value is not None for trial in trials):
        st.caption("Shows with the first trial that is validated.")
        return False
    return True


def _chosen(label: str, dimensions: Sequence[Dimension], key: str, first: int) -> Dimension:
    by_path = {one.path: one for one in dimensions}
    if st.session_state.get(key) not in by_path:
        st.session_state.pop(key, None)
    path = st.selectbox(
        label, list(by_path), index=first, format_func=lambda path: by_path[path].label, key=key, width=260
    )
    return by_path[path]
