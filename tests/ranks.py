"""Runs of two ranks on the CPU."""

from typing import Any

from safetensors.torch import load_file

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


def same_weights(store: Store, one: Run, other: Run) -> bool:
    """Whether both ended with the same bits. The files' hashes may differ: the order within their header is chance."""
    first, second = (
        load_file(store.home.run(run.id) / store.checkpoints.get(run.id, "last").path / "weights.safetensors")
        for run in (one, other)
    )
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)
