"""Zips from strangers: every entry is checked before a byte is written; nothing is extracted by its own name."""

import re
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from engine.data.layout import BadDataset

MOST_ENTRIES = 500_000
MOST_BYTES = 20 * 10**9  # unpacked
MOST_RATIO = 100  # of one entry, where it unpacks to more than:
RATIO_FROM_BYTES = 50 * 10**6


class Archive:
    """A checked zip: names and the bytes behind them."""

    def __init__(self, file: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo], folders: list[str]) -> None:
        self._file = file
        self._entries = entries
        self.folders = folders

    @property
    def files(self) -> list[str]:
        return list(self._entries)

    @property
    def unpacked_bytes(self) -> int:
        """Of all files together, unpacked, as the zip declares it."""
        return sum(info.file_size for info in self._entries.values())

    def read(self, name: str) -> bytes:
        """
        Raises:
            ValueError: The entry is damaged; the text says how.
        """
        try:
            with self._file.open(self._entries[name]) as entry:
                # zipfile stops at the declared size and checks the sum: a lying header cannot give more.
                return entry.read()
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise ValueError(f"damaged in the zip: {error}") from None


@contextmanager
def open_zip(path: Path) -> Iterator[Archive]:
    """The zip at `path`, once every entry is found harmless.

    Raises:
        BadDataset: Not a zip, or an entry that is dangerous or cannot be read; the text names it.
    """
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
        raise BadDataset(f"It cannot be read as a zip: {error}.") from None
    with file:
        infos = file.infolist()
        if len(infos) > MOST_ENTRIES:
            raise BadDataset(f"It has {len(infos):,} entries; at most {MOST_ENTRIES:,} are read.")
        _refuse_bombs(infos)
        entries: dict[str, zipfile.ZipInfo] = {}
        folders: set[str] = set()
        for info in infos:
            name = _name(info)
            _refuse_entry(info, name)
            if name.endswith("/"):
                folders.add(name.rstrip("/"))
            else:
                entries.setdefault(name, info)
        yield Archive(file, entries, sorted(folders))


def _name(info: zipfile.ZipInfo) -> str:
    """The entry's name: UTF-8 when it says so, else what the bytes make sense as (Korean Windows writes CP949)."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.orig_filename


def _refuse_entry(info: zipfile.ZipInfo, name: str) -> None:
    shown = repr(name if len(name) < 100 else name[:97] + "...")
    kind = stat.S_IFMT(info.external_attr >> 16)
    parts = PurePosixPath(name).parts
    if "\0" in name or not name.strip("/"):
        raise BadDataset(f"Entry {shown} has no usable name.")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise BadDataset(f"Entry {shown} has an absolute path. Zip the folder itself, without drive or root.")
    if "\\" in name:
        raise BadDataset(f"Entry {shown} has backslashes in its path. Make the zip with / between folders.")
    if ".." in parts:
        raise BadDataset(f"Entry {shown} leads out of the zip (..).")
    if any(len(part.encode()) > 255 for part in parts):
        raise BadDataset(f"Entry {shown} has a name of over 255 bytes.")
    if kind == stat.S_IFLNK:
        raise BadDataset(f"Entry {shown} is a link. Zip the files themselves.")
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadDataset(f"Entry {shown} is neither a file nor a folder.")
    if info.flag_bits & 0x1:
        raise BadDataset(f"Entry {shown} is encrypted. Make the zip without a password.")


def _refuse_bombs(infos: list[zipfile.ZipInfo]) -> None:
    if (total := sum(info.file_size for info in infos)) > MOST_BYTES:
        raise BadDataset(f"It unpacks to {total / 1e9:,.0f} GB; at most {MOST_BYTES / 1e9:,.0f} GB are taken.")
    for info in infos:
        if info.file_size > RATIO_FROM_BYTES and info.file_size > MOST_RATIO * max(info.compress_size, 1):
            raise BadDataset(
                f"Entry {info.filename!r} unpacks to {info.file_size / 1e6:,.0f} MB "
                f"from {info.compress_size / 1e6:.1f} MB: it looks like a zip bomb."
            )
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end:
            raise BadDataset(f"Entry {info.filename!r} overlaps another: it looks like a zip bomb.")
        end = info.header_offset + info.compress_size
