"""A plausible home, made through the real store: for the page tests and for the pictures in docs/."""

import math
import os
import random
import time
from pathlib import Path

from engine import api
from engine.machine.code import code_digest
from engine.machine.processes import Identity
from storage import Checkpoint, EngineStatus, MetricPoint, Run, RunState, Store
from tests.pages.seed_datasets import digits, shapes

KOREAN = "한국 전통 문양 분류: 오래된 기와와 단청 사진으로 학습한 아주 긴 이름의 실행, 두 번째 시도"
HOSTILE = "**bold** <script>alert(1)</script> :material/delete: $x^2$ [link](http://evil.example)"
SHORT = "Out of memory: batches of 64 are now computed in 2 parts of 32; BatchNorm sees these smaller parts."
LONG = "resnet18 on dried flowers with a very long name that somebody typed to remember each and every setting"


def full_home(store: Store) -> dict[str, Run]:
    """Data sets and one run or more in every state, by a short name."""
    shapes(store)
    digits(store)
    made = {
        "finished": run(store, "digits demo", RunState.FINISHED, dataset="digits", epochs=20, per_epoch=45, ago_h=30),
        "long": run(store, LONG, RunState.FINISHED, epochs=12, per_epoch=120, ago_h=26, ceiling=0.953),
        "hostile": run(store, HOSTILE, RunState.STOPPED, epochs=30, per_epoch=60, done=8.4, ago_h=20),
        "failed": run(store, "shapes, rate too high", RunState.FAILED, epochs=20, per_epoch=90, done=2.3, ago_h=5),
        "small": run(store, "small_cnn on shapes", RunState.FINISHED, epochs=15, per_epoch=60, ago_h=3, ceiling=0.91),
        "running": run(store, "resnet18 on shapes", RunState.RUNNING, epochs=12, per_epoch=640, done=6.74, attempt=2),
        "starting": run(store, "shapes at 128 px", RunState.STARTING, epochs=40, per_epoch=60, done=0),
        "korean": run(store, KOREAN, RunState.QUEUED, epochs=60, per_epoch=60, done=0),
        "queued": run(store, "resnet18 on shapes, seed 2", RunState.QUEUED, epochs=12, per_epoch=640, done=0),
    }
    began = made["running"].created_at
    store.events.add(made["running"].id, "warning", SHORT, began + 3.6 * 640 / 21, code="memory_short_norms")
    awake(store)
    return made


def awake(store: Store) -> None:
    """This very process stands in for the supervisor: nothing else moves the seeded rows."""
    me = Identity.of(os.getpid())
    gib = 2**30
    store.engine.put(
        EngineStatus(
            uuid="seed",
            pid=me.pid,
            pid_started=me.started,
            boot_id=me.boot_id,
            started_at=time.time() - 5400,
            heartbeat_at=time.time(),
            slots=("0", "cpu"),
            code=code_digest(),  # else it would be ended as one of older code: it is this very process
            machine={
                "cpus": 16,
                "cpu_percent": 37.0,
                "memory_used": 21.4 * gib,
                "memory_total": 125.6 * gib,
                "disk_free": 312 * 10**9,
                "disk_total": 512 * 10**9,
                "gpus": [
                    {
                        "index": 0,
                        "name": "NVIDIA H200",
                        "memory_used": int(11.3 * gib),
                        "memory_total": 140 * gib,
                        "load_percent": 94,
                        "celsius": 61,
                    }
                ],
            },
        )
    )


def run(
    store: Store,
    name: str,
    state: RunState,
    *,
    dataset: str = "shapes",
    epochs: int,
    per_epoch: int,
    done: float | None = None,
    ago_h: float = 0.1,
    ceiling: float = 0.984,
    attempt: int = 1,
    rate: float = 0.001,
) -> Run:
    """A run in `state` with everything such a run leaves behind; `done` epochs of it are trained."""
    done = epochs if done is None else done
    backbone = "small_cnn" if "small" in name or dataset == "digits" else "resnet18"
    spec = api.RunSpec.parse(
        {
            "name": name,
            "data": {"dataset": dataset},
            "model": {"backbone": backbone},
            "optimisation": {"learning_rate": rate},
            "epochs": epochs,
        }
    )
    made = store.runs.add(name=name, spec=spec.model_dump(mode="json"), dataset_id=dataset, epochs=epochs)
    created = time.time() - 3600 * ago_h
    store.runs.update(made.id, created_at=created)
    store.events.add(made.id, "info", "Queued.", created)
    if state is RunState.QUEUED:
        return store.runs.get(made.id)
    store.runs.move(made.id, RunState.STARTING, started_at=created + 2, attempt=attempt, slot="0")
    if state is RunState.STARTING:
        return store.runs.get(made.id)
    step = round(done * per_epoch)
    store.runs.move(made.id, RunState.RUNNING, device="cuda:0 NVIDIA H200", phase="training")
    _history(store, made.id, created, step, per_epoch, ceiling, diverges=state is RunState.FAILED)
    if step:
        size = MetricPoint(
            name="model/parameters",
            step=step,
            epoch=max(1, int(done)),
            value=1_163_000 if backbone == "small_cnn" else 11_180_000,
            at=created + step / 21,
        )
        store.metrics.add(made.id, [size])
    left = (epochs - done) * per_epoch / 21
    best = store.metrics.best(made.id, "val/accuracy")
    store.runs.update(
        made.id,
        step=step,
        steps=epochs * per_epoch,
        epoch=int(done),
        eta_s=left if state is RunState.RUNNING else None,
        best_value=best.value if best else None,
        best_epoch=best.epoch if best else None,
        offset=step,
    )
    if attempt > 1:
        store.events.add(
            made.id,
            "info",
            f"Training on cuda:0 NVIDIA H200 (attempt {attempt}), going on after epoch 3.",
            created + 3.4 * per_epoch / 21,
            code="going_on_again",
            details={"attempt": attempt},
        )
    if state is not RunState.RUNNING:
        _end(store, made.id, state, created + step / 21)
    return store.runs.get(made.id)


