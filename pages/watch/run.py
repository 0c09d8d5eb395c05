"""One run: how far it is, how well it does, what it kept."""

import time

import streamlit as st

import engine
from pages.parts import actions, run_charts
from pages.parts.live import live, pace
from pages.parts.session import base_url, run_in_url, store
from pages.parts.tables import checkpoints_table, events_table
from pages.parts.words import BADGES, duration, percent, plain, progress_line
from storage import Run, RunState


def header(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap="small", width="content"):
            st.title(plain(run.name), anchor=False)
            with st.container(horizontal=True, gap="small"):
                label, icon, colour = BADGES[run.state]
                st.badge(label, icon=icon, color=colour)
                st.badge(plain(run.dataset_id), icon=":material/photo_library:", color="gray")
                backbone = run.spec["model"]["backbone"]
                known = engine.BACKBONES.get(backbone)
                st.badge(known.label if known else plain(backbone), icon=":material/hub:", color="gray")
                st.badge(f"rate {run.spec['optimisation']['learning_rate']:g}", color="gray")
        buttons(run)


def buttons(run: Run) -> None:
    with st.container(horizontal=True, width="content", gap="small"):
        if actions.can_stop([run]):
            st.button("Stop", icon=":material/stop_circle:", on_click=actions.stop, args=([run],), key="run.stop")
        if actions.can_resume([run]):
            st.button("Resume", icon=":material/resume:", on_click=actions.resume, args=([run],), key="run.resume")
        if st.button("Clone", icon=":material/content_copy:", help="A new run with these settings.", key="run.clone"):
            st.switch_page("pages/train/new_run.py", query_params={"from": run.id})
        if st.button("", icon=":material/delete:", help="Delete this run", key="run.delete"):
            actions.confirm_delete([run])
        if run.best_epoch is not None and store().checkpoints.list(run.id):
            url = f"{base_url()}/api/runs/{run.id}/checkpoints/best"
            st.link_button("Best checkpoint", url, icon=":material/download:", type="primary")


def trouble(run: Run) -> None:
    """Why it is not going on, and what to do."""
    text = " ".join(filter(None, [run.reason, run.advice]))
    if run.state is RunState.FAILED:
        st.error(f"**Failed.** {plain(text)}", icon=":material/error:")
    elif run.state in (RunState.STOPPED, RunState.INTERRUPTED) and text:
        st.warning(plain(text), icon=":material/info:")


