"""Homes full of runs, written through the store as the supervisor would, for measuring pages at size."""

import math
import random
import time
from collections.abc import Iterator
from typing import Any

from engine.api import PRESETS, RunSpec
from storage import MetricPoint, Run, RunState, Store

CHUNK = 200  # runs a transaction


def add_run(
    store: Store, *, steps: int, epochs: int = 20, name: str = "", state: RunState = RunState.FINISHED, **spec: Any
) -> Run:
    """A run with `steps` logged training losses and the usual values an epoch; `spec` is laid over the demo's."""
    values = RunSpec.parse({**PRESETS["demo"].values, **spec}).model_dump(mode="json")
    run = store.runs.add(name=name or f"{steps:,} steps", spec=values, dataset_id="digits", epochs=epochs)
    began = time.time()
    store.metrics.add(run.id, history(steps, epochs, began, chance=random.Random(run.id)))
    store.events.add(run.id, "info", "Queued.", began)
    store.runs.move(run.id, RunState.STARTING, started_at=began, attempt=1)
    store.runs.move(run.id, RunState.RUNNING)
    store.runs.move(run.id, state)
    best = store.metrics.best(run.id, "val/accuracy")
    done = {"step": steps, "steps": steps, "epoch": epochs, "device": "cpu"}
    store.runs.update(run.id, **done, best_value=best and best.value, best_epoch=best and best.epoch)
    return store.runs.get(run.id)


def add_runs(store: Store, count: int, *, steps: int = 200, epochs: int = 10) -> None:
    """Many runs of unlike settings, some tagged, some with a warning among their events."""
    chance = random.Random(count)
    for first in range(0, count, CHUNK):
        with store.transaction():
            for number in range(first, min(count, first + CHUNK)):
                rate, batch = 10 ** chance.uniform(-4, -1), 2 ** chance.randint(3, 8)
                run = add_run(
                    store,
                    steps=steps,
                    epochs=epochs,
                    name=f"run {number:,} of many, 여러 실험 중 하나",
                    seed=number,
                    optimisation={"learning_rate": rate, "batch_size": batch},
                )
                if number % 5 == 0:
                    store.runs.update(run.id, tags=(f"group {number % 7}", "논문"))
                if number % 20 == 0:
                    text = "Out of memory: batches of 64 are computed in 2 parts now."
                    store.events.add(run.id, "warning", text, code="memory_short")


def history(steps: int, epochs: int, began: float, *, chance: random.Random) -> Iterator[MetricPoint]:
    for step in range(1, steps + 1):
        yield point("train/loss", step, steps, epochs, began, 2.3 * math.exp(-3 * step / steps) + chance.gauss(0, 0.05))
    for epoch in range(1, epochs + 1):
        share = epoch / epochs
        values = {
            "train/accuracy": 1 - math.exp(-4 * share),
            "val/accuracy": 0.98 * (1 - math.exp(-4 * share)) - abs(chance.gauss(0, 0.01)),
            "val/loss": 2.3 * math.exp(-2.5 * share),
            "lr/all": 1e-3,
            "speed/images_per_s": 1500 + chance.gauss(0, 30),
            "speed/epoch_s": 1.2,
            "memory/rss_mb": 800.0,
        }
        for name, value in values.items():
            yield point(name, steps * epoch // epochs, steps, epochs, began, value)


def point(name: str, step: int, steps: int, epochs: int, began: float, value: float) -> MetricPoint:
    epoch = 1 + (step - 1) * epochs // steps
    return MetricPoint(name=name, step=step, epoch=epoch, value=value, at=began + step / 100)
