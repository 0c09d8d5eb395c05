"""Rows of runs."""

import builtins
import json
from collections.abc import Callable, Collection
from typing import Any

from storage.ids import new_id
from storage.moving import Moving
from storage.records import MOVES, Run, RunState, mode_of

BEST_FIRST = "best"
ORDERS = {  # of trials -> SQL; {worst} is the direction that puts the best first
    "number": "trial, rowid",
    "newest": "trial DESC, rowid DESC",
    BEST_FIRST: "best_value IS NULL, best_value {worst}, trial",
    "state": "state, trial",
    "epoch": "epoch DESC, trial",
    "duration": "coalesce(ended_at, unixepoch()) - started_at DESC, trial",
}


class Runs(Moving[Run]):
    record = Run
    as_json = frozenset({"spec", "assignment", "tags"})
    as_tuple = frozenset({"tags"})
    table, noun, plural = "runs", "run", "runs"
    states, moves = RunState, MOVES
    cleared_queued = ("reason", "reason_code", "advice", "ended_at", "phase", "slot", "needs_bytes", "archived_at")
    cleared_over = ("eta_s",)

    def add(
        self,
        *,
        name: str,
        spec: dict[str, Any],
        dataset_id: str,
        epochs: int,
        key: str | None = None,
        search_id: str | None = None,
        run_id: str | None = None,
        state: RunState = RunState.QUEUED,
        **more: Any,
    ) -> Run:
        """A new run; a trial comes with its id, and started.

        Args:
            spec: As plain values.
            epochs: In all.
            key: The same again gives the run that was made first, so that two tabs start one.
            search_id: Of the search whose trial it is.
            run_id: None: a new one.
            more: Other columns.
        """
        values = {
            "id": run_id or new_id(),
            "name": name,
            "state": state,
            "spec": spec,
            "dataset_id": dataset_id,
            "search_id": search_id,
            "epochs": epochs,
            **more,
        }
        return self._insert(values, key)

    def queue(self) -> list[Run]:
        """Queued runs in the order in which they will start; trials are started by their search."""
        return self._rows("FROM runs WHERE state = 'queued' AND search_id IS NULL ORDER BY created_at, rowid")

    def begun(self, since: float) -> list[Run]:
        """Runs made since then that were started, oldest first."""
        return self._rows("FROM runs WHERE created_at >= ? AND attempt > 0 ORDER BY created_at, rowid", (since,))

    def children(self, run_id: str) -> list[Run]:
        """Runs that went on from a checkpoint of this one, oldest first."""
        return self._rows("FROM runs WHERE parent_id = ? ORDER BY created_at, rowid", (run_id,))

    def titles(self, limit: int) -> dict[str, str]:
        """Id -> name of the newest runs that are no trials and not in the archive."""
        sql = (
            "SELECT id, name FROM runs WHERE search_id IS NULL AND archived_at IS NULL ORDER BY created_at DESC LIMIT ?"
        )
        with self._transactions.reading() as db:
            return dict(db.execute(sql, [limit]).fetchall())

    def some(self, ids: Collection[str]) -> list[Run]:
        """Those of these runs that are there, in the order given."""
        rows = self._rows("FROM runs WHERE id IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))])
        found = {run.id: run for run in rows}
        return [found[one] for one in dict.fromkeys(ids) if one in found]

    def list(
        self,
        *,
        states: Collection[RunState] | None = None,
        search_id: str | None = None,
        dataset_id: str | None = None,
        text: str | None = None,
        tags: Collection[str] = (),
        alone: bool = False,
        archived: bool = False,
        limit: int = 500,
        offset: int = 0,
    ) -> builtins.list[Run]:
        """Runs, newest first, those in the archive only where `archived` asks for them too.

        Args:
            text: Looked for in name, id, data set and tags, whatever the case of its letters.
            tags: Runs that have all of these.
            alone: Leaves trials out.
        """
        where, values = ["1"], []
        if states is not None:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += [str(state) for state in states]
        if search_id is not None:
            where.append("search_id = ?")
            values.append(search_id)
        if dataset_id is not None:
            where.append("dataset_id = ?")
            values.append(dataset_id)
        if alone:
            where.append("search_id IS NULL")
        if not archived:
            where.append("archived_at IS NULL")
        if text:
            where.append(f"instr(casefold(name || ' ' || id || ' ' || dataset_id || {SPACED_TAGS}), ?) > 0")
            values.append(text.casefold())
        for tag in tags:
            where.append("tags != '[]' AND EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)")
            values.append(tag)
        return self._rows(
            f"FROM runs WHERE {' AND '.join(where)} ORDER BY {NEWEST} LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )

    def count(self, *, alone: bool = False) -> dict[RunState, int]:
        """How many are in each state; `alone` leaves trials out."""
        where = "WHERE search_id IS NULL" if alone else ""
        with self._transactions.reading() as db:
            sql = f"SELECT state, count(*) AS n FROM runs {where} GROUP BY state"
            return {RunState(row["state"]): row["n"] for row in db.query(sql)}

    def ids(self, *, search_id: str | None = None, trials: bool = False) -> builtins.list[str]:
        """Of all runs, newest first, those in the archive too; of all trials, or of one search's, in their order."""
        where, order, values = ("search_id IS NOT NULL", "search_id, trial", []) if trials else ("1", NEWEST, [])
        if search_id is not None:
            where, order, values = "search_id = ?", "trial", [search_id]
        with self._transactions.reading() as db:
            return [row["id"] for row in db.query(f"SELECT id FROM runs WHERE {where} ORDER BY {order}", values)]

    def trials(
        self,
        search_id: str,
        *,
        order: str = "number",
        states: Collection[RunState] | None = None,
        limit: int = -1,
        offset: int = 0,
    ) -> builtins.list[Run]:
        """Runs of one search.

        Args:
            order: A key of ORDERS; "best" by the search's own metric.
            states: None: all.
            limit: How many at most; -1: all.
            offset: So many of the first are left out.
        """
        worst = "ASC" if self._mode(search_id) == "min" else "DESC"
        where, values = "", []
        if states is not None:
            where = f"AND state IN ({', '.join('?' * len(states))})"
            values = [str(state) for state in states]
        by = ORDERS[order].format(worst=worst)
        sql = f"FROM runs WHERE search_id = ? {where} ORDER BY {by} LIMIT ? OFFSET ?"
        return self._rows(sql, [search_id, *values, limit, offset])

    def trial_counts(self, search_id: str) -> dict[RunState, int]:
        """How many trials of a search are in each state."""
        with self._transactions.reading() as db:
            sql = "SELECT state, count(*) AS n FROM runs WHERE search_id = ? GROUP BY state"
            return {RunState(row["state"]): row["n"] for row in db.query(sql, [search_id])}

    def trial_histories(self, search_id: str) -> dict[str, builtins.list[tuple[int, float | None]]]:
        """(epoch, value of the search's metric) of every trial, in order: what an algorithm learns from."""
        found: dict[str, builtins.list[tuple[int, float | None]]] = {}
        with self._transactions.reading() as db:
            for run_id, epoch, value in db.execute(HISTORIES, [search_id]).fetchall():
                found.setdefault(run_id, []).append((epoch, value))
        return found

    def _mode(self, search_id: str) -> str:
        with self._transactions.reading() as db:
            row = db.execute("SELECT metric FROM searches WHERE id = ?", [search_id]).fetchone()
        if row is None:
            raise KeyError(f"There is no search {search_id}.")
        return mode_of(row[0])

    def any_archived(self) -> bool:
        return bool(self._rows("FROM runs WHERE archived_at IS NOT NULL LIMIT 1"))

    def tags(self) -> dict[str, int]:
        """Every tag in use, in order, and how many runs have it."""
        with self._transactions.reading() as db:
            return {row["tag"]: row["n"] for row in db.query(TAGS)}

    def retag(self, ids: Collection[str], change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> None:
        """Give each run the tags that `change` makes of those it has."""
        with self._transactions.transaction() as db:
            for id in ids:
                for row in db.execute("SELECT tags FROM runs WHERE id = ?", [id]).fetchall():
                    self.update(id, tags=change(tuple(json.loads(row[0]))))


NEWEST = "created_at DESC, rowid DESC"
SPACED_TAGS = """
    CASE WHEN tags = '[]' THEN '' ELSE (SELECT group_concat(' ' || value, '') FROM json_each(tags)) END
"""
TAGS = """
    SELECT tagged.value AS tag, count(*) AS n FROM runs, json_each(runs.tags) AS tagged
    WHERE runs.tags != '[]' GROUP BY tagged.value ORDER BY tagged.value
"""
HISTORIES = """
    SELECT runs.id, metrics.epoch, metrics.value
    FROM runs JOIN searches ON searches.id = runs.search_id
    JOIN series ON series.run_id = runs.id AND series.name = searches.metric
    JOIN metrics ON metrics.series_id = series.id
    WHERE runs.search_id = ? ORDER BY runs.trial, metrics.step
"""
