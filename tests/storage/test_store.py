"""Opening, migrating, backing up; several processes at one database."""

import re
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from storage import Checkpoint, Dataset, EngineStatus, Home, NewerDatabase, PendingMigrations, Store
from storage.migrations import migrations

SCHEMA_PAGE = Path(__file__).parents[2] / "docs" / "schema.md"
OLD = sorted((Path(__file__).parent / "old").glob("*.db"))

OPEN = "from storage import *; import sys; Store.open(Home.find(sys.argv[1]), migrate=True)"
WRITE = """
import sys
from storage import *
store = Store.open(Home.find(sys.argv[1]))
for number in range(60):
    with store.transaction():
        run = store.runs.add(name=sys.argv[2], spec={}, dataset_id="digits", epochs=1)
        store.runs.update(run.id, step=len(store.runs.list()))
"""


READ = """
import sys
from storage import *
store = Store.open(Home.find(sys.argv[1]))
seen = 0
while seen < 80:
    runs = store.runs.list()
    assert len(runs) >= seen, "a committed run is gone"
    assert sorted(run.step for run in runs) == list(range(1, len(runs) + 1)), "half a transaction was seen"
    seen = len(runs)
"""
WRITE_AND_TELL = """
import sys
from storage import *
store = Store.open(Home.find(sys.argv[1]))
while True:
    with store.transaction():
        run = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=1)
        points = [MetricPoint(name="loss", step=step, epoch=1, value=1.0, at=0.0) for step in range(100)]
        store.metrics.add(run.id, points)
    print(run.id, flush=True)
"""


def run_together(code: str, home: Home, count: int) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(home.root), str(number)], cwd=Path(__file__).parents[2])
        for number in range(count)
    ]
    assert [process.wait(60) for process in started] == [0] * count


def test_many_processes_may_open_a_new_database_at_once(home: Home) -> None:
    run_together(OPEN, home, 6)
    assert Store.open(home).runs.list() == []


def test_writers_wait_for_each_other_and_lose_nothing(home: Home) -> None:
    store = Store.open(home, migrate=True)
    run_together(WRITE, home, 4)
    assert store.runs.count() == {"queued": 240}
    assert sorted(run.step for run in store.runs.list()) == list(range(1, 241))


def test_readers_see_whole_transactions_while_others_write(home: Home) -> None:
    Store.open(home, migrate=True)
    readers = [
        subprocess.Popen([sys.executable, "-c", READ, str(home.root)], cwd=Path(__file__).parents[2]) for _ in range(2)
    ]
    run_together(WRITE, home, 2)
    assert [reader.wait(60) for reader in readers] == [0, 0]


def test_a_killed_writer_loses_nothing_it_was_told_is_kept(home: Home) -> None:
    store = Store.open(home, migrate=True)
    command = [sys.executable, "-c", WRITE_AND_TELL, str(home.root)]
    for _ in range(3):
        writer = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        told = [writer.stdout.readline().strip() for _ in range(15)]
        writer.kill()
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait(10)
        kept = {run.id for run in store.runs.list()}
        assert set(told) <= kept
        assert {store.metrics.count(run_id, "loss") for run_id in kept} == {100}
    with sqlite3.connect(home.database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_an_unmigrated_database_is_refused_with_what_to_do(home: Home) -> None:
    with pytest.raises(PendingMigrations, match="Start the dashboard or the supervisor once"):
        Store.open(home)


def test_a_database_of_a_newer_thaw_is_refused(home: Home) -> None:
    Store.open(home, migrate=True)
    with sqlite3.connect(home.database) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('thaw', 'later', '')"
        )
    connection.close()
    for migrate in (False, True):
        with pytest.raises(NewerDatabase, match="later"):
            Store.open(home, migrate=migrate)


@pytest.mark.parametrize("old", OLD, ids=lambda path: path.stem)
def test_old_databases_are_brought_up_to_date_and_read(old: Path, home: Home) -> None:
    """tests/storage/old/N.db is a real database as schema N wrote it (`python -m tests.storage.make_old`)."""
    home.database.write_bytes(old.read_bytes())
    store = Store.open(home, migrate=True)
    run = store.runs.find("old run")
    assert store.metrics.best(run.id, "val/accuracy").value == 0.75
    assert store.checkpoints.get(run.id, "best").epoch == 2
    assert run.dataset_fingerprint is None
    assert (run.tags, run.about, run.archived_at, run.source) == ((), "", None, None)
    cats = store.datasets.get("cats")
    assert cats.classes == ("고양이", "호랑이")
    assert (cats.excluded, cats.about) == ((), "")
    assert [event.text for event in store.events.list(run.id)] == ["Queued."]
    assert store.requests.list()[0].payload == {"name": "cats"}


def test_searches_of_before_keep_their_numbers_under_todays_names(home: Home) -> None:
    home.database.write_bytes((Path(__file__).parent / "old" / "6.db").read_bytes())
    with sqlite3.connect(home.database) as connection:
        names = "id, name, state, created_at, wanted, at_once, spec"
        sql = f"INSERT INTO searches ({names}) VALUES (?, 'some', 'paused', 0, 9, 2, ?)"
        connection.executemany(sql, [["a", '{"at_once": 3, "trials": 9}'], ["b", '{"trials": 9}']])
    connection.close()
    store = Store.open(home, migrate=True)
    some, defaults = store.searches.get("a"), store.searches.get("b")
    assert (some.num_trials, some.max_concurrent, some.spec) == (9, 2, {"trials": 9, "max_concurrent": 3})
    assert defaults.spec == {"trials": 9}


