"""The supervisor may be killed at any moment; strangers who got a dead worker's number are left alone."""

import os
import random
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine import api
from engine.machine import processes
from engine.machine.processes import Identity
from engine.supervisor.runs import Running
from storage import RunState, Store
from tests.cli import SOME, queue, until, until_state
from tests.conftest import processes_of


def workers(store: Store) -> int:
    return sum("engine.worker" in " ".join(one.cmdline()) for one in processes_of(store.home.root))


@pytest.mark.slow
def test_killed_again_and_again_at_random_one_attempt_trains_and_each_step_counts_once(
    store: Store, tmp_path: Path
) -> None:
    run, chance = queue(store, tmp_path, SOME), random.Random(0)
    for _ in range(8):  # while it launches, follows and settles
        until(lambda: api.engine_alive(store))
        time.sleep(chance.uniform(0.0, 1.5))
        status = store.engine.get()
        assert status is not None
        os.kill(status.pid, signal.SIGKILL)
        until(lambda: not api.engine_alive(store))
        assert workers(store) <= 1
        api.ensure_supervisor(store.home)
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt <= 2  # 2: killed between moving the row and launching, which is made good
    assert store.metrics.count(run.id, "train/loss") == run.steps
    assert workers(store) == 0


def test_a_stranger_with_a_dead_workers_number_is_never_signalled(store: Store) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        theirs = Identity.of(stranger.pid)
        for gone in (replace(theirs, started=theirs.started - 1), replace(theirs, boot_id="another boot")):
            assert not gone.is_alive
            processes.send(gone, signal.SIGKILL)
            run = store.runs.add(name="a", spec={"device": "cpu"}, dataset_id="digits", epochs=3)
            store.runs.move(run.id, RunState.STARTING, attempt=1, tries=1)
            store.runs.update(run.id, pid=gone.pid, pid_started=gone.started, boot_id=gone.boot_id)
            store.home.run(run.id).mkdir()
            Running(store).tick()
            assert store.runs.get(run.id).state is RunState.INTERRUPTED
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
