"""How a run becomes processes: one function a strategy, named in the catalog."""

import sys
from pathlib import Path

from engine import processes
from engine.catalog.strategies import STRATEGIES
from engine.processes import Identity
from storage import Home, Run

ROOT = Path(__file__).resolve().parent.parent  # where `python -m engine.worker` finds the engine


def launch(home: Home, run: Run) -> Identity:
    """Start the run's processes by its strategy; the leader's identity."""
    launcher = {"single": single}[STRATEGIES[run.spec["strategy"]].launcher]
    return launcher(home, run)


def single(home: Home, run: Run) -> Identity:
    folder = home.run(run.id)
    return processes.spawn(
        [sys.executable, "-m", "engine.worker", str(folder)],
        mark=mark(home, run),
        log=folder / "log.txt",
        environment={"CUDA_VISIBLE_DEVICES": "" if run.slot == "cpu" else str(run.slot), "PYTHONUNBUFFERED": "1"},
        folder=ROOT,
    )


def mark(home: Home, run: Run) -> str:
    """What every process of this attempt carries in its environment."""
    return f"{home.root}:{run.id}:{run.attempt}"
