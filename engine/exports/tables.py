"""The store's tables as other programs read them: flat columns of one kind each, and rows in pieces.

A piece is read by a connection of its own, so a table of any length passes through little memory, holds no lock, and
may be taken on by any thread.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.exports.columns import CHECKPOINT, DATASET, EVENT, POINT, SEARCH, Fields, Kind
from storage import Extent, Run, Store

Row = dict[str, Any]
Piece = dict[str, list[Any]]  # by column, all of one length; None where there is no value

ROWS = 500  # records a piece
POINTS = 50_000  # points a piece
GROUPS = ("given", "last", "lowest", "highest", "metrics", "spec")  # of columns that not every row has, in order


@dataclass(frozen=True, slots=True)
class Sheet:
    columns: dict[str, Kind]
    pieces: Callable[[], Iterator[Piece]]


def runs_sheet(store: Store, ids: Sequence[str], fields: Fields) -> Sheet:
    """A row a run: what it is, what every metric came to, and each of its settings in a column of its own."""

    def rows() -> Iterator[list[Row]]:
        for some in _in_pieces(ids):
            extents = store.extents.of(some)
            yield [_of_run(run, extents.get(run.id, {}), fields) for run in store.runs.some(some)]

    return _sheet(fields, rows)


def metrics_sheet(store: Store, ids: Sequence[str]) -> Sheet:
    """A row a point, as it was measured, run by run."""

    def pieces() -> Iterator[Piece]:
        for run in _runs(store, ids):
            for points in store.metrics.pages(run.id, POINTS):
                columns = [run.id] * len(points), [run.name] * len(points), *map(list, zip(*points, strict=True))
                yield dict(zip(POINT, columns, strict=True))

    return Sheet(POINT, pieces)


def checkpoints_sheet(store: Store, ids: Sequence[str]) -> Sheet:
    """A row a checkpoint that is kept, newest first within a run."""

    def rows() -> Iterator[list[Row]]:
        for run in _runs(store, ids):
            kept = store.checkpoints.list(run.id)
            yield [_row((run.name, one), CHECKPOINT) | _flat("metrics", one.metrics) for one in kept]

    return _sheet(CHECKPOINT, rows)


def events_sheet(store: Store, ids: Sequence[str] | None, search_id: str | None) -> Sheet:
    """A row an event: all of them in order, or those of some runs, run by run, after those of their search."""

    def rows() -> Iterator[list[Row]]:
        if ids is None:
            last = 0
            while found := store.events.after(last, limit=ROWS):
                last = found[-1].id
                yield [_row(one, EVENT) for one in found]
            return
        if search_id is not None:
            yield [_row(one, EVENT) for one in store.events.list(search_id=search_id, limit=-1)]
        for run_id in ids:
            yield [_row(one, EVENT) for one in store.events.list(run_id, limit=-1)]

    return _sheet(EVENT, rows)


def datasets_sheet(store: Store) -> Sheet:
    return _sheet(DATASET, lambda: iter([[_row(one, DATASET) for one in store.datasets.list()]]))


def searches_sheet(store: Store) -> Sheet:
    """A row a search: how it went, and each of its settings in a column of its own."""
    found = store.searches.list(limit=-1)
    return _sheet(SEARCH, lambda: iter([[_row(one, SEARCH) | _flat("spec", one.spec) for one in found]]))


def _sheet(fields: Fields, rows: Callable[[], Iterator[list[Row]]]) -> Sheet:
    """All rows are read twice: first for the columns that they have beside `fields`, and their kinds."""
    kinds: dict[str, set[Kind]] = {}
    for row in (one for some in rows() for one in some):
        for name in row.keys() - fields.keys():
            if row[name] is not None:
                kinds.setdefault(name, set()).add(_kind(row[name]))
    columns: dict[str, Kind] = {name: kind for name, (kind, _) in fields.items()}
    columns |= {name: _widest(kinds[name]) for name in sorted(kinds, key=_place)}

    def pieces() -> Iterator[Piece]:
        for some in rows():
            yield {name: [_cell(row.get(name), kind) for row in some] for name, kind in columns.items()}

    return Sheet(columns, pieces)


def _of_run(run: Run, extents: dict[str, Extent], fields: Fields) -> Row:
    results = {
        f"{group}.{name}": value
        for name, extent in extents.items()
        for group, value in (("last", extent.last), ("lowest", extent.low), ("highest", extent.high))
    }
    return _row(run, fields) | _flat("given", run.assignment or {}) | results | _flat("spec", run.spec)


def _runs(store: Store, ids: Sequence[str]) -> Iterator[Run]:
    for some in _in_pieces(ids):
        yield from store.runs.some(some)


def _in_pieces(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(ids), ROWS):
        yield ids[first : first + ROWS]


def _row(record: Any, fields: Fields) -> Row:
    return {name: of(record) for name, (_, of) in fields.items()}


def _flat(path: str, value: Any) -> Row:
    """{"a": {"b": 1}} as {"path.a.b": 1}; lists, and the space of a search, as JSON."""
    if isinstance(value, dict) and path != "spec.space":
        return {name: inner for key, one in value.items() for name, inner in _flat(f"{path}.{key}", one).items()}
    return {path: json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value}


def _place(name: str) -> tuple[int, str]:
    return GROUPS.index(name.partition(".")[0]), name


def _kind(value: Any) -> Kind:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int) and abs(value) < 2**63:
        return "whole"
    return "number" if isinstance(value, int | float) else "text"


def _widest(kinds: set[Kind]) -> Kind:
    """The one kind that can tell values of all of these."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return "number" if kinds == {"whole", "number"} else "text"


def _cell(value: Any, kind: Kind) -> Any:
    """`value` as its column tells it; None where it has become of another kind since the columns were settled."""
    if value is None or kind == _kind(value):
        return value
    if kind in ("number", "time") and isinstance(value, int | float):
        return float(value)
    return str(value) if kind == "text" else None
