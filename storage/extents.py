"""Series as a whole, of many runs at once: read from the coarsest buckets, so that their length costs nothing."""

import json
from collections.abc import Iterable, Mapping

from storage.metrics import FACTORS
from storage.records import Extent
from storage.transactions import Transactions


class Extents:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def of(self, run_ids: Iterable[str]) -> dict[str, dict[str, Extent]]:
        """Run id -> metric -> what its series came to. Runs that measured nothing are left out."""
        found: dict[str, dict[str, Extent]] = {}
        with self._transactions.reading() as db:
            for run_id, name, *values in db.execute(EXTENTS, [FACTORS[-1], json.dumps(list(run_ids))]):
                found.setdefault(run_id, {})[name] = Extent(name, *values)
        return found

    def at_epochs(self, epochs: Mapping[str, int], name: str) -> dict[str, float]:
        """Run id -> the value of a metric at the end of the epoch asked for of that run, where it has one."""
        with self._transactions.reading() as db:
            return dict(db.execute(AT_EPOCHS, [json.dumps(dict(epochs)), name]).fetchall())


EXTENTS = """
    SELECT run_id, name, n, low, high, mean, last, step FROM (
        SELECT s.run_id, s.name, sum(b.n) OVER whole AS n, min(b.low) OVER whole AS low, max(b.high) OVER whole AS high,
            sum(b.total) OVER whole / nullif(sum(b.n) OVER whole, 0) AS mean, b.last, b.step,
            row_number() OVER (PARTITION BY b.series_id ORDER BY b.bucket DESC) AS place
        FROM series AS s JOIN buckets AS b ON b.series_id = s.id AND b.factor = ?
        WHERE s.run_id IN (SELECT value FROM json_each(?))
        WINDOW whole AS (PARTITION BY b.series_id)
    ) WHERE place = 1 ORDER BY run_id, name
"""

AT_EPOCHS = """
    SELECT asked.key, m.value FROM json_each(?) AS asked
    JOIN series AS s ON s.run_id = asked.key AND s.name = ?
    JOIN metrics AS m ON m.series_id = s.id AND m.epoch = asked.value
    WHERE m.value IS NOT NULL ORDER BY m.step
"""
