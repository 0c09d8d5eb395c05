"""run.json of a run that is about to be launched, from its rows."""

from dataclasses import asdict
from pathlib import Path

from engine.artifacts.initial_weights import weights_path
from engine.errors import Refused
from engine.protocol.run_file import RUN_FILE, RunFile, read_dataset
from engine.protocol.serialization import JsonObject
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
    RunFile(
        id=run.id,
        name=run.name,
        attempt=run.attempt,
        spec=run.spec,
        dataset=_dataset(store, run, folder),
        device=run.spec["device"] if run.slot == "cpu" else "cuda",
        resume_from=run.resume_from,
        has_parent=run.parent_id is not None,
        cache=str(store.home.cache),
        weights_path=_initial_weights(store, run),
    ).write(folder)


def _dataset(store: Store, run: Run, folder: Path) -> JsonObject:
    """The record as the run was first launched with it: what is excluded later is not taken from under a run."""
    first = read_dataset(folder / RUN_FILE)
    if first is None:
        dataset = store.datasets.get(run.dataset_id)
        store.runs.update(run.id, dataset_fingerprint=dataset.fingerprint)
        return asdict(dataset)
    return first


def _initial_weights(store: Store, run: Run) -> str | None:
    """For a start without a checkpoint, or with one that turns out to be damaged."""
    try:
        path = weights_path(store, RunSpec.parse(run.spec))
    except Refused:  # deleted since the run was asked for: the worker says so
        return None
    return str(path) if path else None
