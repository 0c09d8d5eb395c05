"""Rows of searches, and their trials."""

import builtins
from collections.abc import Collection
from typing import Any

from storage.ids import new_id
from storage.moving import Moving
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


class Searches(Moving[Search]):
    record = Search
    as_json = frozenset({"spec"})
    table, noun, plural = "searches", "search", "searches"
    states, moves = SearchState, SEARCH_MOVES
    cleared_queued = ("reason", "advice", "ended_at", "phase", "message", "slot")

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
        values = {
            "id": new_id(),
            "name": name,
            "state": SearchState.QUEUED,
            "spec": spec,
            "dataset_id": dataset_id,
            "wanted": wanted,
            **more,
        }
        return self._insert(values, key)

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
