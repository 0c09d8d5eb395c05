"""Two ranks train as one process does: the same losses, bit-equal when resumed, all of them stopped at one step."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from engine import launchers, processes
from storage import Run, RunState, Store
from tests.cli import queue, until_state

SMALL: dict[str, Any] = {
    "data": {"dataset": "digits", "image_size": 8},
    "model": {"backbone": "small_cnn"},
    "optimisation": {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 100},
    "compute": {"precision": "fp32"},
    "epochs": 2,
}
DDP = SMALL | {"strategy": "ddp"}
TOLERANCE = 1e-4  # of a loss of about 2: sums in another order, and what two epochs of steps make of it


def weights(store: Store, run: Run) -> dict[str, Any]:
    return load_file(store.home.run(run.id) / store.checkpoints.list(run.id)[0].path / "weights.safetensors")


def losses(store: Store, run: Run) -> list[float]:
    return [value for value in store.metrics.series(run.id, "train/loss").values if value is not None]


def finished(store: Store, tmp_path: Path, values: dict[str, Any]) -> Run:
    return until_state(store, queue(store, tmp_path, values).id, RunState.FINISHED, RunState.FAILED)


def test_ranks_reach_the_losses_of_one_process(store: Store, tmp_path: Path) -> None:
    alone, together = finished(store, tmp_path, SMALL), finished(store, tmp_path, DDP)
    assert together.state is RunState.FINISHED, together.reason
    assert losses(store, together) == pytest.approx(losses(store, alone), abs=TOLERANCE)
    for name in ("val/loss", "val/accuracy", "train/accuracy"):
        expected = store.metrics.series(alone.id, name).values
        assert store.metrics.series(together.id, name).values == pytest.approx(expected, abs=TOLERANCE)
    assert not processes.marked(launchers.mark(store.home, together))
    folder = store.home.run(together.id)
    assert "training on cpu" in (folder / "log.rank1.txt").read_text()
