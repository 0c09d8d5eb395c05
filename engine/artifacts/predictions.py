"""Predictions: what a checkpoint says of labelled images, kept as Parquet beside its weights.

Whatever reads Parquet opens the file: a row an image, classes by name. It needs neither torch nor the database.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # pyarrow takes 45 MB of memory: only in a process that writes or reads such a file
    import pyarrow

PREDICTIONS = "predictions.parquet"
MOST_GUESSES = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images by name, with what they show."""

    dataset: str  # its id
    part: str  # "train", "validation", "test", or "all"
    ids: Sequence[str]
    labels: np.ndarray  # int64 (n,), indices into the classes


@dataclass(frozen=True, slots=True)
class Predictions:
    """What one checkpoint says of labelled images, a row an image, in the order of the data set."""

    run: str  # its id
    epoch: int  # of the checkpoint
    dataset: str  # its id
    part: str  # "train", "validation", "test", or "all"
    classes: tuple[str, ...]
    ids: tuple[str, ...]  # those of `dataset_images`
    labels: np.ndarray  # int64 (n,): the true class
    guesses: np.ndarray  # int64 (n, k), k = min(5, classes): the most likely class first
    shares: np.ndarray  # float32 (n, k): their probabilities
    of_label: np.ndarray  # float32 (n,): the probability of the true class
    rank: np.ndarray  # int64 (n,): how many classes stand before the true one

    @property
    def right(self) -> np.ndarray:
        """Whether the most likely class is the true one, bool (n,)."""
        return self.guesses[:, 0] == self.labels

    @property
    def accuracy(self) -> float:
        return float(self.right.mean()) if len(self.labels) else 0.0

    def top(self, k: int) -> float:
        """How often the truth is among the `k` most likely classes."""
        return float((self.rank < k).mean()) if len(self.rank) else 0.0

    @property
    def top_k(self) -> int | None:
        """Among how many likeliest classes the truth is looked for; None where that would say little."""
        return 5 if len(self.classes) >= 10 else 2 if len(self.classes) >= 3 else None

    @property
    def confusion(self) -> np.ndarray:
        """Images by true class (rows) and guess (columns), int64 (classes, classes)."""
        number = len(self.classes)
        return np.bincount(self.labels * number + self.guesses[:, 0], minlength=number**2).reshape(number, number)

    def of_images(self, ids: Sequence[str]) -> "Predictions":
        """Those of the images named, in that order.

        Raises:
            KeyError: There is none of an image.
        """
        if tuple(ids) == self.ids:
            return self
        at = {one: place for place, one in enumerate(self.ids)}
        rows = np.array([at[one] for one in ids], dtype=np.int64)
        per_image = ("labels", "guesses", "shares", "of_label", "rank")
        return replace(self, ids=tuple(ids), **{name: getattr(self, name)[rows] for name in per_image})

    def to_parquet(self) -> bytes:
        """The whole file."""
        import pyarrow as pa
        from pyarrow.parquet import write_table

        classes = _texts(self.classes)

        def named(labels: np.ndarray) -> "pyarrow.Array":
            return pa.DictionaryArray.from_arrays(_numbers(labels.astype(np.int32)), classes)

        columns = {"image": _texts(self.ids), "label": named(self.labels)}
        for place in range(self.guesses.shape[1]):
            columns[f"guess_{place + 1}"] = named(self.guesses[:, place])
            columns[f"share_{place + 1}"] = _numbers(self.shares[:, place])
        columns |= {"share_of_label": _numbers(self.of_label), "rank": _numbers(self.rank.astype(np.int32))}
        about = {name: getattr(self, name) for name in ("epoch", "dataset", "part", "classes")}
        schema = pa.schema(
            [(name, column.type) for name, column in columns.items()],
            metadata={"thaw": json.dumps(about)},  # in ASCII: names of classes need be no valid Unicode
        )
        made = pa.BufferOutputStream()
        write_table(pa.Table.from_arrays(list(columns.values()), schema=schema), made, compression="zstd")
        return bytes(made.getvalue())

    @classmethod
    def read(cls, path: Path, run: str) -> "Predictions":
        """
        Raises:
            OSError: The file is gone.
            ValueError: It is no such file, or damaged.
        """
        import pyarrow as pa
        from pyarrow.parquet import read_table

        try:
            table = read_table(pa.BufferReader(path.read_bytes()))
            about: dict[str, Any] = json.loads(table.schema.metadata[b"thaw"])
            classes = tuple(about["classes"])
            k = min(MOST_GUESSES, len(classes))
            guesses = [_labels(table[f"guess_{place + 1}"], classes) for place in range(k)]
            return cls(
                run=run,
                epoch=about["epoch"],
                dataset=about["dataset"],
                part=about["part"],
                classes=classes,
                ids=_read_texts(table["image"]),
                labels=_labels(table["label"], classes),
                guesses=np.stack(guesses, axis=1),
                shares=np.stack([table[f"share_{place + 1}"].to_numpy() for place in range(k)], axis=1),
                of_label=table["share_of_label"].to_numpy(),
                rank=table["rank"].to_numpy().astype(np.int64),
            )
        except (pa.ArrowException, KeyError, TypeError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from error


def _texts(texts: Sequence[str]) -> "pyarrow.Array":
    """From buffers, as `_numbers`: `pyarrow.array` imports pandas, half a second in a process that trains.

    Bytes where a text is no valid Unicode, as the name of a file may be.
    """
    import pyarrow as pa

    try:
        encoded, kind = [text.encode() for text in texts], pa.string()
    except UnicodeEncodeError:
        encoded, kind = [text.encode("utf-8", "surrogateescape") for text in texts], pa.binary()
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.Array.from_buffers(kind, len(encoded), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))])


def _numbers(values: np.ndarray) -> "pyarrow.Array":
    import pyarrow as pa

    kept = np.ascontiguousarray(values)
    return pa.Array.from_buffers(pa.from_numpy_dtype(kept.dtype), len(kept), [None, pa.py_buffer(kept)])


def _read_texts(column: "pyarrow.Array | pyarrow.ChunkedArray") -> tuple[str, ...]:
    return tuple(
        one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in column.to_pylist()
    )


def _labels(column: "pyarrow.ChunkedArray", classes: tuple[str, ...]) -> np.ndarray:
    """Indices into `classes`: a reader may have changed the order of the names, or dropped some."""
    joined = column.combine_chunks()
    place_of = {name: place for place, name in enumerate(classes)}
    own = np.array([place_of[name] for name in _read_texts(joined.dictionary)], dtype=np.int64)
    return own[joined.indices.to_numpy()]
