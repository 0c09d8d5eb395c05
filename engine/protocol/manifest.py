"""manifest.json of a checkpoint, written last: what its files are, with the sha256 of each and of itself."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from engine.protocol.json_file import write_json
from engine.protocol.serialization import JsonObject, Malformed, from_json, to_json

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of a checkpoint."""

    bytes: int  # its size
    sha256: str  # of its bytes, in hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Enough to use the weights; beside these keys it holds the `sha256` of them all."""

    format: int = FORMAT  # of the folder: a newer one is refused
    epoch: int  # completed
    step: int  # done
    classes: tuple[str, ...]  # by the network's output
    preprocessing: JsonObject  # image_size, channels, resize, mean and std: what an image is made into
    spec: JsonObject  # the RunSpec that it was trained with
    metrics: dict[str, float]  # of its epoch; empty in mid-epoch
    files: dict[str, FileEntry]  # by name
    versions: dict[str, str]  # of Python and libraries
    created_at: float  # Unix seconds

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """
        Raises:
            OSError: It is not there.
            Malformed: It is none, was changed since it was written, or is newer than this program.
        """
        try:
            values = json.loads((folder / MANIFEST).read_bytes())
            seal = values.pop("sha256")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Malformed(f"{MANIFEST} cannot be read") from error
        if seal != _seal(values):
            raise Malformed(f"{MANIFEST} has changed since it was written")
        if values.get("format", FORMAT) > FORMAT:
            raise Malformed("it was written by a newer Thaw")
        return from_json(cls, values)

    def write(self, folder: Path) -> None:
        """
        Raises:
            OSError: It cannot be written.
        """
        values = to_json(self)
        write_json(folder / MANIFEST, {**values, "sha256": _seal(values)})


def _seal(values: JsonObject) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
