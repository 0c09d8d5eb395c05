"""One checkpoint: written so that a kill at any moment leaves a whole one or none, read only when unchanged.

A folder holds `weights.safetensors`, `resume.pt`, after a whole epoch `predictions.parquet` and, written last,
`manifest.json`: what the files are, with the sha256 of each and of itself. The weights carry the explanation in their
own header too: one downloaded file says what it is.
"""

import hashlib
import json
import os
import pickle
import platform
import shutil
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.artifacts.predictions import PREDICTIONS, Predictions
from engine.protocol.manifest import MANIFEST, FileEntry, Manifest
from engine.protocol.serialization import JsonObject, Malformed
from engine.training.failures import BadCheckpoint, DiskFull, is_disk_full

WEIGHTS, RESUME = "weights.safetensors", "resume.pt"
RESERVE = 32 * 2**20  # bytes left free beside a checkpoint for event lines, the log and the database


@dataclass(frozen=True, slots=True)
class Written:
    bytes: int  # of the whole folder
    sha256: str  # of the weights


def write(
    folder: Path,
    weights: dict[str, Tensor],
    resume: dict[str, Any],
    about: JsonObject,
    predictions: Predictions | None = None,
) -> Written:
    """Make `folder` under a temporary name, force it to the disk, then rename it.

    Args:
        about: JSON values that explain the checkpoint: epoch, step, classes, preprocessing, spec, metrics.
        predictions: Of the validation images, by these weights.

    Raises:
        DiskFull: There is no room; nothing is left behind.
    """
    from safetensors import SafetensorError  # benchmarks on a bare GPU machine do without

    table = predictions.to_parquet() if predictions else b""
    needed = _tensor_bytes(weights) + _tensor_bytes(resume) + len(table) + RESERVE
    if shutil.disk_usage(folder.parent).free < needed:
        raise DiskFull(needed, shutil.disk_usage(folder.parent).free)
    temporary = folder.with_name(folder.name + ".tmp")
    remove(folder)  # announced by nobody: a killed attempt came this far
    temporary.mkdir()
    try:
        written = _write_files(temporary, weights, resume, about, table)
    except (OSError, RuntimeError, SafetensorError) as error:
        free = shutil.disk_usage(folder.parent).free
        shutil.rmtree(temporary)
        if is_disk_full(error):
            raise DiskFull(needed, free) from error
        raise
    temporary.rename(folder)
    _to_disk(folder.parent)
    return written


def verify(folder: Path, names: Sequence[str] | None = None) -> Manifest:
    """The manifest, once its files and the manifest itself are found unchanged.

    Args:
        names: Of the files that matter; None: all of them.

    Raises:
        BadCheckpoint: A file is missing, cut short or changed, or the format is newer than this program.
    """
    manifest = read_manifest(folder)
    for name in manifest.files if names is None else names:
        file, expected = folder / name, manifest.files[name]
        if not file.is_file():
            raise BadCheckpoint(f"{name} is missing")
        if file.stat().st_size != expected.bytes:
            raise BadCheckpoint(f"{name} has {file.stat().st_size:,} bytes instead of {expected.bytes:,}")
        if _sha256(file) != expected.sha256:
            raise BadCheckpoint(f"{name} has changed since it was written")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """
    Raises:
        BadCheckpoint: It is missing, changed, or newer than this program.
    """
    try:
        return Manifest.read(folder)
    except OSError as error:
        raise BadCheckpoint(f"{MANIFEST} cannot be read") from error
    except Malformed as error:
        raise BadCheckpoint(str(error)) from error


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Call `verify` first: safetensors does not notice a flipped bit."""
    from safetensors.torch import load_file

    return load_file(folder / WEIGHTS)


def read_resume(folder: Path) -> dict[str, Any]:
    """Call `verify` first. On the CPU; code in the file is never run."""
    state: dict[str, Any] = torch.load(folder / RESUME, map_location="cpu", weights_only=True)
    return state


HOLDS_CODE = (
    "it holds more than tensors, perhaps a whole model, and no code out of files is run; "
    "save model.state_dict() with torch.save instead"
)


def read_tensors(file: Path) -> object:
    """What a .pt or .pth file of anybody holds, on the CPU; code in the file is never run.

    Raises:
        OSError: It cannot be read.
        ValueError: It is no file of torch, or holds more than tensors.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # on foreign bytes torch's unpickler raises nearly anything
        if zipfile.is_zipfile(file) and isinstance(error, pickle.UnpicklingError):
            raise ValueError(HOLDS_CODE) from None
        raise ValueError("it is no whole file that torch.save wrote") from None


def remove(folder: Path) -> None:
    """By renaming first, so that a kill never leaves half of it under its own name."""
    temporary = folder.with_name(folder.name + ".tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    if folder.exists():
        folder.rename(temporary)
        shutil.rmtree(temporary)


def _write_files(
    folder: Path, weights: dict[str, Tensor], resume: dict[str, Any], about: JsonObject, table: bytes
) -> Written:
    from safetensors.torch import save_file

    explanation = {key: about[key] for key in ("classes", "preprocessing", "spec", "epoch", "metrics")}
    header = {"format": "pt", "thaw": json.dumps(explanation, ensure_ascii=False)}
    save_file(weights, folder / WEIGHTS, metadata=header)
    torch.save(resume, folder / RESUME)
    if table:
        (folder / PREDICTIONS).write_bytes(table)
    files: dict[str, FileEntry] = {}
    for name in (WEIGHTS, RESUME, *([PREDICTIONS] if table else [])):
        _to_disk(folder / name)
        files[name] = FileEntry(bytes=(folder / name).stat().st_size, sha256=_sha256(folder / name))
    versions = {name: version(name) for name in ("torch", "torchvision", "safetensors", "numpy")}
    versions["python"] = platform.python_version()
    Manifest(**about, files=files, versions=versions, created_at=time.time()).write(folder)
    _to_disk(folder)
    return Written(sum(file.stat().st_size for file in folder.iterdir()), files[WEIGHTS].sha256)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _tensor_bytes(value: object) -> int:
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, dict):
        return sum(map(_tensor_bytes, value.values()))
    return sum(map(_tensor_bytes, value)) if isinstance(value, list | tuple) else 0
