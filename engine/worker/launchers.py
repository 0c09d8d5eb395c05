"""How a run becomes processes: one function a strategy, named in the catalog."""

import sys
from pathlib import Path

from engine.catalog.strategies import STRATEGIES, processes_of
from engine.machine import processes
from engine.machine.processes import Identity
from storage import Home, Run, Search

ROOT = Path(__file__).resolve().parents[2]  # where `python -m engine.worker` finds the engine


def launch(home: Home, run: Run) -> Identity:
    """Start the run's processes by its strategy; the leader's identity."""
    folder, gpus = home.run(run.id), gpus_of(run)
    return processes.spawn(
        command_of(run.spec["strategy"], run.spec["compute"]["processes"], len(gpus), folder),
        mark=mark(home, run),
        log=folder / "log.txt",
        environment={"CUDA_VISIBLE_DEVICES": ",".join(gpus), "PYTHONUNBUFFERED": "1"},
        folder=ROOT,
    )


def command_of(strategy: str, requested: int, gpus: int, folder: Path) -> list[str]:
    """What trains the run of `folder`; `requested` processes, 0: as many as fit `gpus` or the CPU."""
    launcher = {"single": single, "ranks": ranks}[STRATEGIES[strategy].launcher]
    return [sys.executable, "-m", *launcher(folder, processes_of(strategy, requested, gpus))]


def single(folder: Path, count: int) -> list[str]:
    return ["engine.worker", str(folder)]


def ranks(folder: Path, count: int) -> list[str]:
    """Processes that train together, below a leader that is torch's elastic launcher."""
    return ["engine.worker.ranks", str(folder), str(count)]


def driver(folder: Path) -> list[str]:
    """What leads the search of `folder`."""
    return [sys.executable, "-m", "engine.tuning", str(folder)]


def launch_search(home: Home, search: Search) -> Identity:
    """Start a search's driver, which starts its trials; its identity."""
    folder = home.search(search.id)
    return processes.spawn(
        driver(folder),
        mark=mark(home, search),
        log=folder / "log.txt",
        environment={"CUDA_VISIBLE_DEVICES": ",".join(gpus_of(search)), "PYTHONUNBUFFERED": "1"},
        folder=ROOT,
    )


def gpus_of(run: Run | Search) -> list[str]:
    return [] if run.slot in (None, "cpu") else str(run.slot).split(",")


def mark(home: Home, run: Run | Search) -> str:
    """What every process of this attempt carries in its environment."""
    return f"{home.root}:{run.id}:{run.attempt}"
