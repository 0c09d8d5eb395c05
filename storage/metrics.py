"""Metric points and, above them, a pyramid of buckets, so that a chart of any length reads at most ~1,000 points."""

import math
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from storage.records import MetricPoint, Series

if TYPE_CHECKING:
    from storage.store import Store

FACTORS = (8, 64, 512, 4096)  # steps a bucket; each level is made from the one before


class Metrics:
    def __init__(self, store: "Store") -> None:
        self._store = store

    def add(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """Store points and bring the buckets above them up to date. A step given again replaces the earlier value."""
        by_name = sorted(points, key=attrgetter("name", "step"))
        with self._store.transaction() as db:
            for name, of_name in groupby(by_name, key=attrgetter("name")):
                rows = [(one.step, one.epoch, _finite(one.value), one.at) for one in of_name]
                series_id = _series_id(db, run_id, name)
                db.conn.executemany(
                    "INSERT OR REPLACE INTO metrics (series_id, step, epoch, value, at) VALUES (?, ?, ?, ?, ?)",
                    [(series_id, *row) for row in rows],
                )
                _rebuild(db, series_id, first_step=rows[0][0], last_step=rows[-1][0])

    def names(self, run_id: str) -> list[str]:
        with self._store.reading() as db:
            return [row["name"] for row in db.query("SELECT name FROM series WHERE run_id = ? ORDER BY name", [run_id])]

    def count(self, run_id: str, name: str) -> int:
        with self._store.reading() as db:
            sql = f"SELECT count(*) AS n FROM metrics WHERE series_id = {SERIES_ID}"
            return next(iter(db.query(sql, [run_id, name])))["n"]

    def last(self, run_id: str) -> dict[str, MetricPoint]:
        """The newest point of every metric of a run."""
        with self._store.reading() as db:
            return {row["name"]: MetricPoint(**row) for row in db.query(LAST_POINTS, [run_id])}

    def best(self, run_id: str, name: str, mode: str = "max") -> MetricPoint | None:
        """The highest ("max") or lowest ("min") point, the earliest of equals; None while there is none."""
        order = "DESC" if mode == "max" else "ASC"
        with self._store.reading() as db:
            rows = db.query(
                f"SELECT ? AS name, step, epoch, value, at FROM metrics WHERE series_id = {SERIES_ID} "
                f"AND value IS NOT NULL ORDER BY value {order}, step LIMIT 1",
                [name, run_id, name],
            )
            return next((MetricPoint(**row) for row in rows), None)

    def series(
        self,
        run_id: str,
        name: str,
        *,
        first_step: int | None = None,
        last_step: int | None = None,
        limit: int = 1000,
    ) -> Series:
        """One line over a window of steps, at the finest level that has at most `limit` points (or the coarsest)."""
        first = 0 if first_step is None else first_step
        last = 2**62 if last_step is None else last_step
        with self._store.reading() as db:
            found = list(db.query("SELECT id FROM series WHERE run_id = ? AND name = ?", [run_id, name]))
            if not found:
                return Series(name=name, factor=1, steps=[], values=[], lows=[], highs=[], epochs=[], at=[])
            for factor in (1, *FACTORS):
                window = [found[0]["id"], *([] if factor == 1 else [factor]), first // factor, last // factor]
                sql = RAW if factor == 1 else BUCKETED
                rows = db.execute(f"{sql} LIMIT {limit + 1 if factor < FACTORS[-1] else -1}", window).fetchall()
                if len(rows) <= limit:
                    break
        columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], [], [], []]
        steps, epochs, at, values, lows, highs = columns
        return Series(
            name=name, factor=factor, steps=steps, values=values, lows=lows, highs=highs, epochs=epochs, at=at
        )

    def copy(self, run_id: str, to: str, *, last_step: int) -> None:
        """Give the run `to` this one's points up to `last_step`: it goes on from there."""
        with self._store.transaction() as db:
            for row in list(db.query("SELECT id, name FROM series WHERE run_id = ?", [run_id])):
                series_id = _series_id(db, to, row["name"])
                db.execute(COPY, [series_id, row["id"], last_step])
                _rebuild(db, series_id, first_step=0, last_step=None)
            db.execute(EMPTY_SERIES, [to])

    def rewind(self, run_id: str, step: int) -> None:
        """Forget points beyond `step`: a new attempt goes on from there."""
        with self._store.transaction() as db:
            for row in list(db.query("SELECT id FROM series WHERE run_id = ?", [run_id])):
                db.execute("DELETE FROM metrics WHERE series_id = ? AND step > ?", [row["id"], step])
                _rebuild(db, row["id"], first_step=step + 1, last_step=None)
            db.execute(EMPTY_SERIES, [run_id])


