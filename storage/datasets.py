"""Rows of data sets."""

from dataclasses import asdict

from storage.family import Family, assignments
from storage.records import Dataset


class Datasets(Family[Dataset]):
    record = Dataset
    as_json = frozenset({"classes", "counts", "set_aside", "notes", "excluded"})
    as_tuple = frozenset({"classes", "set_aside", "notes", "excluded"})

    def add(self, dataset: Dataset) -> None:
        """Register it; one with the same id is replaced.

        Raises:
            sqlite3.IntegrityError: Its name is that of another data set.
        """
        values = self._plain(asdict(dataset))
        marks = ", ".join("?" * len(values))
        with self._transactions.transaction() as db:
            # Not INSERT OR REPLACE: that would also remove another data set that bears the name.
            db.execute(
                f"INSERT INTO datasets ({', '.join(values)}) VALUES ({marks}) "
                f"ON CONFLICT(id) DO UPDATE SET {assignments(values)}",
                [*values.values(), *values.values()],
            )

    def get(self, text: str) -> Dataset:
        """The data set of an id, or else of a name.

        Raises:
            KeyError: No such data set.
        """
        found = self._rows("FROM datasets WHERE id = ? OR name = ? ORDER BY id = ? DESC", (text, text, text))
        if not found:
            raise KeyError(f"There is no data set {text!r}.")
        return found[0]

    def list(self) -> list[Dataset]:
        """Newest first."""
        return self._rows("FROM datasets ORDER BY created_at DESC, name")

    def delete(self, dataset_id: str) -> None:
        with self._transactions.transaction() as db:
            db.execute("DELETE FROM datasets WHERE id = ?", [dataset_id])