def many(store: Store, number: int) -> None:
    """A long list of finished runs, without histories."""
    spec = api.RunSpec.parse({"model": {"backbone": "small_cnn"}, "data": {"dataset": "digits"}}).model_dump()
    with store.transaction():
        for index in range(number):
            made = store.runs.add(name=f"run number {index}", spec=spec, dataset_id="digits", epochs=10)
            store.runs.move(made.id, RunState.STARTING, started_at=time.time())
            best = 0.9 + index / 10_000
            store.runs.move(made.id, RunState.FINISHED, best_value=best, best_epoch=9, epoch=10, step=450, steps=450)


def log_file(store: Store, run_id: str, text: str) -> Path:
    folder = store.home.run(run_id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "log.txt").write_text(text, encoding="utf-8")
    return folder


def _history(
    store: Store, run_id: str, began: float, step: int, per_epoch: int, ceiling: float, *, diverges: bool
) -> None:
    draw = random.Random(run_id if diverges else 11)
    points = []

    def add(name: str, at_step: int, value: float) -> None:
        epoch = (at_step - 1) // per_epoch + 1
        points.append(MetricPoint(name=name, step=at_step, epoch=epoch, value=value, at=began + at_step / 21))

    for one in range(1, step + 1):
        epochs = one / per_epoch
        loss = 0.06 + 2.1 * math.exp(-epochs / 1.7) + draw.gauss(0, 0.07) * math.exp(-epochs / 6)
        if diverges and one > 0.86 * step:
            loss = loss * (1 + (one - 0.86 * step) / 3) if one < step else math.nan
        add("train/loss", one, max(0.01, loss) if math.isfinite(loss) else loss)
        add("lr/all", one, 1e-3 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, epochs / 12))))
        if one % 20 == 0:
            add("speed/images_per_s", one, 1350 + draw.gauss(0, 45))
            for kind, mb in (
                ("allocated", 7900),
                ("reserved", 9800),
                ("peak", 9200),
                ("used", 11_300),
                ("total", 143_771),
            ):
                moved = 0 if kind == "total" else (one > 3 * per_epoch) * 900 + draw.gauss(0, 40)
                add(f"gpu0/{kind}_mb", one, mb + moved)
        if one % per_epoch == 0:
            curve = 1 - math.exp(-epochs / 1.6)
            add("train/accuracy", one, min(0.999, 0.15 + 0.85 * curve))
            add("val/accuracy", one, 0.15 + (ceiling - 0.15) * curve - abs(draw.gauss(0, 0.006)))
            add("val/loss", one, 0.09 + 1.7 * math.exp(-epochs / 1.6) + 0.004 * epochs)
            add("speed/epoch_s", one, per_epoch / 21)
    store.metrics.add(run_id, points)
    _checkpoints(store, run_id, step // per_epoch, per_epoch, began)


def _checkpoints(store: Store, run_id: str, epochs: int, per_epoch: int, began: float) -> None:
    best = store.metrics.best(run_id, "val/accuracy")
    validated = store.metrics.series(run_id, "val/accuracy")
    values = dict(zip(validated.epochs, validated.values, strict=True))
    kept = sorted({epochs - 1, epochs, best.epoch if best else epochs} - {0, -1})
    for epoch in kept:
        store.checkpoints.add(
            Checkpoint(
                run_id=run_id,
                epoch=epoch,
                step=epoch * per_epoch,
                path=f"checkpoints/e{epoch:04d}",
                bytes=88_300_000,
                sha256="0" * 64,
                created_at=began + epoch * per_epoch / 21,
                metrics={"val/accuracy": values.get(epoch)},
                is_best=best is not None and epoch == best.epoch,
            )
        )


def _end(store: Store, run_id: str, state: RunState, at: float) -> None:
    said = {}
    if state is RunState.FAILED:
        said = {
            "reason_code": "diverged",
            "reason": "diverged: the loss became NaN at step 207 (epoch 2).",
            "advice": "Start again with, in this order: a learning rate of 0.0001; gradients clipped at 1.",
        }
    store.runs.move(run_id, state, ended_at=at, **said)
    level = "error" if state is RunState.FAILED else "info"
    store.events.add(run_id, level, " ".join([f"{state.capitalize()}.", *said.values()]), at)
