"""search.json of a search whose driver is about to be launched, from its rows."""

from dataclasses import asdict
from itertools import product
from typing import Any

from engine.artifacts.initial_weights import weights_path
from engine.errors import Refused
from engine.machine.resources import cores
from engine.protocol import driver_requests
from engine.protocol.run_file import read_dataset
from engine.protocol.search_file import SEARCH_FILE, SearchFile, TrialRecord
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
    SearchFile(
        id=search.id,
        name=search.name,
        attempt=search.attempt,
        spec=search.spec,
        dataset=read_dataset(folder / SEARCH_FILE) or asdict(store.datasets.get(search.dataset_id)),
        device=spec.run.device if search.slot == "cpu" else "cuda",
        slots=tuple(str(search.slot).split(",")),
        cpus=cores(),
        cache=str(store.home.cache),
        weights_paths=_weights_paths(store, spec),
        runs=str(store.home.runs),
        num_trials=search.num_trials,
        spent_s=search.spent_s,
        spent_gpu_s=search.spent_gpu_s,
        stop_requests=tuple(one.target for one in store.requests.open() if one.kind == "stop_run"),
        trials=_trials(store, search),
    ).write(folder)


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


def _trials(store: Store, search: Search) -> tuple[TrialRecord, ...]:
    """What is known of its trials: the finished ones to learn from, the unfinished ones to go on with."""
    histories = store.runs.trial_histories(search.id)
    return tuple(_trial(store, run, histories.get(run.id, [])) for run in store.runs.trials(search.id))


def _trial(store: Store, run: Run, history: list[tuple[int, float | None]]) -> TrialRecord:
    kept = store.checkpoints.list(run.id) if run.state is RunState.INTERRUPTED else []
    return TrialRecord(
        run=run.id,
        number=run.trial or 0,
        name=run.name,
        state=str(run.state),
        config=run.assignment or {},
        value=run.best_value,
        best_epoch=run.best_epoch,
        cost=run.cost,
        epoch=run.epoch,
        epochs=run.epochs,
        resume_from=kept[0].path if kept else None,
        attempt=run.attempt,
        reason=run.reason,
        history=tuple(history),
    )
