"""How a run becomes processes: one function a strategy, named in the catalog."""

import sys
from pathlib import Path

from engine import processes
from engine.catalog.strategies import STRATEGIES, processes_of
from engine.processes import Identity
from storage import Home, Run

ROOT = Path(__file__).resolve().parent.parent  # where `python -m engine.worker` finds the engine


def launch(home: Home, run: Run) -> Identity:
    """Start the run's processes by its strategy; the leader's identity."""
    launcher = {"single": single, "ranks": ranks}[STRATEGIES[run.spec["strategy"]].launcher]
    return launcher(home, run)


def single(home: Home, run: Run) -> Identity:
    return _spawn(home, run, "engine.worker")


def ranks(home: Home, run: Run) -> Identity:
    """Processes that train together, below a leader that is torch's elastic launcher."""
    count = processes_of(run.spec["strategy"], run.spec["compute"]["processes"], len(gpus_of(run)))
    return _spawn(home, run, "engine.ranks", str(count))


def slots_wanted(run: Run, usable: list[str]) -> int:
    """How many of the slots that it can use a run takes at once."""
    asked, row = run.spec["compute"]["processes"], STRATEGIES[run.spec["strategy"]]
    if usable == ["cpu"] or not row.every_gpu:
        return 1
    return min(len(usable), processes_of(run.spec["strategy"], asked, len(usable)) if row.takes else len(usable))


def gpus_of(run: Run) -> list[str]:
    return [] if run.slot in (None, "cpu") else str(run.slot).split(",")


def _spawn(home: Home, run: Run, module: str, *arguments: str) -> Identity:
    folder = home.run(run.id)
    return processes.spawn(
        [sys.executable, "-m", module, str(folder), *arguments],
        mark=mark(home, run),
        log=folder / "log.txt",
        environment={"CUDA_VISIBLE_DEVICES": ",".join(gpus_of(run)), "PYTHONUNBUFFERED": "1"},
        folder=ROOT,
    )


def mark(home: Home, run: Run) -> str:
    """What every process of this attempt carries in its environment."""
    return f"{home.root}:{run.id}:{run.attempt}"
