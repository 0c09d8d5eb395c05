"""JSON files that are replaced whole: a reader finds the old or the new one, never a part."""

import json
import os
import uuid
from pathlib import Path
from typing import Any


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """Put `value` in place of what is at `path`, in ASCII: a file's name on a disk need not be valid Unicode.

    Args:
        durable: Wait for the disk first, else a machine that loses its power may leave an empty file. Not needed for
            what only living processes say to each other, and costs milliseconds.

    Raises:
        OSError: It cannot be written; what was there stays.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")  # threads may write the same at once
    try:
        with part.open("w", encoding="ascii") as file:
            json.dump(value, file, indent=1)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