def _rebuild(db: Database, series_id: int, *, first_step: int, last_step: int | None) -> None:
    """Make the buckets that cover a range of steps again from the level below: right whatever happened there."""
    last = 2**62 if last_step is None else last_step
    for factor in FACTORS:
        window = [series_id, factor, first_step // factor, last // factor]
        db.execute("DELETE FROM buckets WHERE series_id = ? AND factor = ? AND bucket BETWEEN ? AND ?", window)
        bounds = [first_step // factor * factor, (last // factor + 1) * factor - 1]
        if factor == FACTORS[0]:
            db.execute(FROM_RAW, [factor, factor, series_id, *bounds, series_id])
        else:
            finer = factor // FACTORS[0]
            of_finer = [bounds[0] // finer, bounds[1] // finer]
            db.execute(FROM_FINER, [factor, FACTORS[0], series_id, finer, *of_finer, series_id])


def _series_id(db: Database, run_id: str, name: str) -> int:
    db.execute("INSERT INTO series (run_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING", [run_id, name])
    row: Any = db.execute("SELECT id FROM series WHERE run_id = ? AND name = ?", [run_id, name]).fetchone()
    return int(row[0])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


SERIES_ID = "(SELECT id FROM series WHERE run_id = ? AND name = ?)"

RAW = """
    SELECT step, epoch, at, value, value, value FROM metrics
    WHERE series_id = ? AND step BETWEEN ? AND ? ORDER BY step
"""

BUCKETED = """
    SELECT step, epoch, at, total / nullif(n, 0), low, high FROM buckets
    WHERE series_id = ? AND factor = ? AND bucket BETWEEN ? AND ? ORDER BY bucket
"""

LAST_POINTS = """
    SELECT series.name, m.step, m.epoch, m.value, m.at FROM series
    JOIN metrics AS m ON m.series_id = series.id
        AND m.step = (SELECT max(step) FROM metrics WHERE series_id = series.id)
    WHERE series.run_id = ? ORDER BY series.name
"""

COPY = """
    INSERT INTO metrics (series_id, step, epoch, value, at)
    SELECT ?, step, epoch, value, at FROM metrics WHERE series_id = ? AND step <= ?
"""

EMPTY_SERIES = """
    DELETE FROM series WHERE run_id = ?
    AND NOT EXISTS (SELECT 1 FROM metrics WHERE series_id = series.id)
"""

# `last`, epoch and time are those of the bucket's newest raw point: joined by its step.
FROM_RAW = """
    INSERT INTO buckets (series_id, factor, bucket, step, epoch, at, low, high, total, n, last)
    SELECT m.series_id, ?, b.bucket, m.step, m.epoch, m.at, b.low, b.high, b.total, b.n, m.value
    FROM (
        SELECT step / ? AS bucket, max(step) AS step, min(value) AS low, max(value) AS high,
            sum(value) AS total, count(value) AS n
        FROM metrics WHERE series_id = ? AND step BETWEEN ? AND ? GROUP BY 1
    ) AS b
    JOIN metrics AS m ON m.series_id = ? AND m.step = b.step
"""

FROM_FINER = """
    INSERT INTO buckets (series_id, factor, bucket, step, epoch, at, low, high, total, n, last)
    SELECT m.series_id, ?, b.bucket, m.step, m.epoch, m.at, b.low, b.high, b.total, b.n, m.value
    FROM (
        SELECT bucket / ? AS bucket, max(step) AS step, min(low) AS low, max(high) AS high,
            sum(total) AS total, sum(n) AS n
        FROM buckets WHERE series_id = ? AND factor = ? AND bucket BETWEEN ? AND ? GROUP BY 1
    ) AS b
    JOIN metrics AS m ON m.series_id = ? AND m.step = b.step
"""
