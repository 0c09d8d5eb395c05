"""Rows of searches."""

import time
from typing import Any

from storage.family import Family, assignments
from storage.ids import new_id
from storage.records import Search


class Searches(Family[Search]):
    record = Search
    as_json = frozenset({"spec"})

    def add(self, *, name: str, spec: dict[str, Any], state: str = "queued") -> Search:
        search = Search(id=new_id(), name=name, state=state, spec=spec, created_at=time.time())
        plain = self._plain({name: getattr(search, name) for name in self.columns()})
        with self._store.transaction() as db:
            db.execute(
                f"INSERT INTO searches ({', '.join(plain)}) VALUES ({', '.join('?' * len(plain))})",
                list(plain.values()),
            )
        return search

    def get(self, search_id: str) -> Search:
        """
        Raises:
            KeyError: No such search.
        """
        found = self._rows("FROM searches WHERE id = ?", (search_id,))
        if not found:
            raise KeyError(f"There is no search {search_id}.")
        return found[0]

    def list(self, *, limit: int = 500) -> list[Search]:
        """Newest first."""
        return self._rows("FROM searches ORDER BY created_at DESC LIMIT ?", (limit,))

    def update(self, search_id: str, **values: Any) -> None:
        plain = self._plain(values)
        with self._store.transaction() as db:
            db.execute(f"UPDATE searches SET {assignments(plain)} WHERE id = ?", [*plain.values(), search_id])
