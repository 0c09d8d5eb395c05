"""run.json: what a training process needs to know, so that it never opens the database."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.artifacts.initial_weights import weights_path
from engine.errors import Refused
from engine.protocol.json_file import write_json
from engine.specs import RunSpec
from storage import Run, Store


def write_run_file(store: Store, run: Run) -> None:
    """
    Raises:
        OSError: The run's folder cannot be written.
        KeyError: Its data set is gone.
    """
    folder = store.home.run(run.id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = {
        "id": run.id,
        "name": run.name,
        "attempt": run.attempt,
        "spec": run.spec,
        "dataset": _dataset(store, run, folder),
        "device": run.spec["device"] if run.slot == "cpu" else "cuda",
        "resume_from": run.resume_from,
        "has_parent": run.parent_id is not None,
        "cache": str(store.home.cache),
        "weights_path": _first_weights(store, run),
    }
    write_json(folder / "run.json", told)


def _dataset(store: Store, run: Run, folder: Path) -> dict[str, Any]:
    """The record as the run was first launched with it: what is excluded later is not taken from under a run."""
    try:
        first: dict[str, Any] = json.loads((folder / "run.json").read_text())["dataset"]
    except (OSError, ValueError, KeyError):
        dataset = store.datasets.get(run.dataset_id)
        store.runs.update(run.id, dataset_fingerprint=dataset.fingerprint)
        return asdict(dataset)
    return first


def _first_weights(store: Store, run: Run) -> str | None:
    """For a start without a checkpoint, or with one that turns out to be damaged."""
    try:
        path = weights_path(store, RunSpec.parse(run.spec))
    except Refused:  # deleted since the run was asked for: the worker says so
        return None
    return str(path) if path else None
