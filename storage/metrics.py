"""Metric points and, above them, a pyramid of buckets, so that a chart of any length reads at most ~1,000 points."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from storage.records import MetricPoint, Series
from storage.sqlite import Database
from storage.transactions import Transactions

FACTORS = (8, 64, 512, 4096)  # steps a bucket; each level is made from the one before
EVERYTHING = (0, 2**62)  # first and last step


class Metrics:
    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(self, run_id: str, points: Iterable[MetricPoint]) -> None:
        """Store points and bring the buckets above them up to date. A step given again replaces the earlier value."""
        by_name = sorted(points, key=attrgetter("name", "step"))
        with self._transactions.transaction() as db:
            for name, of_name in groupby(by_name, key=attrgetter("name")):
                rows = [(one.step, one.epoch, _finite(one.value), one.at) for one in of_name]
                series_id = _series_id(db, run_id, name)
                db.conn.executemany(
                    "INSERT OR REPLACE INTO metrics (series_id, step, epoch, value, at) VALUES (?, ?, ?, ?, ?)",
                    [(series_id, *row) for row in rows],
                )
                _rebuild(db, series_id, first_step=rows[0][0], last_step=rows[-1][0])

    def names(self, run_id: str) -> list[str]:
        with self._transactions.reading() as db:
            return [row["name"] for row in db.query("SELECT name FROM series WHERE run_id = ? ORDER BY name", [run_id])]

    def count(self, run_id: str, name: str) -> int:
        with self._transactions.reading() as db:
            sql = f"SELECT count(*) AS n FROM metrics WHERE series_id = {SERIES_ID}"
            return next(iter(db.query(sql, [run_id, name])))["n"]

    def last(self, run_id: str) -> dict[str, MetricPoint]:
        """The newest point of every metric of a run."""
        with self._transactions.reading() as db:
            return {row["name"]: MetricPoint(**row) for row in db.query(LAST_POINTS, [run_id])}

    def best(self, run_id: str, name: str, mode: str = "max") -> MetricPoint | None:
        """The highest ("max") or lowest ("min") point, the earliest of equals; None while there is none."""
        order = "DESC" if mode == "max" else "ASC"
        with self._transactions.reading() as db:
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
        """One line over a window of steps.

        Args:
            name: Of the metric.
            first_step: None: from its beginning.
            last_step: None: to its end.
            limit: It is read at the finest level that has at most so many points (or the coarsest).
        """
        first = EVERYTHING[0] if first_step is None else first_step
        last = EVERYTHING[1] if last_step is None else last_step
        with self._transactions.reading() as db:
            found = list(db.query("SELECT id FROM series WHERE run_id = ? AND name = ?", [run_id, name]))
            if not found:
                return Series(name=name, factor=1, steps=[], values=[], lows=[], highs=[], epochs=[], at=[])
            for factor in (1, *FACTORS):
                window = [found[0]["id"], *([] if factor == 1 else [factor]), first // factor, last // factor]
                sql = RAW if factor == 1 else BUCKETED
                # counting is a tenth of reading: a level that is too fine costs little
                counted = f"SELECT count(*) FROM (SELECT 1 {sql} LIMIT {limit + 1})"
                if factor == FACTORS[-1] or db.execute(counted, window).fetchone()[0] <= limit:
                    break
            columns = COLUMNS if factor == 1 else BUCKET_COLUMNS
            rows = db.execute(f"SELECT {columns} {sql} ORDER BY step", window).fetchall()
        return _line(name, factor, rows)

    def lines(
        self,
        run_ids: Iterable[str],
        name: str,
        *,
        windows: Mapping[str, tuple[int, int]] | None = None,
        limit: int = 1000,
    ) -> dict[str, Series]:
        """One metric of many runs by run id, in a query a level however many they are; runs without it are left out.

        Args:
            name: Of the metric.
            windows: First and last step by run id, for those of which only a part is needed.
            limit: Each line comes at the finest level that has at most so many points (or the coarsest): a level's
                buckets lie at multiples of its factor, so they stay as they are when points come after them.
        """
        ranges = {run_id: (windows or {}).get(run_id, EVERYTHING) for run_id in run_ids}
        with self._transactions.reading() as db:
            by_factor: dict[int, list[list[int]]] = {}
            owners: dict[int, str] = {}
            values = [limit + 1, name, json.dumps(list(ranges))]
            for run_id, series_id, points, first, last in db.execute(LENGTHS, values):
                begin, end = max(ranges[run_id][0], first), min(ranges[run_id][1], last)
                owners[series_id] = run_id
                by_factor.setdefault(_level(points, end - begin + 1, limit), []).append([series_id, begin, end])
            found: dict[str, Series] = {}
            for factor, requested in by_factor.items():
                sql = RAW_OF_MANY if factor == 1 else BUCKETED_OF_MANY.format(factor=factor)
                rows = db.execute(sql, [json.dumps(requested)]).fetchall()
                for series_id, of_series in groupby(rows, key=itemgetter(0)):
                    found[owners[series_id]] = _line(name, factor, [row[1:] for row in of_series])
        return {run_id: found[run_id] for run_id in ranges if run_id in found}

    def after(self, run_id: str, steps: Mapping[str, int], *, limit: int) -> list[MetricPoint]:
        """The next points of a run, in the order of their steps: of each metric those beyond its step in `steps`."""
        with self._transactions.reading() as db:
            return [MetricPoint(**row) for row in db.query(NEXT, [json.dumps(dict(steps)), run_id, limit])]

    def pages(self, run_id: str, size: int) -> Iterator[list[tuple[Any, ...]]]:
        """All points of a run as (name, step, epoch, value, at), metric by metric, `size` of them at a time."""
        last = (0, -1)
        while True:
            with self._transactions.reading() as db:
                rows = db.execute(PAGE, [run_id, *last, size]).fetchall()
            if not rows:
                return
            yield [row[1:] for row in rows]
            last = (rows[-1][0], rows[-1][2])

    def copy(self, run_id: str, to: str, *, last_step: int) -> None:
        """Give the run `to` this one's points up to `last_step`: it goes on from there."""
        with self._transactions.transaction() as db:
            for row in list(db.query("SELECT id, name FROM series WHERE run_id = ?", [run_id])):
                series_id = _series_id(db, to, row["name"])
                db.execute(COPY, [series_id, row["id"], last_step])
                _rebuild(db, series_id, first_step=0, last_step=None)
            db.execute(EMPTY_SERIES, [to])

    def rewind(self, run_id: str, step: int) -> None:
        """Forget points beyond `step`: a new attempt goes on from there."""
        with self._transactions.transaction() as db:
            for row in list(db.query("SELECT id FROM series WHERE run_id = ?", [run_id])):
                db.execute("DELETE FROM metrics WHERE series_id = ? AND step > ?", [row["id"], step])
                _rebuild(db, row["id"], first_step=step + 1, last_step=None)
            db.execute(EMPTY_SERIES, [run_id])


