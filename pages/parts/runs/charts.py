"""The live charts of one run: what is read from the store, and the window of steps that zooming chooses."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.figures.curve import Mark, Window
from pages.parts.figures.frame import Option
from pages.parts.figures.runs.accuracy import accuracy
from pages.parts.figures.runs.learning_rate import learning_rate
from pages.parts.figures.runs.loss import loss
from pages.parts.figures.runs.marks import attempt_marks, checkpoint_marks, memory_marks, thaw_marks
from pages.parts.figures.runs.memory import memory, memory_names, memory_title
from pages.parts.figures.runs.single import single
from pages.parts.figures.runs.throughput import throughput
from pages.parts.live import for_all
from pages.parts.palette import Palette
from pages.parts.session import palette, store
from storage import Run, Series

RANGES = ("All", "Last epoch", "Last 500")
SMOOTHING = {"None": 0.0, "Some": 0.8, "Strong": 0.95}
HEIGHT = 270
RANK_PACE = re.compile(r"rank\d+/images_per_s")


MOST_OTHERS = 20  # cards of metrics that Thaw itself does not measure


@dataclass(frozen=True, slots=True)
class View:
    """How the charts of a run are looked at."""

    window: Window
    smoothing: float
    colours: Palette


Draw = Callable[[Run, View, list[Mark]], Option]
Card = tuple[str, list[str], Draw]  # its title, the metrics that it shows, and how


def chart_tools(run: Run) -> None:
    """Which steps are shown, and how smooth. All charts share it, and it outlives every refresh."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control("Steps", RANGES, default="All", key="run_range", on_change=reset_zoom)
        st.segmented_control("Smoothing", list(SMOOTHING), default="Some", required=True, key="run_smoothing")
        zoomed = _zoomed(run)
        if zoomed is not None:
            st.button(
                f"Reset zoom (steps {zoomed.first:,} to {zoomed.last:,})",
                icon=":material/zoom_out_map:",
                key="run_reset_zoom",
                on_click=reset_zoom,
            )
        elif run.step > 1:
            with st.popover("Zoom", icon=":material/zoom_in:", key="run_zoom"):
                st.slider("From step to step", 0, run.step, (0, run.step), key="run_slider")
                st.button("Show these steps", key="run_slide", on_click=_slide, args=(run.id,))
                st.caption("Or click the brush in the corner of a chart, then drag over the steps you want.")


def charts(run: Run, *, last_card: Callable[[Run], None]) -> None:
    """Loss, accuracy, learning rate, throughput and memory, each a card; `last_card` fills the grid's last one."""
    names = store().metrics.names(run.id)
    view = View(_window(run), SMOOTHING[st.session_state.get("run_smoothing") or "Some"], palette())
    in_memory = memory_names(names)
    cards: list[Card] = [
        ("Loss", ["train/loss", "val/loss"], _loss),
        ("Accuracy", ["train/accuracy", "val/accuracy"], _accuracy),
        ("Learning rate", [name for name in names if name.startswith("lr/")], _learning_rate),
        ("Throughput", ["speed/images_per_s"], _throughput),
        (memory_title(in_memory), in_memory, _memory),
    ]
    if run.source is not None:
        cards = [card for card in cards if set(card[1]) & set(names)] + _others(names, cards)
    grid = st.grid(2, min_column_width=340)
    for title, needed, draw in cards:
        with grid.cell(), st.container(border=True, height="stretch", key=f"run_figure_{title.split()[0].lower()}"):
            st.markdown(f"**{formatting.escaped(title)}**")
            if set(needed) & set(names):
                _chart(run, title, view, draw)
            else:
                st.caption("Nothing was measured." if run.state.is_over else "Shows with the first values.")
    with grid.cell(), st.container(border=True, height="stretch"):
        last_card(run)


def reset_zoom() -> None:
    st.session_state.pop("run_window", None)
    _new_charts()


def _chart(run: Run, title: str, view: View, draw: Callable[[Run, View, list[Mark]], Option]) -> None:
    # `offset` grows with every line that training wrote: without news the browser gets the very same chart.
    token = (run.id, run.offset, run.state, view)
    option = for_all((title, token), lambda: draw(run, view, _marks(run)))
    # A new zoom is a new chart: on the old one the brushed area would stay painted.
    key = f"run_chart_{title}_{st.session_state.get('run_zoom_round', 0)}"
    st.echarts_chart(option, height=HEIGHT, key=key, on_select=_brush(run.id, key), alt=f"{title} over training steps")


