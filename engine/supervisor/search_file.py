"""search.json: what a driver needs to know, so that it never opens the database."""

import json
from dataclasses import asdict
from itertools import product
from typing import Any

from engine.artifacts.initial_weights import weights_path
from engine.errors import Refused
from engine.machine.resources import cores
from engine.protocol import driver_requests
from engine.protocol.json_file import write_json
from engine.specs import SearchSpec
from storage import Run, RunState, Search, Store


def write_search_file(store: Store, search: Search) -> None:
    """
    Raises:
        OSError: The search's folder cannot be written.
        KeyError: Its data set is gone.
        Refused: Its spec is of another version.
    """
    folder = store.home.search(search.id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    driver_requests.clear(folder)
    spec = SearchSpec.parse(search.spec)
    told = {
        "id": search.id,
        "name": search.name,
        "attempt": search.attempt,
        "spec": search.spec,
        "dataset": _dataset(store, search),
        "device": spec.run.device if search.slot == "cpu" else "cuda",
        "slots": str(search.slot).split(","),
        "cpus": cores(),
        "cache": str(store.home.cache),
        "weights_paths": _weights_paths(store, spec),
        "runs": str(store.home.runs),
        "wanted": search.num_trials,
        "spent_s": search.spent_s,
        "spent_gpu_s": search.spent_gpu_s,
        "stop_asked": [one.target for one in store.requests.open() if one.kind == "stop_run"],
        "trials": _trials(store, search),
    }
    write_json(folder / "search.json", told)


def _dataset(store: Store, search: Search) -> dict[str, Any]:
    """The record as the search was first launched with it: trials are judged by the same images to the end."""
    try:
        first: dict[str, Any] = json.loads((store.home.search(search.id) / "search.json").read_text())["dataset"]
    except (OSError, ValueError, KeyError):
        return asdict(store.datasets.get(search.dataset_id))
    return first


def _weights_paths(store: Store, spec: SearchSpec) -> dict[str, str]:
    """The file behind each text that `model.weights_from` may have."""
    found: dict[str, str] = {}
    for kind, name, backbone in product(*(_may_be(spec, leaf) for leaf in ("weights", "weights_from", "backbone"))):
        model = spec.run.model.model_copy(update={"weights": kind, "weights_from": name, "backbone": backbone})
        try:
            path = weights_path(store, spec.run.model_copy(update={"model": model}))
        except Refused:  # its trial says so
            continue
        if path:
            found[name] = str(path)
    return found


def _may_be(spec: SearchSpec, leaf: str) -> tuple[Any, ...]:
    """The values that a field of the model has in some trial, that of the base run first."""
    searched = spec.space.get(f"model.{leaf}")
    return (getattr(spec.run.model, leaf), *((searched.choices or ()) if searched else ()))


def _trials(store: Store, search: Search) -> list[dict[str, Any]]:
    """What is known of its trials: the finished ones to learn from, the unfinished ones to go on with."""
    histories = store.runs.trial_histories(search.id)
    return [_trial(store, run, histories.get(run.id, [])) for run in store.runs.trials(search.id)]


def _trial(store: Store, run: Run, history: list[tuple[int, float | None]]) -> dict[str, Any]:
    kept = store.checkpoints.list(run.id) if run.state is RunState.INTERRUPTED else []
    return {
        "run": run.id,
        "number": run.trial,
        "name": run.name,
        "state": str(run.state),
        "config": run.assignment or {},
        "value": run.best_value,
        "best_epoch": run.best_epoch,
        "cost": run.cost,
        "epoch": run.epoch,
        "epochs": run.epochs,
        "resume_from": kept[0].path if kept else None,
        "attempt": run.attempt,
        "reason": run.reason,
        "history": [list(point) for point in history],
    }
