"""A CSV that lists images: path,label and, if wanted, split. Relative paths begin at the CSV's own folder."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.data import names
from engine.data.imports.arrangement import PARTS, Arrangement, Place
from engine.data.imports.server_folder import read_file
from engine.errors import Unfit

COLUMNS = ("path", "label")
ADVICE = "Give it the columns path,label or path,label,split, one image a line."


class Listed:
    """The files that a CSV names, in its order.

    Raises:
        Unfit: It has not the columns, a line lacks a value or names an unknown part; the text names the line.
    """

    def __init__(self, source: Path) -> None:
        self.notes: list[str] = []
        self.folders: set[str] = set()
        self.paths: list[str] = []
        places: dict[str, Place] = {}
        rows = list(_rows(source))
        unnamed = "train" if any(row.part for row in rows) else ""
        for number, row in enumerate(rows):
            self.paths.append(str(source.parent / row.path))
            place = Place(number, row.path.lstrip("/"), name=row.label, split=row.part or unnamed)
            before = places.setdefault(place.id, place)
            if (before.name, before.split) != (place.name, place.split):
                lines = f"Lines {rows[before.file].line} and {row.line} of {source.name}"
                raise Unfit(f"{lines} list {row.path} with different labels or splits.", "Keep one of them.")
        if not places:
            raise Unfit(f"{source.name} lists no images.", ADVICE)
        if repeated := len(rows) - len(places):
            self.notes.append(f"Listed more than once: {names.counted(repeated, 'line')}.")
        self.files = [place.id for place in places.values()]
        ordered = sorted(places.values(), key=lambda one: one.id)
        self.arrangement = Arrangement(ordered, frozenset((one.split, one.name) for one in ordered), [])

    @property
    def size(self) -> int:
        """Bytes of all files that are there."""
        return sum(path.stat().st_size for path in map(Path, self.paths) if path.exists())

    def read(self, index: int) -> tuple[bytes, int]:
        """A file's bytes, and when it last changed in nanoseconds.

        Raises:
            Undecodable: It is missing, cannot be read, or is too large for an image.
        """
        return read_file(Path(self.paths[index]))

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # in the CSV, from 1
    path: str
    label: str
    part: str  # "train", "validation", "test", or ""


def _rows(source: Path) -> Iterator[Row]:
    lines = csv.reader(io.StringIO(_text(source), newline=""))
    try:
        header = [name.strip().casefold() for name in next(lines, [])]
        if any(name not in header for name in COLUMNS):
            raise Unfit(f"The first line of {source.name} is {','.join(header)[:80] or 'empty'}.", ADVICE)
        at = {name: header.index(name) for name in (*COLUMNS, "split") if name in header}
        for row in lines:
            if row:
                values = {name: row[place].strip() if place < len(row) else "" for name, place in at.items()}
                yield _row(f"Line {lines.line_num} of {source.name}", lines.line_num, values)
    except csv.Error as error:
        raise Unfit(f"Line {lines.line_num} of {source.name} is no CSV ({error}).", ADVICE) from None


def _row(where: str, line: int, values: dict[str, str]) -> Row:
    for name in COLUMNS:
        if not values[name]:
            raise Unfit(f"{where} has no {name}.", ADVICE)
    part = values.get("split", "").casefold()
    if part and part not in PARTS:
        allowed = ", ".join(PARTS)
        raise Unfit(f"{where}: split {names.shown(part)} is unknown.", f"Use one of {allowed}; empty is train.")
    # Spreadsheets on Windows write backslashes.
    return Row(line, values["path"].replace("\\", "/"), values["label"], PARTS.get(part, ""))


def _text(source: Path) -> str:
    for encoding in ("utf-8-sig", "cp949"):  # cp949: as spreadsheets on Korean Windows save it
        try:
            return source.read_bytes().decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Unfit(f"{source.name} is no text in UTF-8.", "Save it as CSV in UTF-8.")
