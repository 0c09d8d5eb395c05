"""Searches with their trials, made through the real store: for the page tests and for the pictures in docs/."""

import math
import random
import time
from typing import Any

from engine.api import SearchSpec
from storage import Checkpoint, MetricPoint, RunState, Search, SearchState, Store
from tests.pages.seed import KOREAN

RATE, BATCH, BACKBONE, DECAY = (
    "optimisation.learning_rate",
    "optimisation.batch_size",
    "model.backbone",
    "optimisation.weight_decay",
)
SPACE = {
    RATE: {"log": [1e-4, 1e-1]},
    BATCH: {"choices": [32, 64, 128]},
    BACKBONE: {"choices": ["small_cnn", "resnet18", "resnet34"]},
    DECAY: {"log": [1e-6, 1e-1]},
}
PRUNED = "pruned"  # the code of such a reason
SHORT = "Out of memory: the GPU has 8.0 GB, 7.{} GB are in use."


def search(
    store: Store,
    name: str = "digits search",
    *,
    trials: int = 10,
    num_trials: int | None = None,
    state: SearchState = SearchState.FINISHED,
    metric: str = "val/accuracy",
    **more: Any,
) -> Search:
    """A search in `state` whose trials ended in every way; while it runs, two are under way."""
    num_trials = num_trials or max(trials, 1)
    spec = SearchSpec.parse(
        {
            "name": name,
            "run": {"data": {"dataset": "digits"}, "epochs": 9, "model": {"backbone": "small_cnn"}},
            "space": SPACE,
            "algorithm": "optuna",
            "scheduler": "asha",
            "metric": metric,
            "trials": num_trials,
            **more,
        }
    )
    now = time.time()
    began = now - 6 * max(1, trials) - 20
    made = store.searches.add(
        name=name, spec=spec.model_dump(mode="json"), dataset_id="digits", num_trials=num_trials, metric=metric
    )
    store.searches.update(made.id, created_at=began - 3)
    with store.transaction():
        for number in range(1, trials + 1):
            _trial(store, made.id, spec, number, trials, began, state)
    _moved(store, made.id, state, began)
    best = next(iter(store.runs.trials(made.id, order="best", limit=1)), None)
    if best is not None and best.best_value is not None:
        store.searches.update(made.id, best_run_id=best.id, best_value=best.best_value)
    return store.searches.get(made.id)


def some(store: Store) -> dict[str, str]:
    """Ids of two that show what there is to see, of everyday size and of 500 trials; others in other states."""
    search(store, "loss of the small network", trials=20, num_trials=30, state=SearchState.PAUSED, metric="val/loss")
    search(store, "resnet34 on large batches", trials=5, num_trials=30, state=SearchState.FAILED)
    many = search(store, KOREAN, trials=500, num_trials=600, state=SearchState.RUNNING, hours=2.0)
    shown = search(store, "digits search", trials=24, num_trials=30, state=SearchState.RUNNING)
    search(store, "for tonight", trials=0, num_trials=100, state=SearchState.QUEUED)
    return {"search": shown.id, "many": many.id}


def _trial(
    store: Store, search_id: str, spec: SearchSpec, number: int, trials: int, began: float, state: SearchState
) -> None:
    chance = random.Random(number)
    assignment = dict(spec.base) if number == 1 else _drawn(chance)
    config = spec.trial(assignment)
    made = store.runs.add(
        name=f"{spec.name} {number}",
        spec=config.model_dump(mode="json"),
        dataset_id="digits",
        epochs=config.epochs,
        search_id=search_id,
        trial=number,
        assignment=assignment,
        metric=spec.metric,
    )
    begun = began + 6 * number - chance.uniform(0, 5)
    store.runs.move(made.id, RunState.STARTING, started_at=begun, attempt=1)
    store.runs.move(made.id, RunState.RUNNING, device="cpu", phase="training")
    kind = _kind(chance, number, trials, state)
    epochs = {"failed": 0, "pruned": 2, "running": 4}.get(kind, 9)
    values = _history(store, made.id, assignment, chance, epochs, begun, spec.metric)
    pick = min if spec.mode == "min" else max
    best = pick(values) if values else None
    store.runs.update(
        made.id,
        step=45 * epochs,
        steps=45 * 9,
        epoch=epochs,
        best_value=best,
        best_epoch=values.index(best) + 1 if best is not None else None,
        offset=1 + epochs,
    )
    if kind == "finished":
        _checkpoint(store, made.id, begun)
        store.runs.move(made.id, RunState.FINISHED, ended_at=begun + 9 + chance.uniform(0, 3))
    elif kind == "pruned":
        store.runs.move(
            made.id, RunState.STOPPED, ended_at=begun + 3, reason="Pruned by ASHA after epoch 3.", reason_code=PRUNED
        )
    elif kind == "failed":
        why = {"reason": SHORT.format(number % 10), "advice": "Search smaller batches, or fewer trials at a time."}
        store.runs.move(made.id, RunState.FAILED, ended_at=begun + 1, **why)


