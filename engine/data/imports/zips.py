"""Zip archives from strangers: every entry is checked before any is read, and none is unpacked under its own name."""

import os
import re
import stat
import struct
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from engine.data import names
from engine.data.decode import MOST_BYTES, Undecodable
from engine.errors import Unfit

UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, bytes of the name, bytes of the extra field
AGAIN = "Make the archive again from the plain folder."
UNTRUSTED = "It may be meant to do harm: take the images from a source you trust."


@dataclass(frozen=True, slots=True)
class Limits:
    entries: int = 500_000
    bytes: int = 20 * 10**9  # of all entries, unpacked
    ratio: int = 100  # unpacked to packed, of an entry larger than `small`
    small: int = 50 * 10**6


@dataclass(frozen=True, slots=True)
class Entry:
    start: int  # where its packed bytes begin in the file
    packed: int
    bytes: int  # as its header claims
    crc: int
    method: int


class Zip:
    """The files of an archive. Headers are never trusted: reading counts, and stops.

    Raises:
        Unfit: Not a zip, or one with entries that no honest archive of images has.
    """

    paths = None  # its files lie nowhere but in it

    def __init__(self, path: Path, limits: Limits = Limits()) -> None:
        infos, directory_start = _directory(path)
        if len(infos) > limits.entries:
            advice = "Split it into several data sets."
            raise Unfit(f"It has {len(infos):,} entries; at most {limits.entries:,} are read.", advice)
        texts, self.notes = _names(infos)
        for name, info in zip(texts, infos, strict=True):
            _check_entry(name, info, limits)
        if sum(info.file_size for info in infos) > limits.bytes:
            raise Unfit(f"Unpacked it is over {limits.bytes / 1e9:,.0f} GB.", "Split it, or add the folder itself.")
        self._file = path.open("rb")
        starts = _data_starts(self._file.fileno(), texts, infos, directory_start)
        self.folders = {names.normal(name) for name in texts if name.endswith("/")} - {""}
        entries = {  # of a name given twice the later one holds, as with every other tool
            names.normal(name): Entry(start, info.compress_size, info.file_size, info.CRC, info.compress_type)
            for name, info, start in zip(texts, infos, starts, strict=True)
            if not name.endswith("/")
        }
        if twice := sum(not name.endswith("/") for name in texts) - len(entries):
            self.notes.append(f"Left out: {names.counted(twice, 'file')} whose name occurs again later in the archive.")
        self.files = list(entries)
        self.size = sum(entry.bytes for entry in entries.values())
        self._entries = list(entries.values())

    def read(self, index: int) -> tuple[bytes, int]:
        """A file's bytes, and 0: what is in an archive does not change.

        Raises:
            Undecodable: Damaged, or too large for an image.
            Unfit: It unpacks to another size than its header says.
        """
        entry = self._entries[index]
        if max(entry.bytes, entry.packed) > MOST_BYTES:
            raise Undecodable(f"over {MOST_BYTES // 10**6} MB")
        data = os.pread(self._file.fileno(), entry.packed, entry.start)
        if entry.method == ZIP_DEFLATED:
            data = _inflated(data, entry.bytes)
        if len(data) != entry.bytes:
            name = names.shown(self.files[index])
            raise Unfit(f"The entry {name} unpacks to another size than it claims.", UNTRUSTED)
        if zlib.crc32(data) != entry.crc:
            raise Undecodable("damaged in the archive: its checksum differs")
        return data, 0

    def close(self) -> None:
        self._file.close()


def _directory(path: Path) -> tuple[list[ZipInfo], int]:
    """The archive's own list of its entries, and where that list begins in the file."""
    try:
        with ZipFile(path) as archive:
            return archive.infolist(), archive.start_dir
    except OSError as error:
        raise Unfit(f"It cannot be opened: {error.strerror}.", "Check the path and who may read it.") from None
    except MemoryError:
        raise Unfit("Its list of entries does not fit into memory.", UNTRUSTED) from None
    except (BadZipFile, NotImplementedError, ValueError, struct.error, OverflowError, EOFError):
        advice = "Make or upload it again; other kinds of archive (tar, 7z, rar) are not read."
        raise Unfit("It is not a zip archive, or it was cut short on its way.", advice) from None


