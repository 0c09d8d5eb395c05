"""Records as tables for `st.dataframe`. Pure: no Streamlit here, so that they are tested as plain data."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from pages.parts import formatting
from pages.parts.analysis.trials import Trial, value_text
from pages.parts.states import RUN_STATES, SEARCH_STATES
from storage import Checkpoint, Dataset, Event, Run, Search


def runs_table(runs: Sequence[Run], *, now: float, warnings: Mapping[str, Sequence[str]] | None = None) -> pd.DataFrame:
    """One row a run, in the order given; `warnings` are texts by run."""
    warned = warnings or {}
    return pd.DataFrame(
        {
            "open": [_label(run.name) for run in runs],
            "state": [[RUN_STATES[run.state].word] for run in runs],
            "tags": [list(run.tags) for run in runs],
            "notes": [formatting.notes(warned.get(run.id, ())) for run in runs],
            "progress": [100 * run.fraction for run in runs],
            "left": [
                formatting.DASH if run.eta_s is None or run.state.is_over else formatting.duration(run.eta_s)
                for run in runs
            ],
            "best": [_in_percent(run.best_value) if run.metric.endswith("/accuracy") else None for run in runs],
            "best_epoch": [run.best_epoch for run in runs],
            "duration": [formatting.duration(run.duration_s(now)) for run in runs],
            "dataset": [run.dataset_id for run in runs],
            "backbone": [backbone_of(run) for run in runs],
            "created": [formatting.ago(run.created_at, now) for run in runs],
            "id": [run.id for run in runs],
        }
    ).astype({"best": "Float64", "best_epoch": "Int64"})


def trials_table(
    trials: Sequence[Trial],
    settings: Sequence[tuple[str, str]],
    *,
    factor: float,
    curves: Mapping[str, Sequence[float]],
    memory: Mapping[str, float | None],
    now: float,
) -> pd.DataFrame:
    """One row a trial, in the order given.

    What was tried stands right after what it came to: a phone shows no more without scrolling.

    Args:
        trials: In the order of the rows.
        settings: (path, column) of what was searched.
        factor: What values are multiplied by: 100 for per cent.
        curves: Values epoch by epoch, by run id.
        memory: Peaks in MiB, by run id.
        now: Unix seconds, for what is not over.
    """
    columns: dict[str, list[Any]] = {
        "open": [trial.label for trial in trials],
        "best": [None if trial.value is None else factor * trial.value for trial in trials],
    }
    for path, column in settings:
        columns[column] = [value_text(trial.assignment[path]) if path in trial.assignment else None for trial in trials]
        if all(_is_number(trial.assignment.get(path)) for trial in trials):  # so that the column sorts as numbers do
            columns[column] = [trial.assignment.get(path) for trial in trials]
    columns |= {
        "cost": [trial.run.cost for trial in trials],
        "state": [[trial.state_word] for trial in trials],
        "epoch": [trial.run.best_epoch for trial in trials],
        "curve": [[factor * value for value in curves.get(trial.run.id, ())] for trial in trials],
        "duration": [trial.run.duration_s(now) for trial in trials],
        "memory": [memory.get(trial.run.id) for trial in trials],
        "note": [trial.run.reason or "" for trial in trials],
        "id": [trial.run.id for trial in trials],
    }
    kinds = {"best": "Float64", "cost": "Float64", "epoch": "Int64", "duration": "Float64", "memory": "Float64"}
    return pd.DataFrame(columns).astype(kinds)


def searches_table(searches: Sequence[Search], counts: Mapping[str, int], *, now: float) -> pd.DataFrame:
    """One row a search, in the order given; `counts` are trials that have ended, by search."""
    return pd.DataFrame(
        {
            "open": [_label(one.name) for one in searches],
            "state": [[SEARCH_STATES[one.state].word] for one in searches],
            "progress": [100 * min(1.0, counts[one.id] / max(1, one.num_trials)) for one in searches],
            "trials": [f"{counts[one.id]:,} of {one.num_trials:,}" for one in searches],
            "best": [formatting.of_metric(one.metric, one.best_value) for one in searches],
            "algorithm": [str(one.spec.get("algorithm", "")) for one in searches],
            "dataset": [one.dataset_id for one in searches],
            "duration": [formatting.duration(one.worked_s(now) or None) for one in searches],
            "created": [formatting.ago(one.created_at, now) for one in searches],
        }
    )


def checkpoints_table(
    checkpoints: Sequence[Checkpoint], *, metric: str, link: Callable[[Checkpoint], str], now: float
) -> pd.DataFrame:
    """One row a kept checkpoint, newest first.

    Args:
        checkpoints: In the order of the rows.
        metric: The one whose value stands beside each.
        link: The address that a checkpoint's weights are downloaded from.
        now: Unix seconds.
    """
    return pd.DataFrame(
        {
            "marks": [_marks(one) for one in checkpoints],
            "epoch": [str(one.epoch) if one.is_whole else f"in {one.epoch + 1}" for one in checkpoints],
            "value": [_in_percent(one.metrics.get(metric)) for one in checkpoints],
            "size": [formatting.size(one.bytes) for one in checkpoints],
            "saved": [formatting.ago(one.created_at, now) for one in checkpoints],
            "file": [link(one) for one in checkpoints],
        }
    ).astype({"value": "Float64"})


def events_table(events: Sequence[Event]) -> pd.DataFrame:
    """Newest first."""
    return pd.DataFrame(
        {
            "at": [formatting.clock(event.at) for event in reversed(events)],
            "level": [[event.level] for event in reversed(events)],
            "text": [event.text for event in reversed(events)],
        }
    )


def set_aside_table(dataset: Dataset) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "path": [one["path"] for one in dataset.set_aside],
            "reason": [one["reason"] for one in dataset.set_aside],
        }
    )


def backbone_of(run: Run) -> str:
    """The backbone's key; "" for a spec of another Thaw that has none."""
    model = run.spec.get("model")
    return str(model.get("backbone", "")) if isinstance(model, dict) else ""


def _marks(checkpoint: Checkpoint) -> list[str]:
    flags = {"best": checkpoint.is_best, "last": checkpoint.is_last, "pinned": checkpoint.is_pinned}
    return [name for name, is_set in flags.items() if is_set]


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _in_percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _label(name: str) -> str:
    """Cut to the column; a word joiner keeps a colon a colon, where a button would read `:material/...:` as an icon."""
    return formatting.colons_kept(formatting.shortened(name, 34))
