"""What runs and data sets left on the disk, for those who read it."""

import json
import math
from pathlib import Path
from typing import Any

from engine.errors import NotFound, Unavailable
from engine.protocol.manifest import Manifest
from engine.protocol.serialization import Malformed
from storage import Checkpoint, Store

MOST_NAME_BYTES = 200  # file systems take 255; a letter of Hangul has three


def find_checkpoint(store: Store, run_id: str, which: str | int) -> Checkpoint:
    """The "best", the "last", that of a completed epoch, or by the name of its folder.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
    """
    try:
        run = store.runs.get(run_id)
        if run.source is not None:
            raise NotFound(f"{run.name} was read in from elsewhere ({run.source}): it has no checkpoint.")
        return store.checkpoints.get(run.id, which)
    except KeyError as error:
        raise NotFound(error.args[0]) from None


def checkpoint_file(store: Store, run_id: str, which: str | int) -> tuple[Path, str]:
    """The weights of a checkpoint and a name to download them by.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
        Unavailable: Its file is gone.
    """
    kept = find_checkpoint(store, run_id, which)
    path = store.home.run(run_id) / kept.path / "weights.safetensors"
    if not path.exists():
        raise Unavailable(f"The file of epoch {kept.epoch} is gone: {path}.", "Resume the run to write a new one.")
    return path, f"{file_name(store.runs.get(run_id).name) or run_id}-{kept.name}.safetensors"


def file_name(text: str) -> str:
    """`text` as any file system takes it for a name, with room for an ending; "" where nothing is left."""
    plain = "".join("-" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in text)
    return (
        plain.encode(errors="ignore")[:MOST_NAME_BYTES].decode(errors="ignore").strip(". ")
    )  # of a letter that is cut nothing stays


def read_manifest(store: Store, run_id: str, which: str | int) -> Manifest:
    """Classes, preprocessing, spec, metrics and versions of a checkpoint.

    Raises:
        NotFound: No such run, or it keeps no such checkpoint.
        Unavailable: Its files are gone or were changed.
    """
    folder = checkpoint_file(store, run_id, which)[0].parent
    try:
        return Manifest.read(folder)
    except (OSError, Malformed) as error:
        raise Unavailable(f"{folder} cannot be used ({error}). Choose another checkpoint.") from error


def count_parameters(store: Store, kept: Checkpoint) -> int:
    """How many parameters the network of a checkpoint has, by the header of its file.

    Raises:
        Unavailable: Its file is gone, or no whole one.
    """
    path = store.home.run(kept.run_id) / kept.path / "weights.safetensors"
    try:
        with path.open("rb") as file:
            header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (OSError, ValueError) as error:
        raise Unavailable(f"The file of epoch {kept.epoch} cannot be read: {path}.") from error
    statistics = ("running_mean", "running_var", "num_batches_tracked")  # BatchNorm's: kept beside the weights
    shapes = (one["shape"] for name, one in header.items() if "shape" in one and not name.endswith(statistics))
    return sum(math.prod(shape) for shape in shapes)


def log_tail(store: Store, run_id: str, *, lines: int = 200) -> str:
    """The last lines of a run's log; "" while there is none."""
    path = store.home.run(run_id) / "log.txt"
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - 200 * lines))
        return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])


def dataset_samples(store: Store, dataset_id: str) -> dict[str, list[Path]]:
    """Class -> small pictures of some of its images, made at the import; {} while there are none."""
    dataset = store.datasets.get(dataset_id)
    folder = store.home.dataset(dataset_id) / "samples"
    if not folder.exists():
        return {}
    return {
        name: sorted((folder / str(index)).glob("*.png"), key=lambda path: int(path.stem))
        for index, name in enumerate(dataset.classes)
    }


def folder_bytes(folder: Path) -> int:
    """Bytes of all files under a folder; 0 when it is not there."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