def _line(name: str, factor: int, rows: Sequence[Sequence[Any]]) -> Series:
    """Rows of (step, epoch, at, value, low, high) as columns."""
    steps, epochs, at, values, lows, highs = [list(one) for one in zip(*rows, strict=True)] or [[] for _ in range(6)]
    return Series(name=name, factor=factor, steps=steps, values=values, lows=lows, highs=highs, epochs=epochs, at=at)


def _level(points: int, steps: int, limit: int) -> int:
    """The finest factor at which `points` spread over so many steps make at most `limit` buckets."""
    fits = (factor for factor in (1, *FACTORS) if min(points, steps // factor + 1) <= limit)
    return next(fits, FACTORS[-1])


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

COLUMNS = "step, epoch, at, value, value, value"
RAW = "FROM metrics WHERE series_id = ? AND step BETWEEN ? AND ?"

BUCKET_COLUMNS = "step, epoch, at, total / nullif(n, 0), low, high"
BUCKETED = "FROM buckets WHERE series_id = ? AND factor = ? AND bucket BETWEEN ? AND ?"

# Points are counted no further than matters; buckets cannot tell: they count finite values alone.
LENGTHS = """
    SELECT s.run_id, s.id, (SELECT count(*) FROM (SELECT 1 FROM metrics WHERE series_id = s.id LIMIT ?)),
        min(b.bucket) * b.factor, max(b.step) FROM series AS s
    JOIN buckets AS b ON b.series_id = s.id AND b.factor = 512
    WHERE s.name = ? AND s.run_id IN (SELECT value FROM json_each(?)) GROUP BY s.id
"""

# of series, first and last step: [[id, first, last], ...]
RAW_OF_MANY = """
    SELECT m.series_id, m.step, m.epoch, m.at, m.value, m.value, m.value FROM json_each(?) AS piece
    JOIN metrics AS m ON m.series_id = piece.value ->> 0 AND m.step BETWEEN piece.value ->> 1 AND piece.value ->> 2
    ORDER BY piece.key, m.step
"""

BUCKETED_OF_MANY = """
    SELECT b.series_id, b.step, b.epoch, b.at, b.total / nullif(b.n, 0), b.low, b.high FROM json_each(?) AS piece
    JOIN buckets AS b ON b.series_id = piece.value ->> 0 AND b.factor = {factor}
        AND b.bucket BETWEEN (piece.value ->> 1) / {factor} AND (piece.value ->> 2) / {factor}
    ORDER BY piece.key, b.bucket
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

NEXT = """
    WITH known AS (SELECT key AS name, value AS step FROM json_each(?))
    SELECT s.name, m.step, m.epoch, m.value, m.at FROM series AS s LEFT JOIN known ON known.name = s.name
    JOIN metrics AS m ON m.series_id = s.id AND m.step > coalesce(known.step, -1)
    WHERE s.run_id = ? ORDER BY m.step, s.name LIMIT ?
"""

PAGE = """
    SELECT m.series_id, s.name, m.step, m.epoch, m.value, m.at FROM series AS s JOIN metrics AS m ON m.series_id = s.id
    WHERE s.run_id = ? AND (m.series_id, m.step) > (?, ?) ORDER BY m.series_id, m.step LIMIT ?
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
