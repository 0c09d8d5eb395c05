"""Every image of an import, read and fully decoded once; kept or left where it lies."""

import hashlib
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from engine.data.decode import Undecodable, decode
from engine.data.imports.arrangement import Place
from engine.data.parallel import in_order


class Tree(Protocol):
    """Files to import, wherever they are."""

    files: list[str]  # paths inside it, "/" between parts, NFC
    folders: set[str]
    notes: list[str]

    @property
    def paths(self) -> list[str] | None:
        """Where on the disk each of `files` lies, if it does."""

    @property
    def size(self) -> int:
        """Bytes of all files, unpacked."""

    def read(self, index: int) -> tuple[bytes, int]:
        """A file's bytes and its time of change in nanoseconds, 0 where there is none.

        Raises:
            Undecodable: This file cannot be read.
            Unfit: The whole cannot be trusted.
        """

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in one image."""

    place: Place
    sha256: str
    bytes: int
    mtime_ns: int
    width: int  # upright, pixels
    height: int
    is_grey: bool
    bad: str | None = None  # why it cannot be read; the fields from `sha256` on then say nothing


def inspect(tree: Tree, places: list[Place], keep: Callable[[Place, str, bytes], None]) -> Generator[Seen, None, None]:
    """Each image in order. Good ones are handed to `keep` with their sha256 and bytes, from several threads.

    Raises:
        Unfit: An entry shows that the archive cannot be trusted.
        OSError: What `keep` raises.
    """

    def one(place: Place) -> Seen:
        try:
            data, mtime_ns = tree.read(place.file)
            image = decode(data)
        except Undecodable as error:
            return Seen(place, "", 0, 0, 0, 0, False, bad=str(error))
        sha256 = hashlib.sha256(data).hexdigest()
        keep(place, sha256, data)
        return Seen(place, sha256, len(data), mtime_ns, *image.size, image.mode == "L")

    return in_order(one, places)


def stored_name(label: int, place: Place, sha256: str) -> str:
    """Where Thaw keeps a copy, inside the data set's folder: a name of our own, whatever the archive said."""
    return f"images/{label}/{sha256[:24]}{PurePosixPath(place.id).suffix.lower()}"
