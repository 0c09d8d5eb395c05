"""Which file `model.weights_from` means, looked up while the store is at hand: a training process has none."""

import os
import re
from pathlib import Path

from engine.artifacts.files import checkpoint_file
from engine.catalog import BACKBONES
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.specs import RunSpec
from storage import Store

SUFFIXES = (".safetensors", ".pt", ".pth")


def weights_path(store: Store, spec: RunSpec) -> Path | None:
    """The file of a spec's first weights; None where `model.weights` needs none of the user's.

    Raises:
        Refused: There is no such file or run, or the run's backbone is another.
    """
    weights_from = spec.model.weights_from.strip()
    match spec.model.weights:
        case "file":
            return _of_file(Path(weights_from).expanduser())
        case "run":
            return _of_run(store, weights_from, spec.model.backbone)
    return None


def weights_seen(spec: RunSpec, path: Path | None) -> list[int] | None:
    """When the file of the first weights was changed and its size; None while there is none."""
    if spec.model.weights == "pretrained":
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        torch_home = Path(os.environ.get("TORCH_HOME") or Path(cache) / "torch").expanduser()  # as torch.hub finds it
        path = torch_home / "hub" / "checkpoints" / BACKBONES[spec.model.backbone].weights_file
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_size] if found else None


def _of_file(path: Path) -> Path:
    if path.suffix not in SUFFIXES:
        raise _refused(str(path), f"must be a {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]} file")
    if not path.is_file():
        raise _refused(str(path), "there is no such file on this machine")
    return path.absolute()


def _of_run(store: Store, weights_from: str, backbone: str) -> Path:
    found = re.fullmatch(r"(.+)@(best|last|\d+)", weights_from)
    text, which = (found[1], found[2]) if found else (weights_from, "best")
    try:
        run = store.runs.find(text)
        path = checkpoint_file(store, run.id, int(which) if which.isdigit() else which)[0]
    except (KeyError, NotFound, Unavailable) as error:
        raise _refused(weights_from, str(error.args[0])) from None
    theirs = run.spec["model"]["backbone"]
    if theirs != backbone:
        raise _refused(weights_from, f"that run trained {theirs}, not {backbone}; choose {theirs} as the backbone")
    return path


def _refused(value: str, message: str) -> Refused:
    return Refused([Problem("model.weights_from", value, message)])
