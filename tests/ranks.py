"""Runs of two ranks on the CPU."""

from typing import Any

from storage import Run, RunState, Store
from tests.cli import until_state

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


def finished(store: Store, run: Run) -> Run:
    run = until_state(store, run.id, RunState.FINISHED, RunState.FAILED)
    assert run.state is RunState.FINISHED, f"{run.reason}\n{(store.home.run(run.id) / 'log.txt').read_text()}"
    return run


def weights(store: Store, run: Run) -> str:
    """The hash of the weights that the run ended with."""
    return store.checkpoints.get(run.id, "last").sha256
