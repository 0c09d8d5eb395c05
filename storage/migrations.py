"""The schema, as ordered steps. A released step never changes; a change of schema is a new step below the last."""

import fcntl
import sqlite3
import time
from pathlib import Path

from storage.old_words import event_code, event_details, reason_code
from storage.sqlite import Database, Migrations

migrations = Migrations("thaw")


class PendingMigrations(RuntimeError):
    """The database is older than this program and was not opened for migration."""


class NewerDatabase(RuntimeError):
    """The database was made by a newer Thaw; this one would not understand what it writes."""


@migrations()
def schema_1(db: Database) -> None:
    for statement in SCHEMA_1:
        db.execute(statement)


@migrations()
def schema_2(db: Database) -> None:
    for statement in SCHEMA_2:
        db.execute(statement)


@migrations()
def schema_3(db: Database) -> None:
    for statement in SCHEMA_3:
        db.execute(statement)


@migrations()
def schema_4(db: Database) -> None:
    for statement in SCHEMA_4:
        db.execute(statement)


@migrations()
def schema_5(db: Database) -> None:
    for statement in SCHEMA_5:
        db.execute(statement)


@migrations()
def schema_6(db: Database) -> None:
    for statement in SCHEMA_6:
        db.execute(statement)


@migrations()
def schema_7(db: Database) -> None:
    for statement in SCHEMA_7:
        db.execute(statement)


@migrations()
def schema_8(db: Database) -> None:
    for function in (reason_code, event_code, event_details):
        db.register_function(function, deterministic=True)
    for statement in SCHEMA_8:
        db.execute(statement)


def migrate(database: Path) -> None:
    """Bring `database` to this program's schema, making it when missing. Safe from several processes at once.

    Raises:
        NewerDatabase: It holds steps that this program does not know.
    """
    # The switch to WAL ignores SQLite's busy timeout, so the first openers take turns on a file of their own.
    with database.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        connection = sqlite3.connect(database, timeout=30, isolation_level=None)
        try:
            _switch_to_wal(connection)
            db = Database(connection, execute_plugins=False)
            refuse_newer(db)
            if migrations.pending(db):
                migrations.apply(db)
        finally:
            connection.close()
    database.chmod(0o600)


def refuse_pending(db: Database) -> None:
    """
    Raises:
        PendingMigrations: It is older than this program.
        NewerDatabase: It is newer.
    """
    refuse_newer(db)
    if pending := migrations.pending(db):
        raise PendingMigrations(
            f"This database is older than this Thaw ({len(pending)} schema steps behind). "
            "Start the dashboard or the supervisor once: they bring it up to date."
        )


def refuse_newer(db: Database) -> None:
    """
    Raises:
        NewerDatabase: It holds steps that this program does not know.
    """
    with Database(memory=True) as empty:
        known = {step.name for step in migrations.pending(empty)}
    if unknown := {step.name for step in migrations.applied(db)} - known:
        raise NewerDatabase(
            f"This database was written by a newer Thaw (unknown schema steps: {', '.join(sorted(unknown))}). "
            "Update Thaw, or point THAW_HOME at another folder."
        )


def _switch_to_wal(connection: sqlite3.Connection, *, patience_s: float = 30) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:  # somebody reads or writes it this moment
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


