"""Reading and writing one database: connections, and the transaction that a thread has open."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.connections import Connections
from storage.sqlite import Database


class Transactions:
    """Safe to share between threads: a connection is one call's at a time, a transaction its thread's."""

    def __init__(self, database: Path) -> None:
        self._connections = Connections(database)
        self._of_this_thread = threading.local()

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
