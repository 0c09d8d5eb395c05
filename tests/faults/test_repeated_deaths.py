"""What dies the same way twice is failed with its reason; what is killed again and again is tried five times."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from storage import Run, RunState, Store
from tests.cli import LONG, SOME, queue, until, until_state


def met(store: Store, run_id: str, seen: Callable[[Run], bool]) -> Run:
    """The run once it is `seen` with a process; it does not wait longer than it must in between."""

    def found() -> Run | None:
        run = store.runs.get(run_id)
        assert not run.state.is_over, run
        if run.state is RunState.INTERRUPTED:
            store.runs.update(run_id, not_before=0.0)
        return run if run.pid and run.state.has_process and seen(run) else None

    run: Run = until(found, within_s=90, why=lambda: store.runs.get(run_id))
    return run


def test_a_crash_in_the_same_epoch_twice_is_failed_with_its_reason(store: Store, tmp_path: Path) -> None:
    slow = LONG | {"data": {"dataset": "digits", "image_size": 32}, "optimisation": {"batch_size": 1}}  # epochs of long
    run = queue(store, tmp_path, slow)
    for attempt in (1, 2):
        run = met(store, run.id, lambda now, attempt=attempt: now.attempt == attempt and now.phase == "training")
        assert run.epoch == 0
        os.kill(run.pid or 0, signal.SIGSEGV)
    run = until_state(store, run.id, RunState.FAILED, within_s=30)
    assert (run.reason or "").startswith("Its process crashed in native code (SIGSEGV).")
    assert "twice in epoch 1" in (run.reason or "")
    assert run.advice
    assert run.attempt == 2


def test_killed_five_times_without_a_new_checkpoint_it_is_failed(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, LONG)
    for attempt in range(1, 6):
        run = met(store, run.id, lambda now, attempt=attempt: now.attempt == attempt)
        os.killpg(run.pid or 0, signal.SIGKILL)
    run = until_state(store, run.id, RunState.FAILED, within_s=30)
    assert run.attempt == 5
    assert "5 times without a new checkpoint" in (run.reason or "")


def test_a_stranger_who_locks_the_database_holds_nobody_up(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    stranger = sqlite3.connect(store.home.database, isolation_level=None)
    stranger.execute("BEGIN EXCLUSIVE")
    before = (store.home.run(run.id) / "events.jsonl").stat().st_size
    time.sleep(3)
    assert (store.home.run(run.id) / "events.jsonl").stat().st_size > before  # training does not notice
    stranger.rollback()
    stranger.close()
    run = until_state(store, run.id, RunState.FINISHED)
    assert run.attempt == 1
    assert store.metrics.count(run.id, "train/loss") == run.steps