SCHEMA_1 = (
    """
    CREATE TABLE searches (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        spec TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL
    ) STRICT
    """,
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        spec TEXT NOT NULL,
        dataset_id TEXT NOT NULL,
        search_id TEXT REFERENCES searches(id) ON DELETE CASCADE,
        key TEXT UNIQUE,
        created_at REAL NOT NULL,
        attempt INTEGER NOT NULL DEFAULT 0,
        tries INTEGER NOT NULL DEFAULT 0,
        not_before REAL NOT NULL DEFAULT 0,
        started_at REAL,
        ended_at REAL,
        reason TEXT,
        advice TEXT,
        slot TEXT,
        device TEXT,
        phase TEXT,
        step INTEGER NOT NULL DEFAULT 0,
        steps INTEGER,
        epoch INTEGER NOT NULL DEFAULT 0,
        epochs INTEGER NOT NULL DEFAULT 0,
        eta_s REAL,
        metric TEXT NOT NULL DEFAULT 'val/accuracy',
        best_value REAL,
        best_epoch INTEGER,
        resume_from TEXT,
        pid INTEGER,
        pid_started REAL,
        boot_id TEXT,
        progress_at REAL,
        "offset" INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
    "CREATE INDEX runs_state ON runs(state, created_at)",
    "CREATE INDEX runs_created ON runs(created_at)",
    "CREATE INDEX runs_name ON runs(name)",
    "CREATE INDEX runs_search ON runs(search_id)",
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        UNIQUE (run_id, name)
    ) STRICT
    """,
    """
    CREATE TABLE metrics (
        series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
        step INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        value REAL,
        at REAL NOT NULL,
        PRIMARY KEY (series_id, step)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE buckets (
        series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
        factor INTEGER NOT NULL,
        bucket INTEGER NOT NULL,
        step INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        at REAL NOT NULL,
        low REAL,
        high REAL,
        total REAL,
        n INTEGER NOT NULL,
        last REAL,
        PRIMARY KEY (series_id, factor, bucket)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE checkpoints (
        run_id TEXT NOT NULL REFERENCES runs(id) ON DELETE CASCADE,
        path TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        step INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        created_at REAL NOT NULL,
        metrics TEXT NOT NULL,
        is_best INTEGER NOT NULL DEFAULT 0,
        is_last INTEGER NOT NULL DEFAULT 0,
        is_pinned INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (run_id, path)
    ) STRICT, WITHOUT ROWID
    """,
    """
    CREATE TABLE datasets (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        path TEXT NOT NULL,
        classes TEXT NOT NULL,
        counts TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        channels INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        created_at REAL NOT NULL,
        set_aside TEXT NOT NULL,
        notes TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE events (
        id INTEGER PRIMARY KEY,
        run_id TEXT REFERENCES runs(id) ON DELETE CASCADE,
        at REAL NOT NULL,
        level TEXT NOT NULL,
        text TEXT NOT NULL
    ) STRICT
    """,
    "CREATE INDEX events_run ON events(run_id, id)",
    """
    CREATE TABLE requests (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        target TEXT NOT NULL,
        payload TEXT NOT NULL,
        state TEXT NOT NULL,
        key TEXT UNIQUE,
        created_at REAL NOT NULL,
        progress REAL,
        message TEXT,
        eta_s REAL,
        pid INTEGER,
        pid_started REAL,
        ended_at REAL
    ) STRICT
    """,
    "CREATE INDEX requests_state ON requests(state, created_at)",
    "CREATE INDEX requests_kind ON requests(kind, created_at)",
    """
    CREATE TABLE engine (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        uuid TEXT NOT NULL,
        pid INTEGER NOT NULL,
        pid_started REAL NOT NULL,
        boot_id TEXT NOT NULL,
        started_at REAL NOT NULL,
        heartbeat_at REAL NOT NULL,
        slots TEXT NOT NULL,
        machine TEXT NOT NULL
    ) STRICT
    """,
)

SCHEMA_2 = (
    "ALTER TABLE datasets ADD COLUMN excluded TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE datasets ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE datasets ADD COLUMN source_fingerprint TEXT NOT NULL DEFAULT ''",
    "UPDATE datasets SET source_fingerprint = fingerprint",
    "ALTER TABLE runs ADD COLUMN dataset_fingerprint TEXT",
)

SCHEMA_3 = (
    "ALTER TABLE runs ADD COLUMN parent_id TEXT",
    "ALTER TABLE runs ADD COLUMN parent_epoch INTEGER",
    "ALTER TABLE runs ADD COLUMN parent_step INTEGER",
    "ALTER TABLE runs ADD COLUMN needs_bytes INTEGER",
    "CREATE INDEX runs_parent ON runs(parent_id) WHERE parent_id IS NOT NULL",
)

# searches that run, and runs that are their trials
SCHEMA_4 = (
    "ALTER TABLE searches ADD COLUMN key TEXT",
    "ALTER TABLE searches ADD COLUMN dataset_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE searches ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN tries INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN not_before REAL NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN started_at REAL",
    "ALTER TABLE searches ADD COLUMN launched_at REAL",
    "ALTER TABLE searches ADD COLUMN reason TEXT",
    "ALTER TABLE searches ADD COLUMN advice TEXT",
    "ALTER TABLE searches ADD COLUMN slot TEXT",
    "ALTER TABLE searches ADD COLUMN device TEXT",
    "ALTER TABLE searches ADD COLUMN phase TEXT",
    "ALTER TABLE searches ADD COLUMN message TEXT",
    "ALTER TABLE searches ADD COLUMN at_once INTEGER",
    "ALTER TABLE searches ADD COLUMN path TEXT",
    "ALTER TABLE searches ADD COLUMN spent_s REAL NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN spent_gpu_s REAL NOT NULL DEFAULT 0",
    "ALTER TABLE searches ADD COLUMN metric TEXT NOT NULL DEFAULT 'val/accuracy'",
    "ALTER TABLE searches ADD COLUMN best_run_id TEXT",
    "ALTER TABLE searches ADD COLUMN best_value REAL",
    "ALTER TABLE searches ADD COLUMN pid INTEGER",
    "ALTER TABLE searches ADD COLUMN pid_started REAL",
    "ALTER TABLE searches ADD COLUMN boot_id TEXT",
    "ALTER TABLE searches ADD COLUMN progress_at REAL",
    'ALTER TABLE searches ADD COLUMN "offset" INTEGER NOT NULL DEFAULT 0',
    "CREATE UNIQUE INDEX searches_key ON searches(key)",
    "CREATE INDEX searches_state ON searches(state, created_at)",
    "ALTER TABLE runs ADD COLUMN trial INTEGER",
    "ALTER TABLE runs ADD COLUMN assignment TEXT NOT NULL DEFAULT 'null'",
    "ALTER TABLE runs ADD COLUMN cost REAL",
    "DROP INDEX runs_search",
    "CREATE INDEX runs_search ON runs(search_id, trial)",
    "ALTER TABLE events ADD COLUMN search_id TEXT REFERENCES searches(id) ON DELETE CASCADE",
    "CREATE INDEX events_search ON events(search_id, id) WHERE search_id IS NOT NULL",
)

# what users write on runs, runs that were not trained here, settings of the home, indices for thousands of runs
SCHEMA_5 = (
    "ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE runs ADD COLUMN about TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE runs ADD COLUMN archived_at REAL",
    "ALTER TABLE runs ADD COLUMN source TEXT",
    """
    CREATE TABLE settings (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    # all tags, and runs of none: read from the index alone
    "CREATE INDEX runs_tagged ON runs(tags) WHERE tags != '[]'",
    "CREATE INDEX runs_archived ON runs(archived_at) WHERE archived_at IS NOT NULL",
    # the lists that leave trials out, and how many there are in each state
    "CREATE INDEX runs_alone ON runs(created_at) WHERE search_id IS NULL",
    "CREATE INDEX runs_alone_state ON runs(state) WHERE search_id IS NULL",
    "CREATE INDEX runs_dataset ON runs(dataset_id, created_at)",
    "CREATE INDEX events_warnings ON events(run_id, id) WHERE level = 'warning'",
)

# which code the supervisor runs, so that a newer one takes its place
SCHEMA_6 = ("ALTER TABLE engine ADD COLUMN code TEXT NOT NULL DEFAULT ''",)

# the words of the field: columns of searches, and a setting in the specs that they keep
SCHEMA_7 = (
    "ALTER TABLE searches RENAME COLUMN wanted TO num_trials",
    "ALTER TABLE searches RENAME COLUMN at_once TO max_concurrent",
    """
    UPDATE searches SET spec = json_insert(
        json_remove(spec, '$.at_once'), '$.max_concurrent', json_extract(spec, '$.at_once')
    ) WHERE json_type(spec, '$.at_once') IS NOT NULL
    """,
)

# what happens goes by codes, and no longer by the words of reasons and events
SCHEMA_8 = (
    "ALTER TABLE runs ADD COLUMN reason_code TEXT",
    "ALTER TABLE searches ADD COLUMN reason_code TEXT",
    "ALTER TABLE events ADD COLUMN code TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE events ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
    "UPDATE runs SET reason_code = reason_code(reason) WHERE reason IS NOT NULL",
    "UPDATE searches SET reason_code = reason_code(reason) WHERE reason IS NOT NULL",
    "UPDATE events SET code = event_code(text), details = event_details(text)",
)
