"""JSON lines in a file that only grows: how whatever trains or imports tells everything else what it does."""

import json
import math
import time
from pathlib import Path
from typing import Any

ESCAPED = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}  # line ends to Python, though not to JSON


class Lines:
    """Appends one JSON object a line, with `kind` and `at` (Unix seconds) always; what is not finite becomes null.

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

    def write(self, kind: str, **fields: Any) -> None:
        line = {"kind": kind, "at": time.time(), **fields}
        text = json.dumps(_finite(line), ensure_ascii=False, allow_nan=False).translate(ESCAPED)
        self._file.write(text.encode("utf-8", "replace") + b"\n")  # a file's name on a disk need not be valid Unicode

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
