"""What runs and searches share: rows with a name and a state, which wait in a queue and move between states."""

import time
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, ClassVar

from storage.family import Family, Record, assignments

QUEUED = "queued"


class Moving(Family[Record]):
    """A table of what is queued once, and then moves along `moves` alone."""

    table: ClassVar[str]
    noun: ClassVar[str]  # in the words of errors
    plural: ClassVar[str]
    states: ClassVar[type[StrEnum]]
    moves: ClassVar[Mapping[Any, frozenset[Any]]]  # state -> those that may follow
    cleared_queued: ClassVar[tuple[str, ...]]  # columns without a meaning for what waits
    cleared_over: ClassVar[tuple[str, ...]] = ()  # and for what is over

    @classmethod
    def _read(cls, row: dict[str, Any]) -> Record:
        return super()._read({**row, "state": cls.states(row["state"])})

    def _insert(self, values: dict[str, Any], key: str | None) -> Record:
        """A new row; the same `key` again gives the one that was made first, so that two tabs start one."""
        plain = self._plain({"created_at": time.time(), **values}) | {"key": key}
        marks = ", ".join("?" * len(plain))
        with self._transactions.transaction() as db:
            db.execute(
                f"INSERT INTO {self.table} ({', '.join(plain)}) VALUES ({marks}) ON CONFLICT(key) DO NOTHING",
                list(plain.values()),
            )
            sql = f"FROM {self.table} WHERE id = ? OR (key IS NOT NULL AND key = ?)"
            return self._rows(sql, (values["id"], key))[0]

    def get(self, id: str) -> Record:
        """
        Raises:
            KeyError: There is none.
        """
        found = self._rows(f"FROM {self.table} WHERE id = ?", (id,))
        if not found:
            raise KeyError(f"There is no {self.noun} {id}.")
        return found[0]

    def find(self, text: str) -> Record:
        """The one meant by an id, else by the name of just one, else by the beginning of just one id.

        Raises:
            KeyError: None, or more than one, is meant.
        """
        found: list[Any] = []
        if text:
            found = (
                self._rows(f"FROM {self.table} WHERE id = ?", (text,))
                or self._rows(f"FROM {self.table} WHERE name = ? LIMIT 6", (text,))
                or self._rows(f"FROM {self.table} WHERE id BETWEEN ? AND ? || '~' LIMIT 6", (text, text))  # by an index
            )
        if not found:
            raise KeyError(f"There is no {self.noun} {text!r}.")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise KeyError(f"Several {self.plural} are meant by {text!r}, say which: {ids}.")
        meant: Record = found[0]
        return meant

    def names(self) -> set[str]:
        with self._transactions.reading() as db:
            return {row["name"] for row in db.query(f"SELECT name FROM {self.table}")}

    def move(self, id: str, to: Any, *, expect: Collection[Any] | None = None, **values: Any) -> bool:
        """Compare-and-set along `moves`, setting `values` in the same statement. False: it was in another state."""
        sources = {state for state, targets in self.moves.items() if to in targets}
        if expect is not None:
            sources &= set(expect)
        if not sources:
            return False
        if to.is_over:
            values = {"ended_at": time.time()} | dict.fromkeys(self.cleared_over) | values
        if to == QUEUED:
            values = dict.fromkeys(self.cleared_queued) | values
        plain = self._plain({"state": to} | values)
        marks = ", ".join("?" * len(sources))
        with self._transactions.transaction() as db:
            cursor = db.execute(
                f"UPDATE {self.table} SET {assignments(plain)} WHERE id = ? AND state IN ({marks})",
                [*plain.values(), id, *map(str, sources)],
            )
            return cursor.rowcount == 1

    def update(self, id: str, **values: Any) -> None:
        """Set columns; the state changes by `move` alone.

        Raises:
            ValueError: A name that is no column, or `state`.
        """
        if "state" in values:
            raise ValueError("a state changes by move()")
        plain = self._plain(values)
        with self._transactions.transaction() as db:
            db.execute(f"UPDATE {self.table} SET {assignments(plain)} WHERE id = ?", [*plain.values(), id])

    def delete(self, id: str) -> None:
        """Remove it and all rows that belong to it."""
        with self._transactions.transaction() as db:
            db.execute(f"DELETE FROM {self.table} WHERE id = ?", [id])
