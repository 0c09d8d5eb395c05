"""The parts of the Search page above its charts: header, how far it is, budgets, and the best configuration."""

from collections import Counter
from statistics import median

import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.analysis.trials import COSTS, Trial, best_first, over, tally, value_text
from pages.parts.figures.searches.trade_off import Dot, Scale, front
from pages.parts.searches.actions import search_buttons
from pages.parts.session import NEW_RUN_PAGE, base_url, open_run, store
from pages.parts.states import SEARCH_STATES
from storage import Search, SearchState


def trials_of(search: Search) -> list[Trial]:
    """By number."""
    return [Trial.of(run) for run in store().runs.trials(search.id)]


def lowest(search: Search) -> bool:
    return search.mode == "min"


def in_percent(search: Search) -> bool:
    return search.metric.endswith("/accuracy")


def best_of(search: Search, trials: list[Trial]) -> Trial | None:
    """The one that the search calls best; before it has said so, the one with the best value."""
    valued = [trial for trial in best_first(trials, lowest=lowest(search)) if trial.value is not None]
    return next((trial for trial in valued if trial.run.id == search.best_run_id), valued[0] if valued else None)


def labels() -> dict[str, str]:
    return {setting.path: setting.label for setting in api.settings()}


def header(search: Search) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(gap="small", width="content"):
            st.title(formatting.escaped(search.name), anchor=False)
            with st.container(horizontal=True, gap="small", key="search_facts"):
                _badges(search)
        with st.container(horizontal=True, width="content", gap="small", vertical_alignment="bottom"):
            search_buttons(search, afterwards=_leave)


def trouble(search: Search) -> None:
    """Why it does not go on, and what to do next; or why it ended before its last trial."""
    text = formatting.escaped(" ".join(filter(None, [search.reason, search.advice])))
    if search.state is SearchState.FAILED:
        st.error(f"**It failed.** {text}", icon=":material/error:")
    elif text and search.state is not SearchState.RUNNING:
        st.info(text, icon=":material/info:")


def progress(search: Search, trials: list[Trial]) -> None:
    """How many trials, how long still, and how much of each budget is spent."""
    outlook = api.search_outlook(store(), search)
    parts = [f"{outlook.over:,} of {formatting.count(outlook.num_trials, 'trial')}"]
    under_way = sum(trial.run.state.has_process for trial in trials)
    if search.state is SearchState.RUNNING:
        parts += [f"{under_way:,} under way"] if under_way else []
        parts += [formatting.left(outlook.left_s)]
    if outlook.worked_s:
        parts.append(f"{formatting.duration(outlook.worked_s)} of work")
    st.progress(outlook.fraction, text=" · ".join(filter(None, parts)))
    _budget("Time", outlook.worked_s, outlook.budget_s)
    _budget("GPU time", search.worked_gpu_s(), outlook.gpu_budget_s)
    message = [search.message] if search.message and not search.state.is_at_rest else []
    st.caption(formatting.escaped(" · ".join(filter(None, [tally(trials), *message]))))


def numbers(search: Search, trials: list[Trial]) -> None:
    """Best value and what it gained over the base, how trials ended, time a trial."""
    best = best_of(search, trials)
    first = next((trial for trial in trials if trial.number == 1), None)
    took = [trial.run.duration_s() or 0 for trial in trials if trial.run.state.is_over and trial.run.started_at]
    kinds = Counter("pruned" if trial.is_pruned else str(trial.run.state) for trial in trials)
    ended = " · ".join(f"{kinds[kind]:,} {kind}" for kind in ("pruned", "failed") if kinds[kind])
    cards = (
        (
            "Best",
            formatting.of_metric(search.metric, best.value if best else None),
            f"{best.label}, epoch {best.run.best_epoch}" if best else None,
        ),
        (
            "Base configuration",
            formatting.of_metric(search.metric, first.value if first else None),
            _gain(search, best, first),
        ),
        ("Trials that ended", f"{over(trials):,}", ended or "none pruned, none failed"),
        (
            "Time a trial",
            formatting.duration(median(took) if took else None),
            f"{formatting.duration(min(took))} to {formatting.duration(max(took))}" if took else None,
        ),
    )
    grid = st.grid(4, min_column_width=160)
    for place, (label, value, note) in enumerate(cards):
        grid.metric(
            label,
            value,
            delta=note,
            delta_color="off" if place else "green",
            delta_arrow="off",
            border=True,
            height=116,
        )


