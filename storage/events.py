"""Rows of events: lines for a human."""

import builtins
import json
import time
from collections.abc import Collection

from storage.family import Family
from storage.records import Event


class Events(Family[Event]):
    record = Event

    def add(
        self, run_id: str | None, level: str, text: str, at: float | None = None, *, search_id: str | None = None
    ) -> None:
        """A line about a run, or about a search as a whole.

        Args:
            run_id: None: it is about no one run.
            level: info, warning or error.
            text: A sentence for people.
            at: Unix seconds; None: now.
            search_id: The search it is about.
        """
        with self._transactions.transaction() as db:
            db.execute(
                "INSERT INTO events (run_id, at, level, text, search_id) VALUES (?, ?, ?, ?, ?)",
                [run_id, time.time() if at is None else at, level, text, search_id],
            )

    def warnings(self, run_ids: Collection[str]) -> dict[str, builtins.list[str]]:
        """The texts of all warnings of some runs, oldest first; runs without one are left out."""
        found: dict[str, builtins.list[str]] = {}
        with self._transactions.reading() as db:
            for run_id, text in db.execute(WARNINGS, [json.dumps(list(run_ids))]).fetchall():
                found.setdefault(run_id, []).append(text)
        return found

    def after(self, event_id: int, *, limit: int) -> builtins.list[Event]:
        """The next events of all, oldest first."""
        return self._rows("FROM events WHERE id > ? ORDER BY id LIMIT ?", (event_id, limit))

    def list(
        self, run_id: str | None = None, *, search_id: str | None = None, limit: int = 200, after_id: int = 0
    ) -> list[Event]:
        """The newest events of a run, of a search as a whole, or of all, oldest first.

        Args:
            run_id: None: of any run.
            search_id: Only of this search as a whole.
            limit: How many at most.
            after_id: Only those that came after this one.
        """
        where, values = ("run_id = ? AND", [run_id]) if run_id is not None else ("", [])
        if search_id is not None:
            where, values = f"{where} search_id = ? AND", [*values, search_id]
        newest = self._rows(f"FROM events WHERE {where} id > ? ORDER BY id DESC LIMIT ?", [*values, after_id, limit])
        return newest[::-1]


WARNINGS = """
    SELECT run_id, text FROM events
    WHERE level = 'warning' AND run_id IN (SELECT value FROM json_each(?)) ORDER BY id
"""
