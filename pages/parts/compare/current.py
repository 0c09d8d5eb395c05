"""What is in the basket just now, read once, and later only what is new of it."""

import time
from collections.abc import Sequence

import streamlit as st

from engine import api
from pages.parts.analysis.comparison.compared_runs import Compared
from pages.parts.analysis.comparison.differences import Difference, differences, line_names, setups
from pages.parts.analysis.comparison.group_values import ranked
from pages.parts.analysis.comparison.groups import EACH, SEEDS, Group, groups
from pages.parts.analysis.quantities import quantities
from pages.parts.analysis.results.by_image import ByImage, by_image
from pages.parts.analysis.run_stats import RunStats, common_metric, run_stats
from pages.parts.live import unless_new
from pages.parts.session import store
from pages.parts.widgets.basket import Basket
from storage import Run


def runs_in(held: Basket) -> list[Run]:
    """Those of the basket that are still there, then the trials of its searches, each once."""
    found = {run.id: run for run in store().runs.some(held.runs)}
    for search_id in held.searches:
        try:
            trials = store().runs.trials(search_id)
        except KeyError:  # deleted since
            continue
        found |= {run.id: run for run in trials if run.id not in found}
    return list(found.values())


def grouping(runs: Sequence[Run]) -> str:
    """What runs are grouped by, as chosen: nothing, or what differs between them."""
    labels = {EACH: "Each run", SEEDS: "Seeds together"}
    labels |= {one.path: f"By {one.label.lower()}" for one in _apart(runs) if len(set(one.values)) < len(runs)}
    if st.session_state.get("compare_by") not in labels:
        st.session_state.pop("compare_by", None)
    return st.selectbox(
        "A line for",
        list(labels),
        format_func=lambda by: labels[by],
        key="compare_by",
        width=190,
        label_visibility="collapsed",
        bind="query-params",
    )


def gathered(runs: Sequence[Run], by: str) -> Compared:
    """All of it; the same object while nothing is new."""
    metric = common_metric(runs)
    token = tuple((run.id, run.state, run.offset, run.best_value, run.name) for run in runs)
    return unless_new("compare_gathered", (token, by), lambda: _gather(runs, by, metric, token))


def best_two(compared: Compared, said: Sequence[Group]) -> ByImage | None:
    """The best runs of the best two groups image by image, where both have kept what they said of each."""
    ranking = ranked(said, compared.stats, compared.rows["best"])[:2]
    if len(ranking) < 2:
        return None
    first, second = (compared.best_first(one.group.runs)[0] for one in ranking)
    if {first.metric, second.metric} != {compared.metric}:
        return None  # what was kept is of the best epoch by another metric than the one shown

    def read() -> ByImage | None:
        found = [api.run_predictions(store(), run.id) for run in (first, second)]
        kept = [one for one, run in zip(found, (first, second), strict=True) if one and one.epoch == run.best_epoch]
        return by_image(*kept) if len(kept) == 2 else None

    kept = store().checkpoints.best_of([first.id, second.id])
    marks = tuple((run_id, one.sha256, one.is_best) for run_id in (first.id, second.id) if (one := kept.get(run_id)))
    return unless_new("compare_best_two", marks, read) if len(marks) == 2 else None


def _gather(runs: Sequence[Run], by: str, metric: str, token: tuple[tuple[object, ...], ...]) -> Compared:
    names, apart = line_names(runs), _apart(runs)
    ids = [run.id for run in runs]
    return Compared(
        runs=tuple(runs),
        names=dict(zip(ids, names, strict=True)),
        metric=metric,
        rows=quantities(metric),
        apart=tuple(apart),
        stats=_stats(runs, metric, token),
        setups=setups(runs, apart),
        sources=_sources(runs),
        by=by,
        groups=tuple(groups(runs, names, apart, by)),
        token=token,
    )


def _apart(runs: Sequence[Run]) -> list[Difference]:
    """A spec never changes: what sets the same runs apart need not be found again."""
    marks = tuple((run.id, run.dataset_fingerprint) for run in runs)
    return unless_new("compare_apart", marks, lambda: differences(runs))


def _sources(runs: Sequence[Run]) -> dict[str, str | None]:
    """Looked up only where the images that runs were chosen from are not the same."""
    marks = tuple((run.id, run.dataset_fingerprint) for run in runs)
    if len({mark for _, mark in marks}) < 2:
        return {}
    return unless_new("compare_sources", marks, lambda: {run.id: api.source_fingerprint(store(), run) for run in runs})


def _stats(runs: Sequence[Run], metric: str, token: tuple[tuple[object, ...], ...]) -> dict[str, RunStats]:
    """Those that have moved on are measured again, no others."""
    known: dict[str, tuple[object, RunStats]] = st.session_state.setdefault("compare_stats", {})
    marks = {run.id: (*mark, metric) for run, mark in zip(runs, token, strict=True)}
    news = [run for run in runs if known.get(run.id, (None,))[0] != marks[run.id]]
    for run_id, one in run_stats(store(), news, metric, now=time.time()).items():
        known[run_id] = marks[run_id], one
    return {run.id: known[run.id][1] for run in runs}
