"""A folder on this machine, listed for import. Links are followed: who runs Thaw chose the folder."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from engine.data import names
from engine.data.decode import MOST_BYTES, Undecodable
from engine.errors import Unfit

MOST_ENTRIES = 500_000

Identity = tuple[int, int]  # device and inode


class ServerFolder:
    """The files below a folder, by their path inside it; hidden ones are passed over.

    Raises:
        Unfit: A folder cannot be listed, or there are too many files.
    """

    def __init__(self, root: Path, most_entries: int = MOST_ENTRIES) -> None:
        found: list[tuple[str, bool]] = []
        try:
            for one in _walk(str(root), (_identity(root.stat()),)):
                found.append(one)
                if len(found) > most_entries:
                    advice = "Give the folder that holds the class folders, or split it."
                    raise Unfit(f"It holds over {most_entries:,} files and folders.", advice)
        except OSError as error:
            where = names.shown(str(error.filename))
            raise Unfit(f"{where} cannot be listed: {error.strerror}.", "Check who may read it.") from None
        inside, encoding = names.read([os.fsencode(os.path.relpath(path, root)) for path, _ in found])
        self.notes = [] if encoding == "utf-8" else [f"Names on the disk are no UTF-8; read as {encoding.upper()}."]
        kinds = list(zip(map(names.normal, inside), found, strict=True))
        self.files = [name for name, (_, is_folder) in kinds if not is_folder]
        self.folders = {name for name, (_, is_folder) in kinds if is_folder}
        self.paths = [path for path, is_folder in found if not is_folder]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in map(Path, self.paths) if path.exists())

    def read(self, index: int) -> tuple[bytes, int]:
        """A file's bytes, and when it last changed in nanoseconds.

        Raises:
            Undecodable: It cannot be read, is no plain file, or too large for an image.
        """
        return read_file(Path(self.paths[index]))

    def close(self) -> None:
        """Nothing is held open."""


def read_file(path: Path) -> tuple[bytes, int]:
    """A file's bytes, and when it last changed in nanoseconds.

    Raises:
        Undecodable: It cannot be read, is no plain file, or too large for an image.
    """
    try:
        seen = path.stat()
        if not stat.S_ISREG(seen.st_mode):
            raise Undecodable("not a plain file")
        if seen.st_size > MOST_BYTES:
            raise Undecodable(f"over {MOST_BYTES // 10**6} MB")
        return path.read_bytes(), seen.st_mtime_ns
    except OSError as error:
        raise Undecodable(f"cannot be read: {error.strerror}") from None


def _walk(folder: str, above: tuple[Identity, ...]) -> Iterator[tuple[str, bool]]:
    """(path, whether it is a folder) of everything below, in order; a link back to a folder above is not followed."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if names.is_hidden(entry.name):
            continue
        if not entry.is_dir():
            yield entry.path, False
            continue
        identity = _identity(entry.stat())
        if identity not in above:
            yield entry.path, True
            yield from _walk(entry.path, (*above, identity))


def _identity(seen: os.stat_result) -> Identity:
    return seen.st_dev, seen.st_ino
