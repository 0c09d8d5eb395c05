"""Two processes that each have some of the stages train as one process does, and leave whole checkpoints."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from engine.machine import processes
from engine.worker import launchers
from storage import Run, RunState, Store
from tests.cli import cli, queue, until
from tests.ranks import DDP, PLAIN, Trained, assert_same_predictions, finished

TOLERANCE = 1e-4  # of a loss of about 2: sums in another order, and what two epochs of steps make of it
WHOLE_BATCHES = {"precision": "fp32", "micro_batches": 1}  # BatchNorm sees what it sees in one process
CLIPPED = {"optimizer": "adamw", "learning_rate": 0.001, "batch_size": 100, "clip_norm": 0.5, "ema_decay": 0.9}
PIPELINE: dict[str, Any] = DDP | {
    "strategy": "pipeline",
    "optimisation": CLIPPED | {"batch_size": 16},
    "compute": {"precision": "fp32", "micro_batches": 4},
}


@pytest.mark.parametrize(
    ("settings", "compute"),
    [
        (PLAIN | {"optimisation": CLIPPED}, WHOLE_BATCHES),
        pytest.param(
            PLAIN | {"freeze": {"policy": "head"}},
            {"precision": "fp32", "micro_batches": 4},  # BatchNorm stands still
            marks=pytest.mark.slow,
        ),
    ],
    ids=["clipped and averaged", "head only in micro-batches"],
)
def test_stages_apart_reach_the_losses_of_one_process(
    settings: dict[str, Any], compute: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    alone = finished(store, queue(store, tmp_path, settings))
    apart = finished(store, queue(store, tmp_path, settings | {"strategy": "pipeline", "compute": compute}))
    for name in ("train/loss", "val/loss", "val/accuracy", "train/accuracy"):
        expected = store.metrics.series(alone.id, name).values
        assert len(expected) >= 2
        assert store.metrics.series(apart.id, name).values == pytest.approx(expected, abs=TOLERANCE)
    ours, theirs = weights_of(store, apart), weights_of(store, alone)
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():  # those of both processes
        torch.testing.assert_close(ours[name], value, atol=1e-3, rtol=1e-3)
    assert_same_predictions(store, apart, alone)
    assert not processes.marked(launchers.mark(store.home, apart))


@pytest.mark.slow
def test_a_stopped_pipeline_goes_on_bit_equal(store: Store, tmp_path: Path) -> None:
    whole = Trained.by(store, finished(store, queue(store, tmp_path, PIPELINE)))
    run = queue(store, tmp_path, PIPELINE)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    assert store.runs.get(run.id).state is RunState.STOPPED
    assert cli("resume", run.id).returncode == 0
    run = finished(store, run)
    assert Trained.by(store, run).equals(whole)


@pytest.mark.slow
def test_what_a_pipeline_began_one_process_goes_on_with(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, PIPELINE)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    store.runs.update(run.id, spec=store.runs.get(run.id).spec | {"strategy": "single"})
    assert cli("resume", run.id).returncode == 0
    finished(store, run)
    assert (store.runs.get(run.id).best_value or 0) > 0.5


def weights_of(store: Store, run: Run) -> dict[str, torch.Tensor]:
    path: Path = store.home.run(run.id) / store.checkpoints.get(run.id, "last").path / "weights.safetensors"
    return dict(load_file(path))
