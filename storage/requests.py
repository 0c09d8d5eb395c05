"""Rows of requests: what users ask the supervisor to do."""

import time
from typing import Any

from storage.family import Family, assignments
from storage.ids import new_id
from storage.records import Request


class Requests(Family[Request]):
    record = Request
    as_json = frozenset({"payload"})

    def add(self, kind: str, target: str, payload: dict[str, Any] | None = None, *, key: str | None = None) -> Request:
        """A pending request.

        Args:
            kind: As the supervisor knows it: stop_run, import_dataset, ...
            target: Id of a run, a search or a data set.
            payload: What else it says, as plain values.
            key: The same again gives the request that was made first.
        """
        request_id = new_id()
        values = self._plain(
            {
                "id": request_id,
                "kind": kind,
                "target": target,
                "payload": payload or {},
                "state": "pending",
                "created_at": time.time(),
            }
        ) | {"key": key}
        marks = ", ".join("?" * len(values))
        with self._transactions.transaction() as db:
            db.execute(
                f"INSERT INTO requests ({', '.join(values)}) VALUES ({marks}) ON CONFLICT(key) DO NOTHING",
                list(values.values()),
            )
            return self._rows("FROM requests WHERE id = ? OR (key IS NOT NULL AND key = ?)", (request_id, key))[0]

    def get(self, request_id: str) -> Request:
        """
        Raises:
            KeyError: No such request.
        """
        found = self._rows("FROM requests WHERE id = ?", (request_id,))
        if not found:
            raise KeyError(f"There is no request {request_id}.")
        return found[0]

    def open(self) -> list[Request]:
        """Pending and running ones, oldest first."""
        return self._rows("FROM requests WHERE state IN ('pending', 'running') ORDER BY created_at, rowid")

    def list(self, kind: str | None = None, *, limit: int = 50) -> list[Request]:
        """Newest first."""
        where, values = ("WHERE kind = ?", [kind]) if kind else ("", [])
        return self._rows(f"FROM requests {where} ORDER BY created_at DESC, rowid DESC LIMIT ?", [*values, limit])

    def update(self, request_id: str, **values: Any) -> None:
        plain = self._plain(values)
        with self._transactions.transaction() as db:
            db.execute(f"UPDATE requests SET {assignments(plain)} WHERE id = ?", [*plain.values(), request_id])

    def finish(self, request_id: str, state: str, message: str | None = None) -> None:
        """End it as "done" or "refused"; for a refused one `message` says why."""
        self.update(request_id, state=state, message=message, eta_s=None, ended_at=time.time())

    def forget(self, request_id: str) -> None:
        with self._transactions.transaction() as db:
            db.execute("DELETE FROM requests WHERE id = ?", [request_id])
