"""A CSV that lists images: path,label and, if wanted, split. Relative paths begin at the CSV's own folder."""

import csv
from collections.abc import Iterator
from pathlib import Path

from engine.data.arrangement import PARTS, Arrangement, Place
from engine.data.server_folder import read_file
from engine.errors import Unfit

COLUMNS = ("path", "label")
MOST_ROWS = 2_000_000
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
        for number, (path, label, part) in enumerate(_rows(source)):
            found = Path(path) if Path(path).is_absolute() else source.parent / path
            self.paths.append(str(found))
            place = Place(number, path.replace("\\", "/").lstrip("/"), name=label, split=part)
            if place.id in places and places[place.id].name != label:
                raise Unfit(
                    f"{source.name} lists {path} as {places[place.id].name} and as {label}.", "Keep one of them."
                )
            places[place.id] = place
        if not places:
            raise Unfit(f"{source.name} lists no images.", ADVICE)
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


def _rows(source: Path) -> Iterator[tuple[str, str, str]]:
    try:
        text = source.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = source.read_text(encoding="cp949")  # as spreadsheets on Korean Windows save it
        except UnicodeDecodeError:
            raise Unfit(f"{source.name} is no text in UTF-8.", "Save it as CSV in UTF-8.") from None
    lines = csv.reader(text.splitlines())
    header = [name.strip().casefold() for name in next(lines, [])]
    if any(name not in header for name in COLUMNS):
        raise Unfit(f"The first line of {source.name} is {','.join(header)[:80] or 'empty'}.", ADVICE)
    at = {name: header.index(name) for name in (*COLUMNS, "split") if name in header}
    for row in lines:
        if len(row) == 0:
            continue
        values = {name: row[place].strip() if place < len(row) else "" for name, place in at.items()}
        for name in COLUMNS:
            if not values[name]:
                raise Unfit(f"Line {lines.line_num} of {source.name} has no {name}.", ADVICE)
        part = values.get("split", "").casefold()
        if part and part not in PARTS:
            raise Unfit(
                f"Line {lines.line_num} of {source.name}: split {values['split']} is unknown.",
                f"Use one of {', '.join(PARTS)}, or leave it empty.",
            )
        yield values["path"], values["label"], PARTS.get(part, "")
