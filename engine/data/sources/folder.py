"""Imported data sets of kind "folder": an index of images, in Thaw's keeping or where they lie on the server."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data.decode import Undecodable, decode
from engine.errors import Unavailable

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Index:
    """What an import found, column by column, ascending by id; written as `index.json` in the data set's folder."""

    ids: list[str]  # path inside the data set: "train/cat/1.jpg"
    files: list[str]  # where the image lies: absolute, or relative to the data set's folder
    labels: list[int]  # indices into the data set's classes
    splits: list[str]  # "train", "validation", "test", or "" where it is not split
    bytes: list[int]
    mtimes_ns: list[int]  # when the file last changed, as the import saw it; 0 where Thaw keeps its own copy

    def write(self, folder: Path) -> None:
        """Escaped to ASCII: a file's name on the disk need not be valid Unicode."""
        (folder / INDEX).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """
        Raises:
            Unavailable: It is gone or not readable.
        """
        try:
            return cls(**json.loads((folder / INDEX).read_text()))
        except (OSError, ValueError, TypeError) as error:
            reason = f"The list of its images in {folder} cannot be read ({error})."
            raise Unavailable(reason, "Add the data set again.") from None


class Folder:
    """The images of an index. Each is checked when it is read: gone or changed since the import is an error."""

    def __init__(self, folder: Path, classes: tuple[str, ...]) -> None:
        self._folder = folder
        self._index = Index.read(folder)
        self.classes = classes
        self.labels = np.asarray(self._index.labels, dtype=np.int64)
        self.splits = self._index.splits
        self.ids = self._index.ids

    def read(self, index: int) -> Image.Image:
        """Decoded.

        Raises:
            Unavailable: Its file is gone, or was changed since the import.
        """
        path = self._folder / self._index.files[index]
        try:
            seen = path.stat()
        except OSError:
            raise Unavailable(f"{path} is gone.", "Put it back, or add the data set again without it.") from None
        known, changed_ns = self._index.bytes[index], self._index.mtimes_ns[index]
        if seen.st_size != known or changed_ns not in (0, seen.st_mtime_ns):
            raise Unavailable(f"{path} was changed since the data set was added.", "Add the data set again.")
        try:
            return decode(path)
        except Undecodable as error:
            raise Unavailable(f"{path} can no longer be read ({error}).", "Add the data set again.") from None


def open_folder(dataset: dict[str, Any]) -> Folder:
    """
    Raises:
        Unavailable: The list of its images is gone.
    """
    return Folder(Path(dataset["path"]), tuple(dataset["classes"]))
