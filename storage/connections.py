"""Connections to one database, kept for the next call: opening one costs more than most of what is asked of it."""

import os
import sqlite3
from collections import deque
from pathlib import Path

MOST_IDLE = 8  # each keeps up to 2 MB of pages


class Connections:
    """Taken by one call at a time, of whatever thread; SQLite's own locks allow that (`sqlite3.threadsafety` 3)."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._idle: deque[sqlite3.Connection] = deque(maxlen=None if sqlite3.threadsafety == 3 else 0)
        self._left: list[sqlite3.Connection] = []
        self._of: tuple[int, ...] | None = None

    def take(self) -> sqlite3.Connection:
        """One that no other call uses."""
        if self._changed():
            self._left += self._idle  # not closed: in a fork that would be the parent's loss
            self._idle.clear()
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def give_back(self, connection: sqlite3.Connection) -> None:
        """After a call that went well; one that did not may have left a cursor behind: close the connection then."""
        if len(self._idle) < MOST_IDLE and not connection.in_transaction:
            self._idle.append(connection)
        else:
            connection.close()

    def _changed(self) -> bool:
        """Whether the file is another one (restored from a backup), or we are a fork of the process that opened it."""
        try:
            file = self._database.stat()
            now: tuple[int, ...] | None = (os.getpid(), file.st_dev, file.st_ino)
        except FileNotFoundError:
            now = None
        before, self._of = self._of, now
        return now is None or now != before

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, timeout=30, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.create_function("casefold", 1, str.casefold, deterministic=True)  # SQLite's own lower() is ASCII's
        return connection
