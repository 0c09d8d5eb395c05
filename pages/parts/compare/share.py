"""What is taken along from the Compare page: its sentences, its address, all of it as one HTML file."""

import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared, Focus
from pages.parts.analysis.comparison.differences import every_setting
from pages.parts.analysis.comparison.group_values import PLAIN, painted, ranked
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.comparison.report import Chart, report, table_html
from pages.parts.analysis.comparison.settings_table import dot, settings_table
from pages.parts.analysis.comparison.summary import summary
from pages.parts.analysis.comparison.tables import COST_COLUMNS
from pages.parts.analysis.results.by_image import ByImage
from pages.parts.analysis.setting_axes import axes
from pages.parts.compare.curves import FIRST, ChartView, line_series, lines_caption
from pages.parts.compare.plots import columns_of, dots_of, no_front
from pages.parts.figures.compare.still_curves import compared_still
from pages.parts.figures.searches.parallel_still import parallel_still
from pages.parts.figures.searches.trade_off import front, trade_off
from pages.parts.palette import LIGHT
from pages.parts.session import store
from pages.parts.states import RUN_STATES
from storage import Run, Store

MOST_COLUMNS = 24  # runs whose configurations stand side by side in the file
FILE = "comparison.html"


def share(
    compared: Compared, said: Sequence[Group], light: Focus, view: ChartView, by_image: ByImage | None = None
) -> None:
    """
    Args:
        said: Groups of which the sentences tell.
        light: The focus in the colours of a light ground, as files are read.
    """
    of = store()
    sentences = summary(compared, said, PLAIN, by_image)
    with st.popover("Share", icon=":material/ios_share:", key="compare_share", width="content"):
        if sentences:
            st.caption("In words")
            st.code(" ".join(sentences), language=None, wrap_lines=True)
        st.caption("This page; who opens it sees the same runs")
        st.code(f"{st.context.url}?{urlencode(st.query_params.to_dict(), safe=',')}", language=None, wrap_lines=True)
        st.caption("All of it as one file: charts, tables, configurations; it needs no network")
        st.download_button(
            "Report",
            data=lambda: made(of, compared, said, light, view, by_image).encode(),  # only once it is asked for
            file_name=FILE,
            mime="text/html",
            icon=":material/download:",
            key="compare_report",
            on_click="ignore",
        )


def made(
    of: Store, compared: Compared, said: Sequence[Group], light: Focus, view: ChartView, by_image: ByImage | None
) -> str:
    """The report; every run and group in the colour it wears on the page.

    Args:
        of: Where the metrics are.
        compared: What is known of the runs.
        said: Groups to write of.
        light: The focus in the colours of a light ground.
        view: How the curves are shown on the page.
        by_image: The best runs of the best two groups, image by image.
    """
    colours = {group.name: light.colours[group.key] for group in light.groups}
    sentences = summary(compared, said, painted(colours, LIGHT), by_image)
    ordered = compared.best_first(compared.runs)
    columns = columns_of(compared, light, [run for run in ordered if run.id in light.of_runs][:MOST_COLUMNS])
    charts = [*_curves(of, compared, light, view), *_others(compared, light, ordered)]
    tables = [("Groups", _groups(compared, light))] if compared.is_grouped else []
    tables.append(("Runs", _runs(compared, light, ordered)))
    few = f": {len(columns)} of {_count(compared)}, best first" if len(columns) < len(compared.runs) else ""
    if compared.apart:
        tables.append((f"What sets them apart{few}", settings_table(compared.apart, columns, LIGHT)))
    every = settings_table(every_setting(compared.runs), columns, LIGHT)
    return report(
        " against ".join(group.name for group in said) if len(said) < 3 else "Comparison",
        f"{_count(compared)} compared by Thaw, {time.strftime('%-d %B %Y, %H:%M')}",
        sentences,
        charts,
        tables,
        [(f"All settings{few}", every)],
    )


def _curves(of: Store, compared: Compared, light: Focus, view: ChartView) -> list[Chart]:
    """The metric that is looked at, then the usual ones."""
    known = {name for one in compared.stats.values() for name in one.metrics}
    charts = []
    for metric in dict.fromkeys((view.metric, *FIRST)):
        if metric in known:
            whole = replace(view, metric=metric, window=None)
            figure = compared_still(
                line_series(of, light, whole),
                axis=whole.axis,
                title=formatting.metric(metric),
                unit=whole.unit,
                lowest=whole.lowest,
                palette=LIGHT,
                smoothing=whole.smoothing,
                log=whole.log,
            )
            charts.append(Chart(formatting.metric(metric), figure, lines_caption(compared, light)))
    return charts


def _others(compared: Compared, light: Focus, runs: Sequence[Run]) -> list[Chart]:
    charts = []
    both = compared.rows["seconds"], compared.rows["best"]
    dots, scales = dots_of(compared, light, list(runs), *both)
    if len(dots) > 1:
        best = front(dots, *scales)
        joined = "The dotted steps join finished runs that no other beats in both." if len(best) > 1 else ""
        note = joined if best else no_front(compared, runs, *both)
        charts.append(Chart("Best value against time", trade_off(dots, *scales, palette=LIGHT, height=420), note))
    dimensions, trials = axes(compared, compared.runs)
    if dimensions and len([one for one in trials if one.value is not None]) > 1:
        figure = parallel_still(
            trials,
            dimensions,
            metric=formatting.metric(compared.metric),
            factor=100 if compared.rows["best"].unit == "%" else 1,
            lowest=bool(compared.rows["best"].lowest),
            names=[compared.names[run.id] for run in compared.runs],
            colours=[light.of_runs.get(run.id) for run in compared.runs],
            palette=LIGHT,
        )
        charts.append(Chart("What made a difference", figure))
    return charts


def _groups(compared: Compared, light: Focus) -> str:
    best, rows, dots = compared.rows["best"], [], []
    for one in ranked(compared.groups, compared.stats, best):
        texts = [best.text(value) for value in (one.mean, min(one.values), max(one.values))]
        rows.append([one.group.name, str(len(one.group.runs)), *texts])
        dots.append(dot(light.colours.get(one.group.key), LIGHT))
    return table_html(["Group", "Runs", f"Mean of {best.label.lower()}", "Lowest", "Highest"], rows, dots)


def _runs(compared: Compared, light: Focus, runs: Sequence[Run]) -> str:
    every = list(compared.stats.values())
    keys = [key for key in COST_COLUMNS if any(compared.rows[key].value(one) is not None for one in every)]
    titles = ["Run", "State", compared.rows["best"].label, "at epoch", *(compared.rows[key].label for key in keys)]
    rows = []
    for run in runs:
        one = compared.stats[run.id]
        texts = [compared.rows[key].text(compared.rows[key].value(one)) for key in ("best", "epoch", *keys)]
        rows.append([compared.names[run.id], RUN_STATES[run.state].word, *texts])
    return table_html(titles, rows, [dot(light.of_runs.get(run.id), LIGHT) for run in runs])


def _count(compared: Compared) -> str:
    return formatting.count(len(compared.runs), "run")