def best_configuration(search: Search, trials: list[Trial]) -> None:
    """First of all: what to take away. As text, as YAML, as a longer run, as a file."""
    best = best_of(search, trials)
    if best is None:
        return
    with st.container(border=True, key="search_best"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            value = formatting.of_metric(search.metric, best.value)
            name = "Best configuration"
            if search.spec.get("cost") in COSTS:
                name = "Lowest loss" if lowest(search) else "Most accurate configuration"
            st.markdown(f"**:material/trophy: {name}** · {value} · {best.label}, epoch {best.run.best_epoch}")
            shape = st.segmented_control(
                "Shown as",
                ("Text", "YAML"),
                default="Text",
                required=True,
                key="search_best_as",
                label_visibility="collapsed",
            )
        if shape == "YAML":
            _as_yaml(best)
        else:
            st.code(as_text(best, labels()), language=None)
        if trade := _traded(search, trials, best):
            st.caption(trade)
        _take_away(best)


def dots_of(trials: list[Trial], *, percent: bool) -> list[Dot]:
    """Trials with both of two goals."""
    return [
        Dot(trial.label, trial.run.cost, (100 if percent else 1) * trial.value, is_whole=not trial.is_pruned)
        for trial in trials
        if trial.run.cost is not None and trial.value is not None
    ]


def _traded(search: Search, trials: list[Trial], best: Trial) -> str | None:
    """What the best one costs, and the least that can be had for less; None with one goal."""
    cost = COSTS.get(str(search.spec.get("cost")))
    dots = front(dots_of(trials, percent=False), Scale("", lowest=True), Scale("", lowest=lowest(search)))
    if cost is None or best.run.cost is None or not dots:
        return None
    costs = f"{cost}: {formatting.number(best.run.cost)}."
    if dots[0].x >= best.run.cost:
        return f"{costs} None costs less."
    least = (
        f"{dots[0].name} comes to {formatting.of_metric(search.metric, dots[0].y)} for {formatting.number(dots[0].x)}"
    )
    between = f"{formatting.count(len(dots), 'trial')} that none beats in both are under Trade-off."
    return f"{costs} With two goals it is not the only best one: {least}; the {between}"


def as_text(trial: Trial, names: dict[str, str]) -> str:
    """One setting a line, its name and its value."""
    width = max((len(names.get(path, path)) for path in trial.assignment), default=0)
    lines = [f"{names.get(path, path):<{width}}  {value_text(value)}" for path, value in trial.assignment.items()]
    return "\n".join(lines) or "The base configuration."


def _take_away(best: Trial) -> None:
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Train this longer",
            icon=":material/rocket_launch:",
            type="primary",
            key="search_longer",
            help="New run, filled in with these settings and more epochs",
        ):
            st.switch_page(NEW_RUN_PAGE, query_params={"longer": best.run.id})
        if any(kept.is_best for kept in store().checkpoints.list(best.run.id)):
            address = f"{base_url()}/api/runs/{best.run.id}/checkpoints/best"
            st.link_button("Its checkpoint", address, icon=":material/download:")
        if st.button("Open its run", icon=":material/show_chart:", key="search_open_best"):
            open_run(best.run.id)


def _as_yaml(trial: Trial) -> None:
    try:
        st.code(api.RunSpec.parse(trial.run.spec).to_yaml(), language="yaml")
    except api.Refused:
        st.caption("This spec was written by another version of Thaw.")


def _budget(name: str, spent_s: float, budget_s: float | None) -> None:
    if budget_s:
        st.progress(
            min(1.0, spent_s / budget_s),
            text=f"{name}: {formatting.duration(spent_s)} of {formatting.duration(budget_s)}",
        )


def _gain(search: Search, best: Trial | None, first: Trial | None) -> str | None:
    if best is None or first is None or best.value is None or first.value is None:
        return "always trial 1"
    if best.number == first.number:
        return "nothing better so far"
    gap = (first.value - best.value) if lowest(search) else (best.value - first.value)
    return f"best: {100 * gap:.1f} points better" if search.metric.endswith("/accuracy") else f"best: {gap:.3g} better"


def _badges(search: Search) -> None:
    state = SEARCH_STATES[search.state]
    st.badge(state.word, icon=state.icon, color=state.colour)
    st.badge(formatting.escaped(search.dataset_id), icon=":material/photo_library:", color="gray")
    for table, field, sign in (
        (api.ALGORITHMS, "algorithm", "casino"),
        (api.SCHEDULERS, "scheduler", "content_cut"),
    ):
        row = table.get(str(search.spec.get(field)))
        if row is not None and search.spec.get(field) != "none":
            st.badge(formatting.escaped(row.label), icon=f":material/{sign}:", color="gray", help=row.note)
    if search.path == "heads":
        note = "Trials differ in their heads alone: features are computed once, and many heads train at once over them."
        st.badge("many heads at once", icon=":material/stacks:", color="green", help=note)
    if search.device:
        st.badge(formatting.escaped(search.device), icon=":material/memory:", color="gray")
    if search.attempt > 1:
        st.badge(f"attempt {search.attempt}", icon=":material/restart_alt:", color="orange")


def _leave() -> None:
    st.session_state["search_left"] = True
