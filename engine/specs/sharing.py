"""Which runs differ only in how their head learns: these share one computation over the same features."""

from typing import Any

from engine.catalog.schedulers import SCHEDULERS
from engine.specs.run import RunSpec
from engine.specs.search import SearchSpec

FREE: dict[str, Any] = {  # what may differ from head to head
    "name": True,
    "epochs": True,
    "keep_checkpoints": True,
    "optimisation": {
        "optimizer",
        "learning_rate",
        "schedule",
        "warmup_epochs",
        "step_epochs",
        "step_factor",
        "plateau_epochs",
        "final_share",
        "weight_decay",
        "decay_on",
        "momentum",
        "nesterov",
        "label_smoothing",
        "clip_norm",
        "ema_decay",
        "early_stopping",
    },
}


def shared_by(run: RunSpec) -> dict[str, Any] | None:
    """What runs must have in common to train together; None: this one cannot share a computation.

    It can when its features are computed once: all but the head is frozen, and images are not changed by chance.
    """
    can = (
        run.keeps_features
        and run.freeze.policy == "head"
        and run.strategy == "single"
        and run.optimisation.balance != "sampling"
        and run.compute.parts == 1
        and not (run.compute.recompute or run.compute.compile)
    )
    return run.model_dump(mode="json", exclude=FREE) if can else None


def heads_alone(search: SearchSpec) -> bool:
    """Whether its trials differ only in how their head learns, and keep their settings to the end."""
    free = {f"optimisation.{name}" for name in (*FREE["optimisation"], "batch_size")} | FREE.keys()
    return (
        shared_by(search.run) is not None
        and set(search.space) <= free
        and not SCHEDULERS[search.scheduler].changes
        and search.cost == "none"
    )
