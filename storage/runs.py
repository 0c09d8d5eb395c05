"""Rows of runs, and the only moves between their states."""

import time
from collections.abc import Collection
from typing import Any

from storage.family import Family, assignments
from storage.ids import new_id
from storage.records import MOVES, Run, RunState


class Runs(Family[Run]):
    record = Run
    as_json = frozenset({"spec", "assignment"})

    @classmethod
    def _read(cls, row: dict[str, Any]) -> Run:
        return super()._read({**row, "state": RunState(row["state"])})

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
        """A new run, `more` being other columns; a trial comes with its id, and started.

        The same `key` again gives the run that was made first, so that two tabs start one.
        """
        run_id = run_id or new_id()
        values = self._plain(
            {
                "id": run_id,
                "name": name,
                "state": state,
                "spec": spec,
                "dataset_id": dataset_id,
                "search_id": search_id,
                "epochs": epochs,
                "created_at": time.time(),
                **more,
            }
        ) | {"key": key}
        marks = ", ".join("?" * len(values))
        with self._store.transaction() as db:
            db.execute(
                f"INSERT INTO runs ({', '.join(values)}) VALUES ({marks}) ON CONFLICT(key) DO NOTHING",
                list(values.values()),
            )
            return self._rows("FROM runs WHERE id = ? OR (key IS NOT NULL AND key = ?)", (run_id, key))[0]

    def get(self, run_id: str) -> Run:
        """
        Raises:
            KeyError: No such run.
        """
        found = self._rows("FROM runs WHERE id = ?", (run_id,))
        if not found:
            raise KeyError(f"There is no run {run_id}.")
        return found[0]

    def find(self, text: str) -> Run:
        """The run meant by an id, else by the name of just one run, else by the beginning of just one id.

        Raises:
            KeyError: None, or more than one, is meant.
        """
        found: list[Run] = []
        if text:
            found = (
                self._rows("FROM runs WHERE id = ?", (text,))
                or self._rows("FROM runs WHERE name = ? LIMIT 6", (text,))
                or self._rows("FROM runs WHERE id BETWEEN ? AND ? || '~' LIMIT 6", (text, text))  # an index finds these
            )
        if not found:
            raise KeyError(f"There is no run {text!r}.")
        if len(found) > 1:
            raise KeyError(f"Several runs are meant by {text!r}, say which: {', '.join(run.id for run in found)}.")
        return found[0]

    def queue(self) -> list[Run]:
        """Queued runs in the order in which they will start; trials are started by their search."""
        return self._rows("FROM runs WHERE state = 'queued' AND search_id IS NULL ORDER BY created_at, rowid")

    def children(self, run_id: str) -> list[Run]:
        """Runs that went on from a checkpoint of this one, oldest first."""
        return self._rows("FROM runs WHERE parent_id = ? ORDER BY created_at, rowid", (run_id,))

    def list(
        self,
        *,
        states: Collection[RunState] | None = None,
        search_id: str | None = None,
        text: str | None = None,
        alone: bool = False,
        limit: int = 500,
        offset: int = 0,
    ) -> list[Run]:
        """Runs, newest first; `text` is looked for in name, id and data set; `alone` leaves trials out."""
        where, values = ["1"], []
        if states is not None:
            where.append(f"state IN ({', '.join('?' * len(states))})")
            values += [str(state) for state in states]
        if search_id is not None:
            where.append("search_id = ?")
            values.append(search_id)
        if alone:
            where.append("search_id IS NULL")
        if text:
            where.append("instr(lower(name || ' ' || id || ' ' || dataset_id), lower(?)) > 0")
            values.append(text)
        return self._rows(
            f"FROM runs WHERE {' AND '.join(where)} ORDER BY created_at DESC, rowid DESC LIMIT ? OFFSET ?",
            [*values, limit, offset],
        )

    def count(self, *, alone: bool = False) -> dict[RunState, int]:
        """How many are in each state; `alone` leaves trials out."""
        where = "WHERE search_id IS NULL" if alone else ""
        with self._store.reading() as db:
            sql = f"SELECT state, count(*) AS n FROM runs {where} GROUP BY state"
            return {RunState(row["state"]): row["n"] for row in db.query(sql)}

    def names(self) -> set[str]:
        with self._store.reading() as db:
            return {row["name"] for row in db.query("SELECT name FROM runs")}

    def move(self, run_id: str, to: RunState, *, expect: Collection[RunState] | None = None, **values: Any) -> bool:
        """Compare-and-set along `MOVES`, setting `values` in the same statement. False: it was in another state."""
        sources = {state for state, targets in MOVES.items() if to in targets}
        if expect is not None:
            sources &= set(expect)
        if not sources:
            return False
        if to.is_over:
            values.setdefault("ended_at", time.time())
            values.setdefault("eta_s", None)
        if to is RunState.QUEUED:
            values = dict.fromkeys(("reason", "advice", "ended_at", "phase", "slot", "needs_bytes")) | values
        plain = self._plain({"state": to} | values)
        marks = ", ".join("?" * len(sources))
        with self._store.transaction() as db:
            cursor = db.execute(
                f"UPDATE runs SET {assignments(plain)} WHERE id = ? AND state IN ({marks})",
                [*plain.values(), run_id, *map(str, sources)],
            )
            return cursor.rowcount == 1

    def update(self, run_id: str, **values: Any) -> None:
        """Set columns; the state changes by `move` alone.

        Raises:
            ValueError: A name that is no column, or `state`.
        """
        if "state" in values:
            raise ValueError("a state changes by move()")
        plain = self._plain(values)
        with self._store.transaction() as db:
            db.execute(f"UPDATE runs SET {assignments(plain)} WHERE id = ?", [*plain.values(), run_id])

    def delete(self, run_id: str) -> None:
        """Remove the run and all rows that belong to it."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM runs WHERE id = ?", [run_id])
