"""Imported images: an index of files, in a folder of ours (from a zip) or where the user keeps them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from engine.data.decode import Undecodable, decode
from engine.errors import Unavailable

INDEX = "index.json"


class Folder:
    """The images listed in an import's index."""

    def __init__(self, classes: tuple[str, ...], index: dict[str, Any], root: Path) -> None:
        self.classes = classes
        self.labels = np.asarray(index["labels"], dtype=np.int64)
        self.splits: list[str] = index["splits"]
        self.ids: list[str] = index["ids"]
        self._files = [root / file for file in index["files"]]
        self._sizes: list[int] = index["sizes"]

    def read(self, index: int) -> Image.Image:
        path = self._files[index]
        try:
            if path.stat().st_size != self._sizes[index]:
                raise Unavailable(f"{path} was changed since the import. Import the data set again.")
            return decode(path)
        except FileNotFoundError:
            raise Unavailable(f"{path} is gone since the import. Put it back, or import the data set again.") from None
        except Undecodable as error:
            raise Unavailable(f"{path} can no longer be read ({error}). Import the data set again.") from None


def open_folder(dataset: dict[str, Any]) -> Folder:
    """
    Raises:
        Unavailable: Its index is gone.
    """
    root = Path(dataset["path"])
    try:
        index = json.loads((root / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Unavailable(f"The index of data set {dataset['name']} is gone ({root}). Import it again.") from None
    return Folder(tuple(dataset["classes"]), index, root)
