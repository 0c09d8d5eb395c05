"""What every table family shares: its store, and records from and to rows."""

import json
from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from storage.transactions import Transactions

Record = TypeVar("Record")


class Family(Generic[Record]):
    """A table whose columns are named like the fields of its record."""

    record: ClassVar[type]
    as_json: ClassVar[frozenset[str]] = frozenset()  # columns that hold JSON
    as_tuple: ClassVar[frozenset[str]] = frozenset()  # JSON lists that the record holds as tuples

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @classmethod
    def columns(cls) -> list[str]:
        return [field.name for field in fields(cls.record)]

    @classmethod
    def selected(cls) -> str:
        return ", ".join(f'"{name}"' for name in cls.columns())

    def _rows(self, where: str = "", values: Iterable[Any] = ()) -> list[Record]:
        """Records of `SELECT ... FROM table <where>`."""
        with self._transactions.reading() as db:
            return [self._read(row) for row in db.query(f"SELECT {self.selected()} {where}", list(values))]

    @classmethod
    def _read(cls, row: dict[str, Any]) -> Record:
        for name in cls.as_json:
            row[name] = json.loads(row[name])
        for name in cls.as_tuple:
            row[name] = tuple(row[name])
        record: Record = cls.record(**row)
        return record

    @classmethod
    def _plain(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Column values as SQLite stores them.

        Raises:
            ValueError: A name that is no column.
        """
        if unknown := set(values) - set(cls.columns()):
            raise ValueError(f"no such column: {', '.join(sorted(unknown))}")
        return {
            name: json.dumps(value, ensure_ascii=False)
            if name in cls.as_json
            else str(value)
            if isinstance(value, StrEnum)
            else value
            for name, value in values.items()
        }


def assignments(values: dict[str, Any]) -> str:
    """`"a" = ?, "b" = ?` for the names of `values`."""
    return ", ".join(f'"{name}" = ?' for name in values)
