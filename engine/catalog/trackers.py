"""Where else runs can be logged: programs that many have for it already, with packages of their own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tracker:
    label: str
    note: str
    package: str  # imported by the process that logs, when it is installed
    logger: str  # "module:class" in the engine


TRACKERS: dict[str, Tracker] = {
    "tensorboard": Tracker(
        label="TensorBoard",
        note="Event files in the home; look at them with tensorboard --logdir.",
        package="tensorboard",
        logger="engine.tracking.tensorboard_log:TensorBoardLog",
    ),
    "wandb": Tracker(
        label="Weights & Biases",
        note="Its own project; WANDB_API_KEY, WANDB_PROJECT and WANDB_MODE=offline are read from the environment.",
        package="wandb",
        logger="engine.tracking.wandb_log:WandbLog",
    ),
}
