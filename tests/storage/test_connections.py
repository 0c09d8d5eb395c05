"""Connections are kept, and nobody notices: threads, errors, restored files, forks."""

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storage import Home, MetricPoint, Store
from storage.connections import MOST_IDLE


def add(store: Store, name: str) -> str:
    return store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1).id


def test_calls_share_connections_whatever_their_thread(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda number: add(store, f"run {number}"), range(100)))
        assert len(list(pool.map(lambda run_id: store.runs.get(run_id).name, ids))) == 100
    assert 1 <= len(store._transactions._connections._idle) <= MOST_IDLE
    assert store.runs.count() == {"queued": 100}


def test_what_failed_takes_back_its_writes_and_leaves_no_lock(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction():
        add(store, "never")
        _ = 1 / 0
    with pytest.raises(sqlite3.IntegrityError):
        store.requests.update(store.requests.add("a", "b").id, kind=None)
    assert store.runs.list() == []
    add(store, "after")
    with sqlite3.connect(store.home.database, timeout=0.1) as other:  # nobody holds the write lock
        other.execute("UPDATE runs SET name = 'changed'")
    other.close()
    assert [run.name for run in store.runs.list()] == ["changed"]


def test_kept_connections_hold_nothing_of_the_past(store: Store) -> None:
    """A cursor left open would pin the write-ahead log, which then grows for as long as the server lives."""
    run_id = add(store, "measured")
    points = [MetricPoint(name="loss", step=step, epoch=1, value=1.0, at=0.0) for step in range(3)]
    store.metrics.add(run_id, points)
    assert store.metrics.count(run_id, "loss") == 3
    assert store.metrics.best(run_id, "loss") is not None
    assert list(store.metrics.pages(run_id, 2)) and store.metrics.after(run_id, {}, limit=2)
    assert store.metrics.series(run_id, "loss").steps == [0, 1, 2]
    assert store.extents.of([run_id]) and store.runs.tags() == {} and not store.runs.any_archived()
    assert store.settings.get("none") is None and store.engine.get() is None
    store.events.add(run_id, "warning", "a")
    assert store.events.warning_codes({run_id})
    with sqlite3.connect(store.home.database) as other:
        busy, in_log, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    other.close()
    assert (busy, in_log) == (0, 0)


def test_readers_see_what_others_have_just_written(home: Home) -> None:
    one, other = Store.open(home, migrate=True), Store.open(home)
    for number in range(20):
        add(one, f"run {number}")
        assert len(other.runs.list()) == number + 1


def test_a_restored_database_is_read_at_once(store: Store, tmp_path: Path) -> None:
    add(store, "before the backup")
    store.backup(tmp_path / "backup.db")
    add(store, "lost")
    assert len(store.runs.list()) == 2
    for path in store.home.root.glob("thaw.db-*"):
        path.unlink()
    (tmp_path / "backup.db").replace(store.home.database)
    assert [run.name for run in store.runs.list()] == ["before the backup"]


def test_a_fork_opens_its_own(store: Store) -> None:
    add(store, "one")
    child = os.fork()
    if not child:
        before = [id(one) for one in store._transactions._connections._idle]
        is_own = store.runs.list() != [] and not set(before) & {
            id(one) for one in store._transactions._connections._idle
        }
        os._exit(0 if is_own else 1)
    assert os.waitpid(child, 0)[1] == 0
