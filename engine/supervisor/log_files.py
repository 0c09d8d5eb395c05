"""A run's log.txt, kept from filling the disk: whatever trains may print without end."""

from pathlib import Path

MOST = 50 * 2**20  # bytes
HEAD, TAIL = 2**20, 10 * 2**20  # kept of a longer one: how it began, and what it said last


def trim(log: Path, *, most: int = MOST, head: int = HEAD, tail: int = TAIL) -> bool:
    """Cut the middle out of a log that has grown beyond `most` bytes; True when it had.

    In place: its writer appends, and goes on at the new end. What is written this very moment may be lost.
    """
    if not log.exists() or (size := log.stat().st_size) <= most:
        return False
    with log.open("r+b") as file:
        file.seek(size - tail)
        last = file.read()
        file.seek(head)
        file.write(
            b"\n[... %d bytes left out: this log is kept below %d MB ...]\n" % (size - head - tail, most // 2**20)
        )
        file.write(last)
        file.truncate()
    return True
