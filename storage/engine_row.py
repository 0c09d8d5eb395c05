"""The supervisor's own row: who it is, when it was last alive, what the machine looked like."""

from dataclasses import asdict

from storage.family import Family
from storage.records import EngineProcess, EngineStatus


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

    def process(self) -> EngineProcess | None:
        """The supervisor's process, of whichever version: readable before pending migrations are applied."""
        with self._transactions.reading() as db:
            if not db.table("engine").exists():  # an empty file
                return None
            row = db.execute("SELECT pid, pid_started, boot_id FROM engine").fetchone()
        return None if row is None else EngineProcess(*row)

    def clear(self) -> None:
        with self._transactions.transaction() as db:
            db.execute("DELETE FROM engine")
