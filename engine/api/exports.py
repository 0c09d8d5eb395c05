"""Tables of the store as CSV or Parquet, for spreadsheets and notebooks, written as they are read."""

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.api.runs import find_run
from engine.api.searches import find_search
from engine.errors import Problem, Refused
from engine.exports import tables
from engine.exports.columns import RUN, TRIAL, Kind
from engine.exports.tables import Sheet
from storage import Store

EXPORTS = {  # -> what a row of it is
    "runs": "a run, with its results and settings",
    "metrics": "a point of a metric, as it was measured",
    "trials": "a trial of a search, with what it was given, its results and settings",
    "checkpoints": "a checkpoint that is kept",
    "events": "a line about what happened",
    "datasets": "a data set",
    "searches": "a search, with its settings",
}
OF_RUNS = ("runs", "metrics", "checkpoints", "events")  # what may be asked of some runs alone
OF_SEARCHES = (*OF_RUNS, "trials")
EXPORT_FORMS = ("csv", "parquet")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one, when a cell begins so


def export(
    store: Store, what: str, form: str, *, runs: Collection[str] | None = None, search: str | None = None
) -> Iterator[bytes]:
    """The file of a table, piece by piece.

    Args:
        what: A key of EXPORTS.
        form: "csv" (UTF-8 with a mark that spreadsheets know it by) or "parquet".
        runs: Ids or names of those that it is wanted of; None: all.
        search: Of the trials of this search alone.

    Raises:
        NotFound: No such run or search.
        Refused: There is no such table or form, or it cannot be had of some runs alone.
    """
    if problems := _problems(what, form, runs, search):
        raise Refused(problems)
    search_id = None if search is None else find_search(store, search).id
    known = {run.id for run in store.runs.some(runs or ())}
    ids = None
    if runs is not None:  # one may be asked for twice, by id and by name
        ids = list(dict.fromkeys(one if one in known else find_run(store, one).id for one in runs))
    sheet = _sheet(store, what, ids, search_id)
    return _csv(sheet) if form == "csv" else _parquet(sheet)


def as_csv(table: Mapping[str, Sequence[Any]]) -> bytes:
    """A small table as the exports write theirs: spreadsheets read its Hangul, and run nothing in it as a formula.

    Args:
        table: Column to values, texts or numbers.
    """
    kinds: dict[str, Kind] = {
        name: "text" if any(isinstance(value, str) for value in values) else "number" for name, values in table.items()
    }
    plain = {name: [getattr(value, "item", lambda value=value: value)() for value in table[name]] for name in table}
    return b"".join(_csv(Sheet(kinds, lambda: iter([plain]))))


def _problems(what: str, form: str, runs: Collection[str] | None, search: str | None) -> list[Problem]:
    problems = []
    if what not in EXPORTS:
        problems.append(Problem("what", what, f"must be one of {', '.join(EXPORTS)}"))
    if form not in EXPORT_FORMS:
        problems.append(Problem("form", form, f"must be one of {', '.join(EXPORT_FORMS)}"))
    if runs is not None and what in EXPORTS and what not in OF_RUNS:
        problems.append(Problem("runs", ", ".join(runs), f"only {', '.join(OF_RUNS)} can be had of some runs"))
    if search is not None and what in EXPORTS and what not in OF_SEARCHES:
        problems.append(Problem("search", search, f"only {', '.join(OF_SEARCHES)} can be had of one search"))
    if runs is not None and search is not None:
        problems.append(Problem("search", search, "say either some runs or a search"))
    return problems


def _sheet(store: Store, what: str, runs: list[str] | None, search_id: str | None) -> Sheet:
    if what == "datasets":
        return tables.datasets_sheet(store)
    if what == "searches":
        return tables.searches_sheet(store)
    if what == "events" and runs is None and search_id is None:
        return tables.events_sheet(store, None, None)
    ids: Sequence[str] = store.runs.ids(search_id=search_id, trials=what == "trials") if runs is None else runs
    made: dict[str, Callable[[], Sheet]] = {
        "runs": lambda: tables.runs_sheet(store, ids, RUN),
        "trials": lambda: tables.runs_sheet(store, ids, TRIAL),
        "metrics": lambda: tables.metrics_sheet(store, ids),
        "checkpoints": lambda: tables.checkpoints_sheet(store, ids),
        "events": lambda: tables.events_sheet(store, ids, search_id),
    }
    return made[what]()


def _csv(sheet: Sheet) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(sheet.columns)
    yield b"\xef\xbb\xbf"  # else spreadsheets take Hangul for something else
    for piece in sheet.pieces():
        columns = [[CELLS[kind](value) for value in piece[name]] for name, kind in sheet.columns.items()]
        writer.writerows(zip(*columns, strict=True))
        yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode(errors="replace")


def _parquet(sheet: Sheet) -> Iterator[bytes]:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "truth": pyarrow.bool_(),
        "time": pyarrow.timestamp("ms", "UTC"),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in sheet.columns.items()])
    sink = _Sink()
    with ParquetWriter(sink, schema, compression="zstd") as writer:
        for piece in sheet.pieces():
            columns = [
                [_milliseconds(value) for value in piece[name]] if kind == "time" else piece[name]
                for name, kind in sheet.columns.items()
            ]
            arrays = [pyarrow.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


class _Sink(io.RawIOBase):
    """A file that is handed on as it is written."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def _milliseconds(at: float | None) -> int | None:
    return None if at is None else round(1000 * at)


def _text(value: str | None) -> str:
    """A text that would be run as a formula where a spreadsheet opens it is set apart by an apostrophe."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(FORMULA) else value


def _time(at: float | None) -> str:
    if at is None:
        return ""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: float | None) -> str:
    return "" if value is None else repr(value)


CELLS: dict[Kind, Callable[[Any], str]] = {
    "text": _text,
    "whole": _number,
    "number": _number,
    "truth": lambda value: "" if value is None else str(value).lower(),
    "time": _time,
}
