"""Rows of events: lines for a human."""

import builtins
import json
import time
from collections.abc import Collection, Mapping
from typing import Protocol

from storage.family import Family
from storage.records import Event


class Noted(Protocol):
    """What happened, as whoever words it has it."""

    @property
    def level(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def details(self) -> Mapping[str, object]: ...


class Events(Family[Event]):
    record = Event
    as_json = frozenset({"details"})

    def add(
        self,
        run_id: str | None,
        level: str,
        text: str,
        at: float | None = None,
        *,
        search_id: str | None = None,
        code: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        """A line about a run, or with `search_id` about a search as a whole.

        Args:
            run_id: None: it is about a search, or the whole home.
            level: info, warning or error.
            text: A sentence or two.
            at: Unix seconds; None: now.
            search_id: The search, where it is about one as a whole.
            code: What the text is made from.
            details: Its values that something goes by.
        """
        values = json.dumps(dict(details or {}), default=str)
        with self._transactions.transaction() as db:
            db.execute(
                "INSERT INTO events (run_id, at, level, text, search_id, code, details) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [run_id, time.time() if at is None else at, level, text, search_id, code, values],
            )

    def note(self, run_id: str | None, what: "Noted", at: float | None = None, *, search_id: str | None = None) -> None:
        """The same of what brings its own level, text and code along.

        Args:
            run_id: None: of no run.
            what: An event, or a line that a process wrote.
            at: Unix seconds; None: now.
            search_id: Of this search as a whole, where it is of one.
        """
        self.add(run_id, what.level, what.text, at, search_id=search_id, code=what.code, details=what.details)

    def warning_codes(self, run_ids: Collection[str]) -> dict[str, builtins.list[str]]:
        """The codes of all warnings of some runs, oldest first; runs without one are left out."""
        found: dict[str, builtins.list[str]] = {}
        with self._transactions.reading() as db:
            for run_id, code in db.execute(WARNINGS, [json.dumps(list(run_ids))]).fetchall():
                found.setdefault(run_id, []).append(code)
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
    SELECT run_id, code FROM events
    WHERE level = 'warning' AND run_id IN (SELECT value FROM json_each(?)) ORDER BY id
"""
