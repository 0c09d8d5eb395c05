"""The store of one home: a front door to its table families and to transactions."""

import sqlite3
from contextlib import AbstractContextManager, closing
from pathlib import Path

from storage.checkpoints import Checkpoints
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
from storage.sqlite import Database
from storage.transactions import Transactions

StoreBusy = sqlite3.OperationalError  # the disk is full, or a stranger holds the write lock: later it may work


class Store:
    """All rows of one home. Cheap to keep, safe to share between threads: a connection is one call's at a time."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._transactions = transactions = Transactions(home.database)
        self.runs = Runs(transactions)
        self.searches = Searches(transactions)
        self.metrics = Metrics(transactions)
        self.extents = Extents(transactions)
        self.checkpoints = Checkpoints(transactions)
        self.datasets = Datasets(transactions)
        self.events = Events(transactions)
        self.requests = Requests(transactions)
        self.settings = Settings(transactions)
        self.engine = EngineRow(transactions)

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

    def reading(self) -> AbstractContextManager[Database]:
        """A database to query: the thread's open transaction when there is one."""
        return self._transactions.reading()

    def transaction(self) -> AbstractContextManager[Database]:
        """All writes inside commit together or not at all.

        One opened inside another commits with it; an error that leaves it takes back its own writes alone.
        """
        return self._transactions.transaction()

    def backup(self, to: Path) -> None:
        """Copy the database while it is in use, with SQLite's online backup."""
        with self.reading() as source, closing(sqlite3.connect(to)) as target:
            source.conn.backup(target)
