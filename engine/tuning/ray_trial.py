"""Trials one after the other in a process of Ray's: a new process for each would cost seconds."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ray import tune

from engine.tuning.stepped_training import SteppedTraining

POINTER = "run.json"


class RunTrainable(tune.Trainable):
    """Ray's checkpoints only point at those of runs; `config` is what `SteppedTraining` takes."""

    def setup(self, config: dict[str, Any]) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="training")  # one: its compute threads stay with it
        self._training = SteppedTraining(config, self._thread)

    def step(self) -> dict[str, Any]:
        return self._training.step()

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        pointer = {"folder": str(self._training.folder), "checkpoint": self._training.saved()}
        (Path(checkpoint_dir) / POINTER).write_text(json.dumps(pointer))

    def load_checkpoint(self, checkpoint: Any) -> None:
        """
        Args:
            checkpoint: The folder that `save_checkpoint` wrote to.
        """
        pointer = json.loads((Path(checkpoint) / POINTER).read_text())
        if Path(pointer["folder"]) != self._training.folder:
            self._training.take_over(Path(pointer["folder"]), pointer["checkpoint"])

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._training.leave()
        if self._training.is_spoilt:
            os._exit(1)  # Ray gives the next trial another process
        self._training = SteppedTraining(new_config, self._thread)
        return True

    def cleanup(self) -> None:
        self._training.leave()
        self._thread.shutdown()
