"""Rows of checkpoints: what a run wrote and still keeps."""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from storage.family import Family
from storage.records import Checkpoint, mode_of


class Checkpoints(Family[Checkpoint]):
    record = Checkpoint
    as_json = frozenset({"metrics"})

    @classmethod
    def _read(cls, row: dict[str, Any]) -> Checkpoint:
        return super()._read({name: bool(value) if name.startswith("is_") else value for name, value in row.items()})

    def add(self, checkpoint: Checkpoint) -> None:
        """Store it as the run's last, and as its best when it says so; the one written again is replaced."""
        values = self._plain(asdict(checkpoint)) | {"is_last": 1}
        marks = ", ".join("?" * len(values))
        with self._transactions.transaction() as db:
            db.execute("UPDATE checkpoints SET is_last = 0 WHERE run_id = ?", [checkpoint.run_id])
            if checkpoint.is_best:
                db.execute("UPDATE checkpoints SET is_best = 0 WHERE run_id = ?", [checkpoint.run_id])
            db.execute(
                f"INSERT OR REPLACE INTO checkpoints ({', '.join(values)}) VALUES ({marks})", list(values.values())
            )

    def list(self, run_id: str) -> list[Checkpoint]:
        """Newest first."""
        return self._rows("FROM checkpoints WHERE run_id = ? ORDER BY step DESC, epoch DESC", (run_id,))

    def best_of(self, run_ids: Iterable[str]) -> dict[str, Checkpoint]:
        """The best checkpoint of each of these runs, of one that keeps none marked so the last; by run id."""
        sql = "FROM checkpoints WHERE run_id IN (SELECT value FROM json_each(?)) ORDER BY is_best, step"
        return {one.run_id: one for one in self._rows(sql, [json.dumps(list(run_ids))])}

    def get(self, run_id: str, which: str | int) -> Checkpoint:
        """The "best", the "last", that of a completed epoch ("12"), or by the name of its folder ("e0012-s0003456").

        Raises:
            KeyError: The run keeps no such checkpoint.
        """
        column = {"best": "is_best = 1", "last": "is_last = 1"}.get(str(which))
        if column:
            found = self._rows(f"FROM checkpoints WHERE run_id = ? AND {column}", (run_id,))
        elif str(which).isdecimal():
            found = [one for one in self.list(run_id) if one.is_whole and one.epoch == int(which)]
        elif re.fullmatch(r"e\d+(-s\d+)?", str(which)):
            found = [one for one in self.list(run_id) if one.name == which]
        else:
            raise KeyError(f"{which!r} names no checkpoint: say best, last, an epoch or a name as e0012.")
        if not found:
            kept = ", ".join(str(one.epoch) if one.is_whole else one.name for one in reversed(self.list(run_id)))
            raise KeyError(f"Run {run_id} keeps no checkpoint {which!r}; epochs kept: {kept or 'none'}.")
        return found[0]

    def pin(self, run_id: str, path: str, pinned: bool) -> None:
        with self._transactions.transaction() as db:
            db.execute(
                "UPDATE checkpoints SET is_pinned = ? WHERE run_id = ? AND path = ?", [int(pinned), run_id, path]
            )

    def rewind(self, run_id: str, step: int) -> None:
        """Forget checkpoints beyond `step`: the run goes on from there."""
        for one in self.list(run_id):
            if one.step > step:
                self.forget(run_id, one.path)

    def forget(self, run_id: str, path: str) -> None:
        """Remove the row of a checkpoint whose files are gone; of those left one becomes the last, one the best."""
        with self._transactions.transaction() as db:
            db.execute("DELETE FROM checkpoints WHERE run_id = ? AND path = ?", [run_id, path])
            left = self.list(run_id)
            if left and not any(one.is_last for one in left):
                db.execute("UPDATE checkpoints SET is_last = 1 WHERE run_id = ? AND path = ?", [run_id, left[0].path])
            if left and not any(one.is_best for one in left):
                judged_by = db.execute("SELECT metric FROM runs WHERE id = ?", [run_id]).fetchone()[0]
                order = "ASC" if mode_of(judged_by) == "min" else "DESC"
                db.execute(FIRST_IS_BEST.format(order=order), [run_id, judged_by, run_id])


# By the run's own metric; of equals the earliest. A checkpoint left in mid-epoch has no value and is never the best.
FIRST_IS_BEST = """
    UPDATE checkpoints SET is_best = 1 WHERE run_id = ? AND path = (
        SELECT c.path FROM checkpoints AS c
        JOIN json_each(c.metrics) AS judged ON judged.key = ?
        WHERE c.run_id = ? AND judged.value IS NOT NULL
        ORDER BY judged.value {order}, c.step LIMIT 1
    )
"""