def test_every_released_schema_has_an_old_database() -> None:
    assert len(OLD) == len(migrations._migrations)


@pytest.mark.parametrize("sql", re.findall(r"```sql\n(.+?)```", SCHEMA_PAGE.read_text(encoding="utf-8"), re.DOTALL))
def test_queries_of_the_schema_page_run_on_a_read_only_connection(store: Store, sql: str) -> None:
    connection = sqlite3.connect(f"file:{store.home.database}?mode=ro", uri=True)
    connection.execute(sql).fetchall()
    connection.close()


def test_a_backup_is_a_whole_database(store: Store, tmp_path: Path) -> None:
    store.runs.add(name="kept", spec={}, dataset_id="digits", epochs=1)
    store.backup(tmp_path / "backup.db")
    with sqlite3.connect(tmp_path / "backup.db") as connection:
        assert connection.execute("SELECT name FROM runs").fetchall() == [("kept",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_the_home_is_its_owners_alone(home: Home) -> None:
    Store.open(home, migrate=True)
    assert home.root.stat().st_mode & 0o777 == 0o700
    assert home.database.stat().st_mode & 0o777 == 0o600


def test_checkpoints_know_best_and_last(store: Store) -> None:
    run = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=3)
    for epoch, best in ((1, True), (2, True), (3, False)):
        store.checkpoints.add(
            Checkpoint(
                run_id=run.id,
                epoch=epoch,
                step=epoch * 10,
                path=f"checkpoints/e{epoch:04d}",
                bytes=10,
                sha256="x",
                created_at=0.0,
                metrics={"val/accuracy": epoch / 10},
                is_best=best,
            )
        )
    assert store.checkpoints.get(run.id, "best").epoch == 2
    assert store.checkpoints.get(run.id, "last").epoch == 3
    assert store.checkpoints.get(run.id, "1").metrics == {"val/accuracy": 0.1}
    store.checkpoints.forget(run.id, "checkpoints/e0003")
    assert store.checkpoints.get(run.id, "last").epoch == 2
    store.checkpoints.pin(run.id, "checkpoints/e0001", True)
    assert [one.is_pinned for one in store.checkpoints.list(run.id)] == [False, True]
    store.checkpoints.forget(run.id, "checkpoints/e0002")  # the best was lost: the highest of those left takes over
    assert store.checkpoints.get(run.id, "best").epoch == 1
    for which in ("9", "worst"):
        with pytest.raises(KeyError):
            store.checkpoints.get(run.id, which)


def test_a_mid_epoch_or_diverged_checkpoint_is_never_the_best(store: Store) -> None:
    run = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=3)
    values: list[dict[str, float | None]] = [{"val/accuracy": 0.5}, {"val/accuracy": None}, {"val/loss": 9.0}, {}]
    for epoch, metrics in enumerate(values, start=1):
        store.checkpoints.add(
            Checkpoint(
                run_id=run.id,
                epoch=epoch,
                step=epoch,
                path=f"checkpoints/e{epoch:04d}",
                bytes=1,
                sha256="x",
                created_at=0.0,
                metrics=metrics,
            )
        )
    store.checkpoints.forget(run.id, "checkpoints/e0004")
    assert store.checkpoints.get(run.id, "best").epoch == 1
    store.checkpoints.forget(run.id, "checkpoints/e0001")
    with pytest.raises(KeyError, match="epochs kept: 2, 3"):
        store.checkpoints.get(run.id, "best")


def test_requests_data_sets_and_the_engines_row_read_back(store: Store) -> None:
    asked = store.requests.add("stop_run", "r1", {"a": [1]}, key="k")
    assert store.requests.add("stop_run", "r2", key="k") == asked
    assert [one.id for one in store.requests.open()] == [asked.id]
    store.requests.finish(asked.id, "refused", "no")
    assert store.requests.open() == []
    assert store.requests.get(asked.id).message == "no"
    assert store.requests.list("stop_run", limit=1) == [store.requests.get(asked.id)]
    with pytest.raises(ValueError, match="no such column: colour"):
        store.requests.update(asked.id, colour="red")
    store.requests.forget(asked.id)
    with pytest.raises(KeyError):
        store.requests.get(asked.id)
    dataset = Dataset(
        id="cats",
        name="Cats",
        kind="folder",
        path="/x",
        classes=("a", "b"),
        counts={"all": {"a": 1, "b": 2}},
        fingerprint="f",
        channels=3,
        width=1,
        height=1,
        bytes=1,
        created_at=0.0,
        set_aside=({"path": "p", "reason": "r"},),
        excluded=("b/1.png",),
        about="From *my* desk.",
        source_fingerprint="g",
    )
    store.datasets.add(dataset)
    assert store.datasets.get("cats") == store.datasets.get("Cats") == dataset
    assert dataset.images == 3
    store.datasets.add(replace(dataset, bytes=2))
    assert store.datasets.get("cats").bytes == 2
    with pytest.raises(sqlite3.IntegrityError):  # another one of that name is refused, not put in its place
        store.datasets.add(replace(dataset, id="cats-2"))
    assert "cats" in {one.id for one in store.datasets.list()}
    store.datasets.delete("cats")
    with pytest.raises(KeyError):
        store.datasets.get("cats")
    status = EngineStatus(
        uuid="u", pid=1, pid_started=1.0, boot_id="b", started_at=0.0, heartbeat_at=0.0, slots=("cpu",), machine={}
    )
    store.engine.put(status)
    assert store.engine.get() == status
    store.engine.clear()
    assert store.engine.get() is None