def _drawn(chance: random.Random) -> dict[str, Any]:
    return {
        RATE: 10 ** chance.uniform(-4, -1),
        BATCH: chance.choice([32, 64, 128]),
        BACKBONE: chance.choice(["small_cnn", "resnet18", "resnet34"]),
        DECAY: 10 ** chance.uniform(-6, -1),
    }


def _kind(chance: random.Random, number: int, trials: int, state: SearchState) -> str:
    if state is SearchState.RUNNING and number > trials - 2:
        return "running"
    drawn = chance.random()
    return "finished" if number == 1 or drawn < 0.55 else "pruned" if drawn < 0.92 else "failed"


def _history(
    store: Store, run_id: str, given: dict[str, Any], chance: random.Random, epochs: int, begun: float, metric: str
) -> list[float]:
    off = math.log10(given[RATE]) + 2.6
    ceiling = 0.985 - 0.05 * off**2 - 0.015 * (given[BATCH] == 128) - 0.01 * (given[BACKBONE] == "resnet34")
    values, points = [], []
    for epoch in range(1, epochs + 1):
        accuracy = max(0.08, ceiling * (1 - 0.8 * math.exp(-epoch / 1.4)) + chance.gauss(0, 0.004))
        values.append(1.2 - accuracy if metric == "val/loss" else min(0.9995, accuracy))
        at = begun + epoch
        points.append(MetricPoint(name=metric, step=45 * epoch, epoch=epoch, value=values[-1], at=at))
    if epochs:
        memory = 310 + 2 * given[BATCH] + chance.uniform(0, 20)
        points.append(MetricPoint(name="memory/rss_mb", step=45, epoch=1, value=memory, at=begun + 1))
    store.metrics.add(run_id, points)
    return values


def _checkpoint(store: Store, run_id: str, begun: float) -> None:
    store.checkpoints.add(
        Checkpoint(
            run_id=run_id,
            epoch=9,
            step=405,
            path="checkpoints/e0009",
            bytes=1_400_000,
            sha256="0" * 64,
            created_at=begun + 9,
            is_best=True,
        )
    )


def _moved(store: Store, search_id: str, state: SearchState, began: float) -> None:
    if state is SearchState.QUEUED:
        return
    store.searches.move(search_id, SearchState.STARTING, started_at=began, attempt=1, slot="cpu")
    store.searches.move(
        search_id, SearchState.RUNNING, device="cpu", max_concurrent=2, launched_at=began, progress_at=time.time()
    )
    store.events.add(None, "info", "Searching on cpu, 2 trials at a time.", began, search_id=search_id)
    if state is SearchState.RUNNING:
        return
    spent = {"launched_at": None, "spent_s": time.time() - began}
    if state is SearchState.PAUSED:
        store.searches.move(search_id, SearchState.PAUSING)
    if state is SearchState.STOPPED:
        store.searches.move(search_id, SearchState.STOPPING)
    why = {"reason": "The first 5 trials failed for one reason: out of memory."} if state is SearchState.FAILED else {}
    store.searches.move(search_id, state, **spent, **why)
