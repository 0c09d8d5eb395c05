"""Rows of searches, the only moves between their states, and their trials."""

import builtins
import time
from collections.abc import Collection
from typing import Any

from storage.family import Family, assignments
from storage.ids import new_id
from storage.records import Run, RunState, mode_of
from storage.search_record import SEARCH_MOVES, Search, SearchState

BEST_FIRST = "best"
ORDERS = {  # of trials -> SQL; {worst} is the direction that puts the best first
    "number": "trial, rowid",
    "newest": "trial DESC, rowid DESC",
    BEST_FIRST: "best_value IS NULL, best_value {worst}, trial",
    "state": "state, trial",
    "epoch": "epoch DESC, trial",
    "duration": "coalesce(ended_at, unixepoch()) - started_at DESC, trial",
}


class Searches(Family[Search]):
    record = Search
    as_json = frozenset({"spec"})

    @classmethod
    def _read(cls, row: dict[str, Any]) -> Search:
        return super()._read({**row, "state": SearchState(row["state"])})

    def add(
        self,
        *,
        name: str,
        spec: dict[str, Any],
        dataset_id: str = "",
        wanted: int = 0,
        key: str | None = None,
        **more: Any,
    ) -> Search:
        """A new queued search, `more` being other columns.

        The same `key` again gives the search that was made first, so that two tabs start one.
        """
        search_id = new_id()
        values = self._plain(
            {
                "id": search_id,
                "name": name,
                "state": SearchState.QUEUED,
                "spec": spec,
                "dataset_id": dataset_id,
                "wanted": wanted,
                "created_at": time.time(),
                **more,
            }
        ) | {"key": key}
        marks = ", ".join("?" * len(values))
        with self._store.transaction() as db:
            db.execute(
                f"INSERT INTO searches ({', '.join(values)}) VALUES ({marks}) ON CONFLICT(key) DO NOTHING",
                list(values.values()),
            )
            return self._rows("FROM searches WHERE id = ? OR (key IS NOT NULL AND key = ?)", (search_id, key))[0]

    def get(self, search_id: str) -> Search:
        """
        Raises:
            KeyError: No such search.
        """
        found = self._rows("FROM searches WHERE id = ?", (search_id,))
        if not found:
            raise KeyError(f"There is no search {search_id}.")
        return found[0]

    def find(self, text: str) -> Search:
        """The search meant by an id, else by the name of just one, else by the beginning of just one id.

        Raises:
            KeyError: None, or more than one, is meant.
        """
        found: list[Search] = []
        if text:
            found = (
                self._rows("FROM searches WHERE id = ?", (text,))
                or self._rows("FROM searches WHERE name = ? LIMIT 6", (text,))
                or self._rows("FROM searches WHERE id BETWEEN ? AND ? || '~' LIMIT 6", (text, text))
            )
        if not found:
            raise KeyError(f"There is no search {text!r}.")
        if len(found) > 1:
            raise KeyError(f"Several searches are meant by {text!r}, say which: {', '.join(one.id for one in found)}.")
        return found[0]

    def list(
        self, *, states: Collection[SearchState] | None = None, limit: int = 500, offset: int = 0
    ) -> builtins.list[Search]:
        """Newest first."""
        where, values = "", []
        if states is not None:
            where = f"WHERE state IN ({', '.join('?' * len(states))})"
            values = [str(state) for state in states]
        return self._rows(
            f"FROM searches {where} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?", [*values, limit, offset]
        )

    def queue(self) -> builtins.list[Search]:
        """Queued searches in the order in which they will start."""
        return self._rows("FROM searches WHERE state = 'queued' ORDER BY created_at, rowid")

    def names(self) -> set[str]:
        with self._store.reading() as db:
            return {row["name"] for row in db.query("SELECT name FROM searches")}

    def move(
        self, search_id: str, to: SearchState, *, expect: Collection[SearchState] | None = None, **values: Any
    ) -> bool:
        """Compare-and-set along `SEARCH_MOVES`, setting `values` in the same statement. False: it was elsewhere."""
        sources = {state for state, targets in SEARCH_MOVES.items() if to in targets}
        if expect is not None:
            sources &= set(expect)
        if not sources:
            return False
        if to.is_over:
            values.setdefault("ended_at", time.time())
        if to is SearchState.QUEUED:
            values = dict.fromkeys(("reason", "advice", "ended_at", "phase", "message", "slot")) | values
        plain = self._plain({"state": to} | values)
        marks = ", ".join("?" * len(sources))
        with self._store.transaction() as db:
            cursor = db.execute(
                f"UPDATE searches SET {assignments(plain)} WHERE id = ? AND state IN ({marks})",
                [*plain.values(), search_id, *map(str, sources)],
            )
            return cursor.rowcount == 1

    def update(self, search_id: str, **values: Any) -> None:
        """Set columns; the state changes by `move` alone.

        Raises:
            ValueError: A name that is no column, or `state`.
        """
        if "state" in values:
            raise ValueError("a state changes by move()")
        plain = self._plain(values)
        with self._store.transaction() as db:
            db.execute(f"UPDATE searches SET {assignments(plain)} WHERE id = ?", [*plain.values(), search_id])

    def delete(self, search_id: str) -> None:
        """Remove the search, its trials, and all rows that belong to them."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM searches WHERE id = ?", [search_id])

    def trials(
        self,
        search_id: str,
        *,
        order: str = "number",
        states: Collection[RunState] | None = None,
        limit: int = -1,
        offset: int = 0,
    ) -> builtins.list[Run]:
        """Its runs; `order` is a key of ORDERS, "best" by the search's own metric."""
        worst = "ASC" if mode_of(self.get(search_id).metric) == "min" else "DESC"
        where, values = "", []
        if states is not None:
            where = f"AND state IN ({', '.join('?' * len(states))})"
            values = [str(state) for state in states]
        by = ORDERS[order].format(worst=worst)
        sql = f"FROM runs WHERE search_id = ? {where} ORDER BY {by} LIMIT ? OFFSET ?"
        return self._store.runs._rows(sql, [search_id, *values, limit, offset])

    def counts(self, search_id: str) -> dict[RunState, int]:
        """How many of its trials are in each state."""
        with self._store.reading() as db:
            sql = "SELECT state, count(*) AS n FROM runs WHERE search_id = ? GROUP BY state"
            return {RunState(row["state"]): row["n"] for row in db.query(sql, [search_id])}

    def histories(self, search_id: str) -> dict[str, builtins.list[tuple[int, float | None]]]:
        """(epoch, value of the search's metric) of every trial, in order: what an algorithm learns from."""
        found: dict[str, builtins.list[tuple[int, float | None]]] = {}
        with self._store.reading() as db:
            for run_id, epoch, value in db.execute(HISTORIES, [search_id]).fetchall():
                found.setdefault(run_id, []).append((epoch, value))
        return found


HISTORIES = """
    SELECT runs.id, metrics.epoch, metrics.value
    FROM runs JOIN searches ON searches.id = runs.search_id
    JOIN series ON series.run_id = runs.id AND series.name = searches.metric
    JOIN metrics ON metrics.series_id = series.id
    WHERE runs.search_id = ? ORDER BY runs.trial, metrics.step
"""
