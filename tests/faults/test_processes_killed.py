"""Processes are killed in mid-epoch: nothing committed is lost, none is left over, the list tells the truth."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import api
from engine.machine import processes
from engine.machine.processes import Identity
from engine.worker import launchers
from storage import Home, Run, RunState, Store
from tests.cli import LONG, SOME, cli, queue, until, until_state
from tests.conftest import ROOT, processes_of


def until_epoch(store: Store, run_id: str, epoch: int) -> Run:
    def reached() -> Run | None:
        run = store.runs.get(run_id)
        assert not run.state.is_over, f"it was over before it was met: {run}"
        return run if run.epoch >= epoch else None

    run: Run = until(reached, why=lambda: store.runs.get(run_id))
    return run


def supervisor_pid(store: Store) -> int:
    status = store.engine.get()
    assert status is not None
    return status.pid


def assert_each_step_counts_once(store: Store, run: Run) -> None:
    assert store.metrics.count(run.id, "train/loss") == run.step == run.steps
    assert store.metrics.count(run.id, "val/accuracy") == run.epochs


def test_a_killed_worker_is_told_within_seconds_and_goes_on(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    run = until_epoch(store, run.id, 2)
    kept = {one.path: one.sha256 for one in store.checkpoints.list(run.id)}
    accuracies = store.metrics.series(run.id, "val/accuracy").values[: run.epoch]
    assert run.pid is not None
    os.killpg(run.pid, signal.SIGKILL)
    waiting = until_state(store, run.id, RunState.INTERRUPTED, RunState.QUEUED, RunState.STARTING, within_s=10)
    assert waiting.attempt == 1 or waiting.resume_from in kept
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt == 2
    assert store.metrics.series(run.id, "val/accuracy").values[: len(accuracies)] == accuracies
    assert_each_step_counts_once(store, run)
    assert not processes.marked(launchers.mark(store.home, run))
    events = [event.text for event in store.events.list(run.id)]
    assert any("killed" in text for text in events)
    assert any("going on after epoch" in text for text in events)


def test_a_killed_supervisor_finds_its_worker_again(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    run = until_epoch(store, run.id, 1)
    os.kill(supervisor_pid(store), signal.SIGKILL)
    until(lambda: not api.engine_alive(store), within_s=5)
    time.sleep(1)  # the worker trains on, unwatched
    assert Identity(run.pid or 0, run.pid_started or 0, run.boot_id or "").is_alive
    api.ensure_supervisor(store.home)
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt == 1
    assert_each_step_counts_once(store, run)


def test_worker_and_supervisor_killed_at_once_as_in_a_reboot(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    run = until_epoch(store, run.id, 2)
    os.kill(supervisor_pid(store), signal.SIGKILL)
    os.killpg(run.pid or 0, signal.SIGKILL)
    until(lambda: not processes_of(store.home.root) and not api.engine_alive(store), within_s=5)
    api.ensure_supervisor(store.home)
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt == 2
    assert_each_step_counts_once(store, run)


def test_a_worker_stopped_dead_is_found_and_replaced(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THAW_STALL_S", "3")
    run = queue(store, tmp_path, SOME)
    run = until_epoch(store, run.id, 1)
    os.kill(run.pid or 0, signal.SIGSTOP)
    again = until(lambda: store.runs.get(run.id).attempt == 2 and store.runs.get(run.id), within_s=30)
    assert any("no progress" in event.text for event in store.events.list(run.id))
    assert again.resume_from is not None
    assert until_state(store, run.id, RunState.FINISHED).attempt == 2


def test_a_run_that_always_dies_is_failed_in_the_end(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, LONG)
    run = until(lambda: store.runs.get(run.id).pid and store.runs.get(run.id))
    store.runs.update(run.id, tries=5)
    os.killpg(run.pid, signal.SIGKILL)
    run = until_state(store, run.id, RunState.FAILED, RunState.RUNNING, within_s=15)
    assert run.state is RunState.FAILED
    assert "5 times without a new checkpoint" in (run.reason or "")
    assert run.advice


def test_of_two_supervisors_one_leaves(store: Store) -> None:
    api.ensure_supervisor(store.home)
    first = supervisor_pid(store)
    second = cli("supervise")
    assert second.returncode == 3
    assert f"pid {first}" in second.stderr
    assert supervisor_pid(store) == first


def test_racing_callers_start_one_supervisor(home: Home) -> None:
    code = "from engine import api; from storage import Home; api.ensure_supervisor(Home.find())"
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(5)]
    assert [process.wait(30) for process in started] == [0] * 5
    running = [one for one in processes_of(home.root) if "supervise" in one.cmdline()]
    assert len(running) == 1


def test_shutdown_leaves_no_process(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, LONG)
    waiting = queue(store, tmp_path, LONG)
    until_epoch(store, run.id, 1)
    assert cli("shutdown").returncode == 0
    until(lambda: not processes_of(store.home.root), within_s=5)
    assert store.runs.get(run.id).state is store.runs.get(waiting.id).state is RunState.STOPPED
    assert store.checkpoints.list(run.id)