def _names(infos: list[ZipInfo]) -> tuple[list[str], list[str]]:
    """The entries' names as text, and remarks; those not marked as UTF-8 are as their maker's system writes them."""
    unmarked = [info.orig_filename for info in infos if not info.flag_bits & UTF8_FLAG]
    # zipfile read these as CP437, where every byte has its letter: so the bytes come back.
    texts, encoding = names.read([name.encode("cp437") for name in unmarked])
    notes = []
    if encoding != "utf-8":
        notes.append(f"The archive does not say how its names are written; they were read as {encoding.upper()}.")
    read = iter(texts)
    return [info.orig_filename if info.flag_bits & UTF8_FLAG else next(read) for info in infos], notes


def _check_entry(name: str, info: ZipInfo, limits: Limits) -> None:
    shown = names.shown(name)
    mode = info.external_attr >> 16
    parts = name.split("/")
    if "\0" in name:
        raise Unfit(f"The entry {shown} has a NUL character in its name.", UNTRUSTED)
    if "\\" in name:
        raise Unfit(f"The entry {shown} has a backslash in its name.", AGAIN)
    if name.startswith("/") or re.match("[A-Za-z]:", name):
        raise Unfit(f"The entry {shown} is an absolute path.", AGAIN)
    if ".." in parts:
        raise Unfit(f"The entry {shown} leads out of its folder by '..'.", UNTRUSTED)
    if any(len(part.encode()) > names.MOST_BYTES for part in parts):
        raise Unfit(f"The entry {shown} has a name of more than {names.MOST_BYTES} bytes.", "Shorten it.")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "a link" if stat.S_ISLNK(mode) else "a device or pipe"
        raise Unfit(f"The entry {shown} is {kind}, not a file.", AGAIN)
    if info.flag_bits & ENCRYPTED_FLAG:
        raise Unfit(f"The entry {shown} is encrypted.", "Make the archive again without a password.")
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        advice = "Make the archive again with the usual method, Deflate."
        raise Unfit(f"The entry {shown} is packed by a method that is not read.", advice)
    if info.file_size > limits.small and info.file_size > limits.ratio * info.compress_size:
        raise Unfit(f"The entry {shown} would unpack to over {limits.ratio} times its size: a zip bomb.", UNTRUSTED)


def _data_starts(file: int, texts: list[str], infos: list[ZipInfo], directory_start: int) -> list[int]:
    """Where each entry's packed bytes begin. Entries that share bytes are how small archives unpack to huge ones."""
    starts = []
    for name, info in zip(texts, infos, strict=True):
        is_inside = 0 <= info.header_offset < directory_start
        header = os.pread(file, LOCAL_HEADER.size, info.header_offset) if is_inside else b""
        if len(header) < LOCAL_HEADER.size or not header.startswith(b"PK\3\4"):
            raise Unfit(f"The entry {names.shown(name)} is not where the archive says.", AGAIN)
        _, name_bytes, extra_bytes = LOCAL_HEADER.unpack(header)
        starts.append(info.header_offset + LOCAL_HEADER.size + name_bytes + extra_bytes)
    ranges = sorted(
        (info.header_offset, start + info.compress_size, name)
        for name, info, start in zip(texts, infos, starts, strict=True)
    )
    for (_, end, name), (begin, _, _) in pairwise([*ranges, (directory_start, 0, "")]):
        if end > begin:
            raise Unfit(f"The entry {names.shown(name)} shares its bytes with others: a zip bomb.", UNTRUSTED)
    return starts


def _inflated(packed: bytes, claimed: int) -> bytes:
    """At most one byte more than claimed."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = stream.decompress(packed, claimed + 1)
    except zlib.error:
        raise Undecodable("damaged in the archive") from None
    if len(data) < claimed and not stream.eof:
        raise Undecodable("damaged in the archive: it ends early")
    return data