def cards(run: Run) -> None:
    last = store().metrics.last(run.id)

    def trend(name: str, points: int = 40) -> list[float]:
        values = store().metrics.series(run.id, name, limit=1000).values
        known = [value for value in values if value is not None]
        return known[:: max(1, len(known) // points)]

    def newest(name: str) -> float | None:
        return last[name].value if name in last else None

    memory = next((name for name in last if name.endswith("/allocated_mb")), "memory/rss_mb")
    told = f"in epoch {run.best_epoch}" if run.best_epoch else None
    shown = (
        ("Best validation accuracy", percent(run.best_value), told, "val/accuracy", "area"),
        ("Training loss", _number(newest("train/loss"), "{:.3f}"), None, "train/loss", "area"),
        ("Throughput", _number(newest("speed/images_per_s"), "{:,.0f} images/s"), None, "speed/images_per_s", "bar"),
        (
            "GPU memory" if memory.startswith("gpu") else "Process memory",
            _number(newest(memory), "{:,.0f} MB"),
            None,
            memory,
            "area",
        ),
    )
    with st.grid(4, min_column_width=200, gap="medium"):
        for label, value, note, name, kind in shown:
            points = trend(name)
            st.metric(
                label,
                value,
                note,
                delta_color="off",
                delta_arrow="off",
                border=True,
                chart_data=points if len(points) > 1 else None,
                chart_type=kind,
                height=170,
            )


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def kept(run: Run) -> None:
    st.markdown("**Checkpoints**")
    checkpoints = store().checkpoints.list(run.id)
    if not checkpoints:
        st.caption("The first is kept after the first epoch.")
        return
    st.dataframe(
        checkpoints_table(checkpoints, base_url()),
        hide_index=True,
        key="run.checkpoints",
        alt="Checkpoints of this run",
        column_config={
            "": st.column_config.MultiselectColumn(options=["best", "last"], color=["green", "gray"], width="small"),
            "Accuracy": st.column_config.ProgressColumn("Val accuracy", format="percent", min_value=0, max_value=1),
            "Size": st.column_config.NumberColumn(format="%.1f MB", width="small"),
            "File": st.column_config.LinkColumn(display_text="Download", width="small"),
        },
    )


def happened(run: Run) -> None:
    st.markdown("**Events**")
    st.dataframe(
        events_table(store().events.list(run.id)),
        hide_index=True,
        height=210,
        key="run.events",
        alt="Events of this run",
        column_config={
            "When": st.column_config.DatetimeColumn(format="HH:mm:ss", width="small"),
            "": st.column_config.TextColumn(width=24),
        },
    )


def tools() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Steps",
            ["All", "Last epoch", "Last 500"],
            key="run.span",
            default="All",
            on_change=run_charts.reset_window,
            help="Or drag across a chart after a click on its zoom icon.",
        )
        st.segmented_control(
            "Smoothing", ["None", "Some", "Strong"], key="run.smoothing", default="Some", help="Of the training loss."
        )
        if "run.window" in st.session_state:
            st.button("Reset zoom", icon=":material/zoom_out_map:", on_click=run_charts.reset_window, key="run.reset")


def watch(run_id: str) -> None:
    """Everything that moves; the whole page is drawn again when the state changes, so that it comes to rest."""
    try:
        run = store().runs.get(run_id)
    except KeyError:
        st.session_state.pop("run_in_url", None)
        st.switch_page("pages/watch/runs.py")
    if st.session_state.get("run.state") != (run.id, run.state):
        st.session_state["run.state"] = (run.id, run.state)
        st.rerun()
    header(run)
    trouble(run)
    took = "" if run.started_at is None else f" · {duration(run.duration_s(time.time()))} so far"
    if not run.state.is_over:
        st.progress(run.fraction, text=progress_line(run) + took)
    elif run.started_at is not None:
        st.caption(
            f"{run.epoch} of {run.epochs} epochs in {duration(run.duration_s())} on {plain(run.device or 'cpu')}"
        )
    cards(run)
    tools()
    run_charts.charts(run)
    with st.grid(2, min_column_width=340, gap="medium"):
        with st.container(border=True):
            kept(run)
        with st.container(border=True):
            happened(run)


def settled(run: Run) -> None:
    """What does not move: the log's end, on asking, and the configuration."""
    with st.expander("Log", icon=":material/terminal:", key="run.log", on_change="rerun") as log:
        if log.open:
            text = engine.log_tail(store(), run.id, lines=200)
            st.code(text or "Nothing written yet.", language=None, height=320)
            st.caption(f"The last 200 lines of {store().home.run(run.id) / 'log.txt'}")
    with st.expander("Configuration", icon=":material/settings:"):
        st.caption("Save as run.yaml, then: `python -m engine train run.yaml --wait`")
        st.code(engine.RunSpec.parse(run.spec).to_yaml(all_fields=True), language="yaml")


def page() -> None:
    run_id = run_in_url()
    if run_id is None:
        st.title("Run")
        st.info("Choose a run on the Runs page.", icon=":material/list_alt:")
        return
    try:
        run = engine.find_run(store(), run_id)
    except engine.NotFound:
        st.session_state.pop("run_in_url", None)
        st.title("Run")
        st.warning(f"There is no run {plain(run_id)}; it may have been deleted.", icon=":material/search_off:")
        st.page_link("pages/watch/runs.py", label="All runs", icon=":material/list_alt:")
        return
    if st.query_params.get("run") != run.id:
        st.query_params["run"] = run.id
    st.session_state["run.state"] = (run.id, run.state)
    live(lambda: watch(run.id), every_s=pace(run))
    settled(run)


page()
