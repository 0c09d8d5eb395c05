"""Rows of data sets."""

from dataclasses import asdict

from storage.family import Family
from storage.records import Dataset


class Datasets(Family[Dataset]):
    record = Dataset
    as_json = frozenset({"classes", "counts", "set_aside", "notes"})
    as_tuple = frozenset({"classes", "set_aside", "notes"})

    def add(self, dataset: Dataset) -> None:
        """Register it; one with the same id is replaced."""
        values = self._plain(asdict(dataset))
        marks = ", ".join("?" * len(values))
        with self._store.transaction() as db:
            db.execute(f"INSERT OR REPLACE INTO datasets ({', '.join(values)}) VALUES ({marks})", list(values.values()))

    def get(self, dataset_id: str) -> Dataset:
        """
        Raises:
            KeyError: No such data set.
        """
        found = self._rows("FROM datasets WHERE id = ? OR name = ?", (dataset_id, dataset_id))
        if not found:
            raise KeyError(f"There is no data set {dataset_id!r}.")
        return found[0]

    def list(self) -> list[Dataset]:
        """Newest first."""
        return self._rows("FROM datasets ORDER BY created_at DESC, name")

    def delete(self, dataset_id: str) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM datasets WHERE id = ?", [dataset_id])
