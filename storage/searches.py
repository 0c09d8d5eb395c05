"""Rows of searches, and their trials."""

import builtins
from collections.abc import Collection
from typing import Any

from storage.ids import new_id
from storage.moving import Moving
from storage.records import SEARCH_MOVES, Search, SearchState


class Searches(Moving[Search]):
    record = Search
    as_json = frozenset({"spec"})
    table, noun, plural = "searches", "search", "searches"
    states, moves = SearchState, SEARCH_MOVES
    cleared_queued = ("reason", "reason_code", "advice", "ended_at", "phase", "message", "slot")

    def add(
        self,
        *,
        name: str,
        spec: dict[str, Any],
        dataset_id: str = "",
        num_trials: int = 0,
        key: str | None = None,
        **more: Any,
    ) -> Search:
        """A new queued search.

        Args:
            spec: As plain values.
            num_trials: In all, the base run included.
            key: The same again gives the search that was made first, so that two tabs start one.
            more: Other columns.
        """
        values = {
            "id": new_id(),
            "name": name,
            "state": SearchState.QUEUED,
            "spec": spec,
            "dataset_id": dataset_id,
            "num_trials": num_trials,
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
