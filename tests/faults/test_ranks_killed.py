"""A rank or the launcher of ranks is killed or hangs: all of them end, and the run goes on bit-equal."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from engine.machine import processes
from engine.worker import launchers
from storage import Run, Store
from tests.cli import queue, until
from tests.ranks import DDP, Trained, finished

PLACES = {"first rank": 0, "second rank": 1, "launcher": None}
SHOWN = "second rank"  # the others take half a minute each


def pid_of(run: Run, rank: int | None) -> int:
    """Of the rank, or of the launcher where there is none."""
    assert run.pid is not None
    if rank is None:
        return run.pid
    return next(one.pid for one in psutil.Process(run.pid).children() if one.environ().get("RANK") == str(rank))


def met(store: Store, tmp_path: Path) -> Run:
    """A run of ranks after its second epoch."""
    run = queue(store, tmp_path, DDP)
    until(lambda: store.runs.get(run.id).epoch >= 2)
    return store.runs.get(run.id)


@pytest.mark.parametrize(
    "place", [name if name == SHOWN else pytest.param(name, marks=pytest.mark.slow) for name in PLACES]
)
def test_who_is_killed_takes_all_along_and_the_run_goes_on_bit_equal(
    place: str, store: Store, tmp_path: Path, undisturbed: Trained
) -> None:
    run = met(store, tmp_path)
    mark = launchers.mark(store.home, run)
    os.kill(pid_of(run, PLACES[place]), signal.SIGKILL)
    until(lambda: not processes.marked(mark), within_s=10)
    run = finished(store, run)
    assert run.attempt == 2
    assert Trained.by(store, run).equals(undisturbed)
    assert store.metrics.count(run.id, "train/loss") == run.steps
    assert not processes.marked(launchers.mark(store.home, run))


@pytest.mark.slow
def test_a_rank_that_hangs_is_found_by_lack_of_progress(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THAW_STALL_S", "8")
    run = met(store, tmp_path)
    os.kill(pid_of(run, 1), signal.SIGSTOP)
    until(lambda: store.runs.get(run.id).attempt == 2, within_s=40)
    assert any("no progress" in event.text for event in store.events.list(run.id))
    assert finished(store, run).attempt == 2
