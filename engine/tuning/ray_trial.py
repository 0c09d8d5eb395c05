"""Trials one after the other in a process of Ray's: a new process for each would cost seconds."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ray import tune

from engine.specs.space import Assignment
from engine.tuning.stepped_training import SteppedTraining

POINTER = "pointer.json"


class RunTrainable(tune.Trainable):
    """Ray's checkpoints only point at those of runs. See `trainable_config` for what it takes."""

    def setup(self, config: dict[str, Any]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="training")  # one: its compute threads stay with it
        self._training = self._new_training(config)

    def step(self) -> dict[str, Any]:
        return {**self._training.step()}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        pointer = {"folder": str(self._training.folder), "checkpoint": self._training.checkpoint_name()}
        (Path(checkpoint_dir) / POINTER).write_text(json.dumps(pointer))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """
        Args:
            checkpoint: The folder that `save_checkpoint` wrote to.
        """
        pointer = json.loads((Path(checkpoint) / POINTER).read_text())
        if Path(pointer["folder"]) != self._training.folder:
            self._training.continue_from(Path(pointer["folder"]), pointer["checkpoint"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._training.stop()
        if self._training.needs_new_process:
            os._exit(1)  # Ray gives the next trial another process
        self._training = self._new_training(new_config)
        return True

    def cleanup(self) -> None:
        self._training.stop()
        self._thread.shutdown()

    def _new_training(self, config: dict[str, Any]) -> SteppedTraining:
        return SteppedTraining(
            Path(config["folder"]), stop_file=Path(config["leave"]), metric=config["score"], thread=self._thread
        )


Trial = RunTrainable  # its name to drivers of before December 2026 that still live


def trainable_config(folder: Path, *, stop_file: Path, metric: str, params: Assignment) -> dict[str, Any]:
    """The config of a trial, as Ray hands it to a `RunTrainable`: `params` are for Ray's schedulers alone.

    Args:
        folder: Of the trial's run.
        stop_file: Where the search's request to all of its trials appears.
        metric: That the search goes by.
        params: Values of the searched fields.
    """
    return {"folder": str(folder), "leave": str(stop_file), "score": metric, **params}
