"""The supervisor's own row: who it is, when it was last alive, what the machine looked like."""

from dataclasses import asdict

from storage.family import Family
from storage.records import EngineStatus


class EngineRow(Family[EngineStatus]):
    record = EngineStatus
    as_json = frozenset({"slots", "machine"})
    as_tuple = frozenset({"slots"})

    def put(self, status: EngineStatus) -> None:
        values = {"only": 1} | self._plain(asdict(status))
        marks = ", ".join("?" * len(values))
        with self._transactions.transaction() as db:
            db.execute(f"INSERT OR REPLACE INTO engine ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def get(self) -> EngineStatus | None:
        """None while no supervisor runs."""
        return next(iter(self._rows("FROM engine")), None)

    def clear(self) -> None:
        with self._transactions.transaction() as db:
            db.execute("DELETE FROM engine")