def _others(names: list[str], cards: list[Card]) -> list[Card]:
    """A card for each metric that none of `cards` shows: a run of another program names them as it likes."""
    shown = {name for _, needed, _ in cards for name in needed}
    left = [name for name in names if name not in shown][:MOST_OTHERS]
    return [(name, [name], partial(_single, name)) for name in left]


def _single(name: str, run: Run, view: View, marks: list[Mark]) -> Option:
    return single(_series(run, name, view), palette=view.colours, window=view.window)


def _series(run: Run, name: str, view: View) -> Series:
    window = view.window
    return store().metrics.series(run.id, name, first_step=window.first, last_step=window.last)


def _loss(run: Run, view: View, marks: list[Mark]) -> Option:
    train, validation = _series(run, "train/loss", view), _series(run, "val/loss", view)
    return loss(train, validation, palette=view.colours, smoothing=view.smoothing, window=view.window, marks=marks)


def _accuracy(run: Run, view: View, marks: list[Mark]) -> Option:
    train, validation = _series(run, "train/accuracy", view), _series(run, "val/accuracy", view)
    best = store().metrics.best(run.id, "val/accuracy")
    return accuracy(train, validation, best, palette=view.colours, window=view.window, marks=marks)


def _learning_rate(run: Run, view: View, marks: list[Mark]) -> Option:
    groups = [_series(run, name, view) for name in store().metrics.names(run.id) if name.startswith("lr/")]
    return learning_rate(groups, palette=view.colours, window=view.window, marks=_thaws(run))


def _throughput(run: Run, view: View, marks: list[Mark]) -> Option:
    names = [name for name in store().metrics.names(run.id) if RANK_PACE.fullmatch(name)]
    ranks = [_series(run, name, view) for name in sorted(names, key=lambda name: (len(name), name))]
    speed = _series(run, "speed/images_per_s", view)
    return throughput(speed, ranks, palette=view.colours, window=view.window)


def _memory(run: Run, view: View, marks: list[Mark]) -> Option:
    measured = [_series(run, name, view) for name in memory_names(store().metrics.names(run.id))]
    warned = [event for event in store().events.list(run.id) if event.level == "warning"]
    short = memory_marks(warned, store().metrics.series(run.id, "train/loss")) if warned else []
    return memory(measured, palette=view.colours, window=view.window, marks=short)


def _marks(run: Run) -> list[Mark]:
    attempts = []
    if run.attempt > 1:
        attempts = attempt_marks(store().events.list(run.id), store().metrics.series(run.id, "train/loss"))
    return [*checkpoint_marks(store().checkpoints.list(run.id)), *attempts, *_thaws(run)]


def _thaws(run: Run) -> list[Mark]:
    try:
        plan = api.RunSpec.parse(run.spec).thaw_plan
    except api.Refused:  # a run of another version: its curves stay
        return []
    return thaw_marks(plan, run.steps / run.epochs) if run.steps and run.epochs else []


def _window(run: Run) -> Window:
    zoomed, chosen = _zoomed(run), st.session_state.get("run_range")
    if zoomed is not None:
        return zoomed
    if chosen == "Last epoch" and run.steps and run.epochs:
        return Window(max(0, run.step - round(run.steps / run.epochs)), None)
    if chosen == "Last 500":
        return Window(max(0, run.step - 500), None)
    newest = max((point.step for point in store().metrics.last(run.id).values()), default=0)
    return Window(None, max(1, run.step, newest))  # the same steps on every chart


def _zoomed(run: Run) -> Window | None:
    run_id, window = st.session_state.get("run_window", (None, None))
    return window if run_id == run.id else None


def _zoom(run_id: str, first: float, last: float) -> None:
    low, high = max(0, int(first)), int(last) + 1
    if high - low >= 2:
        st.session_state["run_window"] = (run_id, Window(low, high))
        _new_charts()


def _brush(run_id: str, key: str) -> Callable[[], None]:
    """The brushed range becomes the window, kept here because no chart keeps it over a refresh."""

    def take() -> None:
        areas = st.session_state[key]["selection"]["areas"]
        if areas and areas[0].get("coord_range"):
            _zoom(run_id, *areas[0]["coord_range"][:2])

    return take


def _slide(run_id: str) -> None:
    _zoom(run_id, *st.session_state["run_slider"])


def _new_charts() -> None:
    st.session_state["run_zoom_round"] = st.session_state.get("run_zoom_round", 0) + 1
