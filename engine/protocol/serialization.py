"""Frozen dataclasses to JSON objects and back: a field's annotation says what its key may hold.

A key that is missing takes the field's default, or None where the annotation allows it; a key that no field has, as
newer code may write, is skipped.
"""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, Union, get_args, get_origin, get_type_hints

JsonObject = dict[str, Any]  # carried, not looked into: a spec, the settings of a trial, the record of a data set
LARGEST = 2**62  # SQLite holds no larger whole number


class Record(Protocol):
    """Any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


R = TypeVar("R", bound=Record)
Reader = Callable[[Any], Any]


class Malformed(ValueError):
    """JSON, but not what the field says; the text names the field."""


def key(name: str, **options: Any) -> Any:
    """A field whose key in JSON is another word than its own name."""
    return field(metadata={"key": name}, **options)


def key_of(one: Field[Any]) -> str:
    return str(one.metadata.get("key", one.name))


def to_json(record: Record) -> JsonObject:
    """What `from_json` reads. Left out is what says nothing: None or empty text where that is the default."""
    values = [(one, getattr(record, one.name)) for one in fields(record)]
    return {key_of(one): _plain(value) for one, value in values if value not in (None, "") or value != one.default}


def from_json(kind: type[R], values: object) -> R:
    """
    Raises:
        Malformed: No object, or a key is missing or holds something else than its field does.
    """
    if not isinstance(values, dict):
        raise Malformed(f"no object but {type(values).__name__}")
    found = {}
    for name, key, reader, is_needed in _readers(kind):
        try:
            if key in values:
                found[name] = reader(values[key])
            elif is_needed:
                found[name] = reader(None)
        except (ValueError, TypeError, OverflowError) as error:
            raise Malformed(f"{key}: {error}") from error
    return kind(**found)


def is_required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def read_json(kind: type[R], path: Path) -> R:
    """
    Raises:
        OSError: It is not there.
        Malformed: It holds something else.
    """
    try:
        values = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{path.name} is no JSON: {error}") from error
    return from_json(kind, values)


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return to_json(value)
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


@cache
def _readers(kind: type[Record]) -> list[tuple[str, str, Reader, bool]]:
    hints = get_type_hints(kind)
    return [(one.name, key_of(one), _reader(hints[one.name]), is_required(one)) for one in fields(kind)]


def _reader(hint: Any) -> Reader:
    """How a JSON value becomes one of the type that `hint` names."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda value: from_json(hint, value)
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        (other,) = (_reader(one) for one in inner if one is not types.NoneType)
        return lambda value: None if value is None else other(value)
    if origin is tuple and inner[-1] is not ...:
        return _fixed([_reader(one) for one in inner])
    one = _reader(inner[-1 if origin is dict else 0])
    if origin is dict:
        return lambda value: {_text(name): one(item) for name, item in _of(dict, value).items()}
    if origin is tuple:
        return lambda value: tuple(one(item) for item in _of(list, value))
    raise TypeError(f"no field of the protocol may be {hint}")


def _fixed(readers: list[Reader]) -> Reader:
    return lambda value: tuple(one(item) for one, item in zip(readers, _of(list, value), strict=True))


def _of(kind: Any, value: object) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{type(value).__name__} is not allowed here")
    return value


def _count(value: object) -> int:
    """A whole number from 0 on; as some writers have it with a point and a zero."""
    number = int(_of(int | float, value))
    if number != value or not 0 <= number < LARGEST:
        raise ValueError("no count")
    return number


def _number(value: object) -> float:
    return float(_of(int | float, value))


def _text(value: object) -> str:
    text: str = _of(str, value)
    text.encode()  # half a surrogate pair cannot be written down
    return text


def _flag(value: object) -> bool:
    if value not in (True, False):
        raise ValueError("neither true nor false")
    return bool(value)


_PLAIN: dict[Any, Reader] = {int: _count, float: _number, str: _text, bool: _flag, Any: lambda value: value}
