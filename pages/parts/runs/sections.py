"""The parts of the Run page around its charts: header, numbers, checkpoints, what happened, how it was set up."""

import time
from typing import Literal

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.analysis.tables import checkpoints_table
from pages.parts.runs.actions import run_buttons
from pages.parts.runs.annotations import annotation_buttons, notes, tag_badges
from pages.parts.runs.lineage import go_on, lineage
from pages.parts.runs.remedies import remedies, ways_out
from pages.parts.runs.table import HEAD, ROW, event_list
from pages.parts.session import RESULTS_PAGE, base_url, download_link, log_link, palette, store
from pages.parts.widgets.basket import basket_toggle
from pages.parts.widgets.cards import fact_badges, state_badge
from storage import Run, RunState

POINTS = 40  # of a sparkline
LONG, TALL = 125, 58  # characters of an event that one row shows, pixels of a row that shows more


def header(run: Run) -> None:
    """Name, state and facts; on the right what can be done."""
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap="small", width="content"):
            st.title(formatting.escaped(run.name), anchor=False)
            with st.container(horizontal=True, gap="small", key="run_facts"):
                state_badge(run)
                fact_badges(run)
                tag_badges(run)
            lineage(run)
        with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="bottom"):
            has_best = any(kept.is_best for kept in store().checkpoints.list(run.id))
            note = "What it gets right and wrong, down to single images"
            if has_best and st.button("Results", icon=":material/grid_on:", key="run_results", help=note):
                st.switch_page(RESULTS_PAGE, query_params={"run": run.id})
            annotation_buttons([run], key="run")
            run_buttons([run], key="run", afterwards=_leave)
            go_on(run)
            basket_toggle(run)
            if has_best:
                address = f"{base_url()}/api/runs/{run.id}/checkpoints/best"
                st.link_button("Best checkpoint", address, icon=":material/download:", type="primary")
    notes(run)


def trouble(run: Run) -> None:
    """Why it does not go on, and what to do next."""
    offers = remedies(run)
    advice = api.FAULTS[run.reason_code].advice if run.reason_code and offers else run.advice  # the rest are buttons
    text = formatting.escaped(" ".join(filter(None, [run.reason, advice])))
    if run.state is RunState.FAILED:
        st.error(f"**It failed.** {text}", icon=":material/error:")
        ways_out(run, offers)
    elif text and run.state in (RunState.STOPPED, RunState.INTERRUPTED):
        st.warning(text, icon=":material/info:")


def progress(run: Run) -> None:
    took = formatting.duration(run.duration_s(time.time()))
    if run.state is RunState.FINISHED:
        st.caption(f"{formatting.count(run.epochs, 'epoch')} in {took} · ended {formatting.ago(run.ended_at)}")
        return
    if run.state.is_over and not run.steps:
        st.caption("It ended before its first step.")
        return
    text = formatting.progress(run)
    st.progress(run.fraction, text=f"{text} · {took} so far" if run.started_at and not run.state.is_over else text)


def numbers(run: Run) -> None:
    """Best value and its epoch, loss, throughput, memory; each with its course."""
    last = store().metrics.last(run.id)
    gpu = next((name for name in sorted(last) if name.endswith("/allocated_mb")), None)
    in_memory = gpu or "memory/rss_mb"
    at = f"at epoch {run.best_epoch} of {run.epochs}" if run.best_epoch is not None else None
    against = f"validation {formatting.number(last['val/loss'].value)}" if "val/loss" in last else None
    of_memory = _peak(last, gpu) if gpu else "resident (RSS)"
    best = f"Best {formatting.metric(run.metric).lower()}"
    cards: tuple[tuple[str, str, str | None, str, Literal["area", "bar"]], ...] = (
        (best, formatting.of_metric(run.metric, run.best_value), at, run.metric, "area"),
        ("Training loss", _value(last, "train/loss"), against, "train/loss", "area"),
        ("Throughput", _value(last, "speed/images_per_s"), _epoch_time(last), "speed/images_per_s", "bar"),
        ("GPU memory" if gpu else "Process memory", _value(last, in_memory), of_memory, in_memory, "area"),
    )
    grid = st.grid(4, min_column_width=200)
    for label, value, note, name, kind in cards:
        if run.source is not None and name not in last:  # another program does not measure it
            continue
        course = _course(run, name)
        grid.metric(
            label,
            value,
            delta=note,
            delta_color="green" if kind == "area" and name != in_memory else "off",
            delta_arrow="off",
            border=True,
            chart_data=course if len(course) > 1 else None,
            chart_type=kind,
            height=168,
        )


