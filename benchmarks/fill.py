"""Homes full of runs, written through the store as the supervisor would, for measuring pages at size."""

import math
import random
import time

from engine import PRESETS, RunSpec
from storage import MetricPoint, Run, RunState, Store


def add_run(store: Store, *, steps: int, epochs: int = 20, name: str = "") -> Run:
    """A finished run with `steps` logged training losses and the usual values an epoch."""
    spec = RunSpec.parse(PRESETS["demo"].values).model_dump()
    run = store.runs.add(name=name or f"{steps:,} steps", spec=spec, dataset_id="digits", epochs=epochs)
    chance, began = random.Random(0), time.time()
    losses = (
        MetricPoint(
            name="train/loss",
            step=step,
            epoch=1 + (step - 1) * epochs // steps,
            value=2.3 * math.exp(-3 * step / steps) + chance.gauss(0, 0.05),
            at=began + step / 100,
        )
        for step in range(1, steps + 1)
    )
    store.metrics.add(run.id, losses)
    for epoch in range(1, epochs + 1):
        store.metrics.add(run.id, _of_epoch(epoch, epochs, steps, began))
    store.runs.move(run.id, RunState.STARTING, started_at=began, attempt=1)
    store.runs.move(run.id, RunState.FINISHED)
    best = store.metrics.best(run.id, "val/accuracy")
    done = {"step": steps, "steps": steps, "epoch": epochs, "device": "cpu"}
    store.runs.update(run.id, **done, best_value=best and best.value, best_epoch=best and best.epoch)
    return store.runs.get(run.id)


def _of_epoch(epoch: int, epochs: int, steps: int, began: float) -> list[MetricPoint]:
    share = epoch / epochs
    values = {
        "train/accuracy": 1 - math.exp(-4 * share),
        "val/accuracy": 0.98 * (1 - math.exp(-4 * share)),
        "val/loss": 2.3 * math.exp(-2.5 * share),
        "lr/all": 1e-3,
        "speed/images_per_s": 1500.0,
        "memory/rss_mb": 800.0,
    }
    step = steps * epoch // epochs
    return [
        MetricPoint(name=name, step=step, epoch=epoch, value=value, at=began + step / 100)
        for name, value in values.items()
    ]
