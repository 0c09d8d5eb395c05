"""Runs of two ranks on the CPU."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file

from engine import api
from storage import Run, RunState, Store
from tests.cli import queue, until_state

__all__ = ["DDP", "PLAIN", "Trained", "assert_same_predictions", "finished", "queue"]

PLAIN: dict[str, Any] = {  # without chance beyond the shuffle, so that one process can be compared with two
    "data": {"dataset": "digits", "image_size": 8},
    "model": {"backbone": "small_cnn"},
    "optimisation": {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 100},
    "compute": {"precision": "fp32"},
    "epochs": 2,
}
DDP: dict[str, Any] = PLAIN | {  # with chance, and time to meet it on its way
    "strategy": "ddp",
    "data": {"dataset": "digits", "image_size": 16, "augmentations": ["shift"]},
    "optimisation": {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 16},
    "epochs": 5,
}


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run ended with."""

    weights: Path
    losses: list[float | None]  # of validation, an epoch each

    @classmethod
    def by(cls, store: Store, run: Run) -> "Trained":
        last = store.checkpoints.get(run.id, "last")
        weights = store.home.run(run.id) / last.path / "weights.safetensors"
        return cls(weights, store.metrics.series(run.id, "val/loss").values)

    def equals(self, other: "Trained") -> bool:
        """To the last bit. The files' hashes may differ: the order within their header is chance."""
        first, second = load_file(self.weights), load_file(other.weights)
        same = first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)
        return same and self.losses == other.losses


def assert_same_predictions(store: Store, ours: Run, theirs: Run) -> None:
    """Of the same images in the same order, within rounding."""
    made, expected = api.run_predictions(store, ours.id), api.run_predictions(store, theirs.id)
    assert made is not None and expected is not None
    assert (made.ids, made.labels.tolist()) == (expected.ids, expected.labels.tolist())
    np.testing.assert_allclose(made.of_label, expected.of_label, atol=1e-3)
    assert (made.rank == expected.rank).mean() > 0.99  # but for classes that are all but equally likely


def finished(store: Store, run: Run) -> Run:
    run = until_state(store, run.id, RunState.FINISHED, RunState.FAILED)
    assert run.state is RunState.FINISHED, f"{run.reason}\n{(store.home.run(run.id) / 'log.txt').read_text()}"
    return run
