"""What a search's trials came to, as it goes on: the best so far, and all curves."""

from collections.abc import Mapping, Sequence

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.trials import Trial
from pages.parts.figures.searches.best_so_far import best_so_far
from pages.parts.figures.searches.trial_curves import trial_curves
from pages.parts.live import unless_new
from pages.parts.searches.sections import best_of, in_percent, lowest
from pages.parts.session import palette
from storage import Search

HEIGHT = 290
OVER = ("Trials", "Time")
Curves = Mapping[str, Sequence[tuple[float, float | None]]]


def charts(search: Search, trials: list[Trial], curves: Curves, token: object) -> None:
    """Two cards side by side, once there is something to draw.

    Args:
        search: The search.
        trials: All of its trials.
        curves: (epoch, value) of each trial, by run id.
        token: Differs once there is news: the same charts leave the browser's as they are.
    """
    if not any(trial.value is not None for trial in trials):
        text = "Curves and the best so far show with the first epoch that is validated."
        if search.state.is_at_rest:
            text = "No trial was validated: there is nothing to draw."
        st.caption(f":material/show_chart: {text}")
        return
    grid = st.grid(2, min_column_width=340)
    with grid.cell(), st.container(border=True, height="stretch", key="search_figure_best"):
        _best(search, trials, token)
    with grid.cell(), st.container(border=True, height="stretch", key="search_figure_curves"):
        _curves(search, trials, curves, token)


def _best(search: Search, trials: list[Trial], token: object) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center"
    ):  # not at the right: the chart's own tools are there
        st.markdown("**Best so far**", width="content")
        over = st.segmented_control(
            "Over", OVER, default="Trials", required=True, key="search_over", label_visibility="collapsed"
        )
    began = search.started_at or search.created_at if over == "Time" else None
    option = unless_new(
        "search_option_best",
        (search.id, token, over, palette().name),
        lambda: best_so_far(trials, lowest=lowest(search), percent=in_percent(search), began=began, palette=palette()),
    )
    alt = f"{formatting.metric(search.metric)} of {formatting.count(len(trials), 'trial')}, and the best so far"
    st.echarts_chart(option, height=HEIGHT, key="search_chart_best", alt=alt)


def _curves(search: Search, trials: list[Trial], curves: Curves, token: object) -> None:
    st.markdown(f"**All curves** :small[:gray[{formatting.metric(search.metric).lower()}]]")
    best = best_of(search, trials)
    option = unless_new(
        "search_option_curves",
        (search.id, token, palette().name),
        lambda: trial_curves(
            trials, curves, best=best.run.id if best else None, percent=in_percent(search), palette=palette()
        ),
    )
    st.echarts_chart(option, height=HEIGHT, key="search_chart_curves", alt="Curves of all trials over their epochs")
