"""Several runs side by side: their curves, what sets them apart, which way is best. `?runs=ID,ID` opens it anywhere."""

import time

import streamlit as st

from pages.parts import words
from pages.parts.cards import empty_state, page_head
from pages.parts.compared_runs import runs_side_by_side, ways_side_by_side
from pages.parts.comparison import Difference, Way, differences, line_names, verdict, ways
from pages.parts.figures.compared import Axis, Course, compared, points
from pages.parts.live import CHARTS_S, live
from pages.parts.session import RUNS_PAGE, palette, store
from storage import Run

AXES: dict[str, Axis] = {"Epochs": "epoch", "Steps": "step", "Time": "minutes"}
FIRST = ("val/accuracy", "val/loss", "train/accuracy", "train/loss")  # before all other metrics
MOST = 50
HEIGHT = 380


def chosen() -> list[Run]:
    """The runs that the address names, as the box above holds them; the address follows the box."""
    known = {run.id: run for run in store().runs.list(limit=1000)}
    named = [run_id for run_id in st.query_params.get("runs", "").split(",") if run_id in known]
    if "compare_runs" not in st.session_state or st.session_state.get("compare_named") != named:
        st.session_state["compare_runs"] = named[:MOST]
    picked = st.multiselect(
        "Runs",
        list(known),
        format_func=lambda run_id: known[run_id].name,
        key="compare_runs",
        max_selections=MOST,
        placeholder="Choose two or more",
    )
    st.session_state["compare_named"] = picked
    if picked != named:
        st.query_params["runs"] = ",".join(picked)
    return [known[run_id] for run_id in picked]


def tools(runs: list[Run], found: list[Way]) -> tuple[str, Axis, bool]:
    """Metric, axis, and whether runs of one way are one line."""
    names = {name for run in runs for name in store().metrics.names(run.id)}
    ordered = [name for name in FIRST if name in names] + sorted(names - set(FIRST))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.selectbox("Metric", ordered, format_func=words.metric, key="compare_metric", width=240)
        axis = st.segmented_control("Over", list(AXES), default="Epochs", required=True, key="compare_axis")
        several = len(found) < len(runs)
        together = several and st.toggle(
            "Seeds together",
            value=True,
            key="compare_together",
            help="Runs that differ in nothing but their seeds become one line: their mean, and a band from the lowest "
            "to the highest. Turn it off to see each run.",
        )
    return metric, AXES[axis or "Epochs"], together


def curves(runs: list[Run], found: list[Way], metric: str, axis: Axis, *, together: bool) -> None:
    alone = [(name, (run,)) for name, run in zip(line_names(runs), runs, strict=True)]
    lines = [(way.name, way.runs) for way in found] if together else alone
    series = {run.id: store().metrics.series(run.id, metric) for run in runs}
    # a mean over runs needs the same places in each: minutes never are
    over: Axis = "epoch" if together and axis == "minutes" else axis
    courses = [Course(name, [points(run, series[run.id], over) for run in members]) for name, members in lines]
    with st.container(border=True, key="compare_curves"):
        st.markdown(f"**{words.metric(metric)}**")
        st.echarts_chart(
            compared(courses, axis=over, percent=metric.endswith("/accuracy"), palette=palette()),
            height=HEIGHT,
            key="compare_chart",
            alt=f"{words.metric(metric)} of {words.count(len(courses), 'line')}",
        )
        if over != axis:
            st.caption("Seeds together are drawn over epochs: their minutes do not meet.")


def tables(runs: list[Run], found: list[Way], apart: list[Difference], *, together: bool) -> None:
    if together:
        with st.container(border=True):
            st.markdown("**Ways**")
            ways_side_by_side(found, palette())
    with st.container(border=True):
        st.markdown("**Runs and what sets them apart**")
        runs_side_by_side(runs, apart, palette(), coloured=not together, now=time.time())
        if not apart:
            st.caption("They are set up alike in everything, the seed included.")


def page() -> None:
    with page_head("Compare"):
        pass
    if not store().runs.count():
        empty_state(
            "compare_arrows",
            "Nothing to compare yet",
            "Once you have trained two runs, see here which is better, and what set them apart.",
            lambda: st.page_link(RUNS_PAGE, label="All runs", icon=":material/list_alt:"),
        )
        return
    runs = chosen()
    if len(runs) < 2:
        st.info("Choose two runs or more, here or by ticking rows on the Runs page.", icon=":material/compare_arrows:")
        return

    def drawn() -> None:
        now = [store().runs.get(run.id) for run in runs]
        found, apart = ways(now), differences(now)
        if text := verdict(found):
            st.markdown(text)
        if any(store().metrics.names(run.id) for run in now):
            metric, axis, together = tools(now, found)
            curves(now, found, metric, axis, together=together)
        else:
            together = False
            st.info("None of them has measured anything yet.", icon=":material/hourglass_empty:")
        tables(now, found, apart, together=together)

    live(drawn, every_s=None if all(run.state.is_over for run in runs) else CHARTS_S)


page()