def checkpoints(run: Run) -> None:
    st.markdown("**Checkpoints**")
    kept = store().checkpoints.list(run.id)
    if not kept:
        st.caption("None was kept." if run.state.is_over else "The first is kept after the first epoch.")
        return
    column = st.column_config
    colours = palette()
    st.dataframe(
        checkpoints_table(kept, metric=run.metric, link=download_link, now=time.time()),
        hide_index=True,
        key="run_checkpoints",
        alt="Checkpoints kept of this run",
        height=ROW * min(len(kept), 6) + HEAD,
        row_height=ROW,
        column_config={
            "marks": column.MultiselectColumn(
                "",
                options=["best", "last", "pinned"],
                color=[colours.good + "33", colours.waiting + "33", colours.busy + "33"],
                width=96,
            ),
            "epoch": column.TextColumn("Epoch", width=52),
            "value": column.ProgressColumn("Val accuracy", min_value=0, max_value=100, format="%.2f%%", width=118),
            "size": column.TextColumn("Size", width=70),
            "saved": column.TextColumn("Saved", width=78),
            "file": column.LinkColumn("File", display_text=":material/download:", width=44),
        },
    )


def events(run: Run) -> None:
    happened = store().events.list(run.id)
    if not happened:
        st.caption("Nothing has happened yet.")
        return
    row = TALL if any(len(event.text) > LONG for event in happened) else ROW  # text wraps where there is room
    event_list(happened, key="run_events", alt="What happened to this run, newest first", row=row)


def log(run: Run) -> None:
    text = api.log_tail(store(), run.id, lines=200)
    if not text:
        st.caption("The log is empty so far.")
        return
    st.code(text, language=None, height=320)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.link_button("Whole log", log_link(run), icon=":material/open_in_new:")
        st.caption("The last 200 lines.")


def configuration(run: Run) -> None:
    """The spec as YAML, and the command that starts the same run."""
    if run.source is not None:
        st.caption(f"Its settings are not known here: it was read in. {formatting.escaped(run.source)}")
        return
    try:
        text = api.RunSpec.parse(run.spec).to_yaml(all_fields=True)
    except api.Refused as refused:
        st.caption("This spec was written by another version of Thaw:")
        st.code("\n".join(map(str, refused.problems)), language=None)
        return
    st.caption("The same run without a browser: save this as run.yaml, then")
    st.code(".venv/bin/thaw train run.yaml --wait", language="bash")
    st.code(text, language="yaml")


def _leave() -> None:
    st.session_state["run_left"] = True


def _value(last: dict, name: str) -> str:
    if name not in last:
        return formatting.DASH
    return "not finite" if last[name].value is None else formatting.of_metric(name, last[name].value)


def _peak(last: dict, allocated: str) -> str:
    """Of torch's pool, and how much the GPU has."""
    peak, total = (allocated.replace("allocated", kind) for kind in ("peak", "total"))
    return f"peak {_value(last, peak)}" + (f" of {_value(last, total)}" if total in last else "")


def _epoch_time(last: dict) -> str | None:
    return f"{formatting.duration(last['speed/epoch_s'].value)} an epoch" if "speed/epoch_s" in last else None


def _course(run: Run, name: str) -> list[float]:
    values = [value for value in store().metrics.series(run.id, name, limit=400).values if value is not None]
    return values[:: max(1, len(values) // POINTS)]
