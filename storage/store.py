"""The store of one home: a front door to its table families and to transactions."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database

from storage.checkpoints import Checkpoints
from storage.connections import Connections
from storage.datasets import Datasets
from storage.engine_row import EngineRow
from storage.events import Events
from storage.extents import Extents
from storage.home import Home
from storage.metrics import Metrics
from storage.migrations import migrate as bring_up_to_date
from storage.migrations import refuse_pending
from storage.requests import Requests
from storage.runs import Runs
from storage.searches import Searches
from storage.settings import Settings

StoreBusy = sqlite3.OperationalError  # the disk is full, or a stranger holds the write lock: later it may work


class Store:
    """All rows of one home. Cheap to keep, safe to share between threads: a connection is one call's at a time."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._connections = Connections(home.database)
        self._of_this_thread = threading.local()
        self.runs = Runs(self)
        self.searches = Searches(self)
        self.metrics = Metrics(self)
        self.extents = Extents(self)
        self.checkpoints = Checkpoints(self)
        self.datasets = Datasets(self)
        self.events = Events(self)
        self.requests = Requests(self)
        self.settings = Settings(self)
        self.engine = EngineRow(self)

    @classmethod
    def open(cls, home: Home, *, migrate: bool = False) -> "Store":
        """The store of `home`; with `migrate` its database is made or brought up to date first.

        Raises:
            PendingMigrations: It is older than this program (or not there), and `migrate` is off.
            NewerDatabase: It was written by a newer program.
        """
        store = cls(home)
        if migrate:
            bring_up_to_date(home.database)
        else:
            with store.reading() as db:
                refuse_pending(db)
        return store

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """A database to query: the thread's open transaction when there is one."""
        current: Database | None = getattr(self._of_this_thread, "db", None)
        if current is not None:
            yield current
            return
        connection = self._connections.take()
        try:
            yield Database(connection, execute_plugins=False)
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(connection)

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All writes inside commit together or not at all.

        One opened inside another commits with it; an error that leaves it takes back its own writes alone.
        """
        current: Database | None = getattr(self._of_this_thread, "db", None)
        if current is not None:
            with current.atomic():
                yield current
            return
        connection = self._connections.take()
        db = Database(connection, execute_plugins=False)
        try:
            # IMMEDIATE: a deferred one that reads first fails on its first write, whatever the timeout.
            connection.execute("BEGIN IMMEDIATE")
            self._of_this_thread.db = db
            yield db
            connection.commit()
        except BaseException:
            connection.close()  # takes back what is not committed
            raise
        finally:
            self._of_this_thread.db = None
        self._connections.give_back(connection)

    def backup(self, to: Path) -> None:
        """Copy the database while it is in use, with SQLite's online backup."""
        with self.reading() as source, closing(sqlite3.connect(to)) as target:
            source.conn.backup(target)
