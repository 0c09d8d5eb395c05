"""Rows of events: lines for a human."""

import time

from storage.family import Family
from storage.records import Event


class Events(Family[Event]):
    record = Event

    def add(self, run_id: str | None, level: str, text: str, at: float | None = None) -> None:
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO events (run_id, at, level, text) VALUES (?, ?, ?, ?)",
                [run_id, time.time() if at is None else at, level, text],
            )

    def list(self, run_id: str | None = None, *, limit: int = 200, after_id: int = 0) -> list[Event]:
        """The newest `limit` events of a run, or of all, oldest first."""
        where, values = ("run_id = ? AND", [run_id]) if run_id is not None else ("", [])
        newest = self._rows(f"FROM events WHERE {where} id > ? ORDER BY id DESC LIMIT ?", [*values, after_id, limit])
        return newest[::-1]
