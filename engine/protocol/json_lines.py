"""JSON lines in a file that only grows: how whatever trains or imports says everything else what it does."""

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from engine.protocol.serialization import from_json, to_json

EVENTS = "events.jsonl"  # in the folder of a run, a search or an import
ESCAPED = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}  # line ends to Python, though not to JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What every line says, beside its `kind`."""

    kind: ClassVar[str]

    at: float = field(default_factory=time.time)  # Unix seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown(Line):
    """A line of a kind that only newer code knows: nothing here depends on it."""

    kind: ClassVar[str] = ""


L = TypeVar("L", bound=Line)


class JsonLines:
    """Appends to a file of lines; what is not finite becomes null.

    `write` buffers and `flush` hands over, so that a burst of lines costs one system call.

    Raises:
        OSError: The file cannot be opened or written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab+")
        if self._file.tell() > 0:
            self._file.seek(-1, 2)
            if self._file.read(1) != b"\n":  # a killed attempt left half a line: it must not swallow our first one
                self._file.write(b"\n")

    @classmethod
    def events(cls, folder: Path) -> "JsonLines":
        """Those of the run, search or import of `folder`."""
        return cls(folder / EVENTS)

    def write(self, line: Line) -> None:
        values = _finite({"kind": line.kind, **to_json(line)})
        text = json.dumps(values, ensure_ascii=False, allow_nan=False).translate(ESCAPED)
        self._file.write(text.encode("utf-8", "replace") + b"\n")  # a file's name on a disk need not be valid Unicode

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read_lines(path: Path, kinds: Mapping[str, type[L]], offset: int = 0) -> Iterator[tuple[L | Unknown | None, int]]:
    """Whole lines from byte `offset` on, each with the byte where it ends; None is one that cannot be read.

    A file that is not there has no lines; half a line at the end is still to come.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(offset)
        for raw in file:
            if not raw.endswith(b"\n"):
                return
            offset += len(raw)
            yield parse_line(raw, kinds), offset


def parse_line(raw: bytes, kinds: Mapping[str, type[L]]) -> L | Unknown | None:
    """One line of these kinds; None where it is no JSON, or not what its kind says."""
    try:
        values = json.loads(raw)
        kind: type[L | Unknown] = kinds.get(values["kind"], Unknown)
        return from_json(kind, values)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
