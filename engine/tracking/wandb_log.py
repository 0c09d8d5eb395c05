"""Logging to Weights & Biases: a run there for each run here, with its settings, under the same id."""

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import wandb

from storage import MetricPoint, Run, RunState

PROJECT = "thaw"  # unless WANDB_PROJECT names another
PATIENCE_S = 60


class WandbLog:
    def __init__(self, folder: Path) -> None:
        self._folder = folder  # its own name for the folder that it makes is "wandb", too
        self._open: dict[str, Any] = {}

    def place(self, run: Run) -> str:
        there = self._run(run)
        return str(there.url or there.dir)

    def log(self, run: Run, points: Sequence[MetricPoint]) -> None:
        there = self._run(run)
        for step, together in groupby(points, key=lambda one: one.step):
            same = list(together)
            there.log({"step": step, "epoch": same[-1].epoch} | {one.name: one.value for one in same})

    def rewind(self, run: Run, step: int) -> None:
        """It keeps what it was told: points beyond `step` stay there beside those that come instead."""

    def end(self, run: Run) -> None:
        if there := self._open.pop(run.id, None):
            there.finish(exit_code=0 if run.state is RunState.FINISHED else 1)

    def close(self) -> None:
        for there in self._open.values():
            there.finish()
        self._open.clear()

    def _run(self, run: Run) -> Any:
        if run.id not in self._open:
            settings = wandb.Settings(
                console="off", silent=True, disable_git=True, x_disable_stats=True, init_timeout=PATIENCE_S
            )
            there = self._open[run.id] = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                id=run.id,
                name=run.name,
                group=run.search_id,
                tags=list(run.tags),
                config=run.spec,
                dir=str(self._folder.parent),
                resume="allow",
                reinit="create_new",  # runs side by side in one process
                settings=settings,
            )
            there.define_metric("*", step_metric="step")  # its own count may not go back, and runs that resume do
        return self._open[run.id]
