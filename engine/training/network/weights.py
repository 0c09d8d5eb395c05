"""First weights of a network: found, fitted, and told about. Nothing that is missing or does not fit goes unsaid."""

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import torch
from torch import Tensor, nn

from engine import specs
from engine.catalog import BACKBONES, WEIGHTS
from engine.catalog.freezing import HEAD
from engine.catalog.named import named
from engine.data.arrays import NormStats
from engine.errors import Unavailable
from engine.training import checkpoint
from engine.training.network.model import first_convolution, load_tensors
from engine.training.network.stages import stage_paths

Tell = Callable[[int, int], None]  # bytes so far, bytes in all
Tensors = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Asked:
    model: specs.Model
    path: Path | None  # of the file that `weights_from` means
    tell: Tell = lambda done, total: None


@dataclass(frozen=True, slots=True)
class Found:
    tensors: Tensors
    source: str  # for a human: where they come from
    classes: tuple[str, ...] = ()  # that its head knows
    norm_stats: NormStats | None = None  # of the images it learned from


@dataclass(frozen=True, slots=True)
class Fitted:
    """What became of each tensor."""

    source: str
    loaded: list[str]
    new: list[str]  # in the network, not in the file: "fc.weight 7 x 512"
    left_out: list[str]  # in the file, not in the network or of another shape
    changed: list[str]  # fitted to other channels or image sizes

    def __str__(self) -> str:
        told = [f"{len(self.loaded)} tensors from {self.source}"]
        for what, names in (("fitted", self.changed), ("new", self.new), ("left out", self.left_out)):
            if names:
                more = f" and {len(names) - 6} more" if len(names) > 6 else ""
                told.append(f"{what}: {', '.join(names[:6])}{more}")
        return "; ".join(told) + "."


def find(asked: Asked) -> Found | None:
    """The weights that a spec asks for; None: it asks for random ones.

    Raises:
        Unavailable: They are not here and cannot be fetched, or cannot be read.
    """
    load = WEIGHTS[asked.model.weights].load
    found: Found | None = named(load)(asked) if load else None
    return found


def pretrained(asked: Asked) -> Found:
    """torchvision's default weights, from torch's own cache, or downloaded into it."""
    from torchvision import models

    row, name = BACKBONES[asked.model.backbone], asked.model.backbone
    weights = models.get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / row.weights_file
    if not file.exists():
        _download(weights.url, file, round(weights.meta["_file_size"] * 2**20), asked.tell)
    try:
        tensors = weights.get_state_dict(progress=False, weights_only=True)
    except Exception as error:  # torch raises nearly anything on damaged files
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unavailable(f"{file} cannot be read ({first}). Delete it, so that it is fetched again.") from None
    return Found(
        renamed(name, tensors),
        f"torchvision's {weights}",
        norm_stats=NormStats(list(row.recipe[0]), list(row.recipe[1])),
    )


def renamed(backbone: str, tensors: Tensors) -> Tensors:
    """DenseNets were saved before torch forbade dots in names; torchvision's own loading renames them as well."""
    if not backbone.startswith("densenet"):
        return tensors
    return {re.sub(r"(norm|relu|conv)\.([12])\.", r"\1\2.", name): value for name, value in tensors.items()}


def url_of(backbone: str) -> str:
    """Where torchvision's default weights of a backbone come from."""
    from torchvision import models

    return str(models.get_model_weights(backbone).DEFAULT.url)


def from_file(asked: Asked) -> Found:
    """The tensors of a .safetensors file, one of Thaw's own with all that it tells, or of a .pt or .pth file."""
    from safetensors import SafetensorError, safe_open  # benchmarks on a bare GPU machine do without

    path = asked.path or Path(asked.model.weights_from).expanduser()
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                told = json.loads((file.metadata() or {}).get("thaw", "{}"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            shape = told.get("preprocessing")
            norm_stats = NormStats(shape["mean"], shape["std"]) if shape else None
            return Found(tensors, str(path), tuple(told.get("classes", ())), norm_stats)
        return Found(_unwrapped(checkpoint.read_tensors(path)), str(path))
    except FileNotFoundError:
        raise Unavailable(f"The weights file {path} is gone. Put it back, or choose other weights.") from None
    except (OSError, SafetensorError, ValueError, RuntimeError, KeyError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unavailable(f"{path} cannot be read as weights: {first.rstrip('.')}. Choose another file.") from None


def load(network: nn.Module, asked: specs.Model, found: Found, *, classes: list[str]) -> Fitted:
    """Copy what fits into `network`, a network of `asked`.

    The head is taken over only where it knows the same classes in the same order.

    Raises:
        Unavailable: Nothing of the backbone fits.
    """
    wanted, tensors = network.state_dict(), dict(found.tensors)
    head_paths = stage_paths(asked)[HEAD]
    if asked.head == "after":
        inner = BACKBONES[asked.backbone].layout.head
        if f"{inner}.0.weight" not in tensors:  # a plain network: its head becomes the one that is kept
            tensors = {re.sub(rf"^{re.escape(inner)}\.(?=\w+$)", f"{inner}.0.", name): t for name, t in tensors.items()}
    fits: Tensors = {}
    changed = []
    for name, value in tensors.items():
        if name not in wanted or (found.classes != tuple(classes) and _in(name, head_paths)):
            continue
        fitted = _fitted(name, value, wanted[name], network, asked)
        if fitted is not None:
            fits[name] = fitted
            if fitted.shape != value.shape:
                changed.append(f"{name} {_shape(value)} to {_shape(fitted)}")
    if not any(wanted[name].ndim > 1 for name in fits):
        names = ", ".join(list(tensors)[:3]) or "none at all"
        raise Unavailable(
            f"The weights of {found.source} fit nothing in {asked.backbone} (they hold {names}). "
            "Choose the backbone they were made for."
        )
    load_tensors(network, fits, strict=False)
    new = [f"{name} {_shape(value)}" for name, value in wanted.items() if name not in fits]
    left_out = [f"{name} {_shape(value)}" for name, value in sorted(tensors.items()) if name not in fits]
    return Fitted(found.source, list(fits), new, left_out, changed)


def _fitted(name: str, value: Tensor, wanted: Tensor, network: nn.Module, asked: specs.Model) -> Tensor | None:
    """`value` in the shape that the network wants, where there is a known way; None where there is none."""
    if value.shape == wanted.shape:
        return value
    is_first = name == f"{first_convolution(network)[0]}.weight" and asked.input_layer != "new"
    if is_first and value.ndim == 4 and (value.shape[0], *value.shape[2:]) == (wanted.shape[0], *wanted.shape[2:]):
        return _for_channels(value, wanted.shape[1], asked.input_layer)
    if name == "encoder.pos_embedding" and value.ndim == 3 and value.shape[2] == wanted.shape[2]:
        from torchvision.models.vision_transformer import interpolate_embeddings

        patch = BACKBONES[asked.backbone].layout.multiple_of
        side = round((wanted.shape[1] - 1) ** 0.5)
        return interpolate_embeddings(side * patch, patch, {name: value})[name]
    return None


def _for_channels(kernels: Tensor, channels: int, way: str) -> Tensor:
    """First kernels (out, in, h, w) for `channels` inputs: with "sum" equal channels give the same answer as before."""
    if way == "average":
        return kernels.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1)
    return kernels.sum(dim=1, keepdim=True).repeat(1, channels, 1, 1) / channels


def _download(url: str, file: Path, size: int, tell: Tell) -> None:
    """By torch's own means (checked by the hash in its name); the size of the part so far is told meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    wanted = re.search(r"-([0-9a-f]{8,})\.", file.name)
    began, errors = time.time(), []

    def work() -> None:
        try:
            torch.hub.download_url_to_file(url, str(file), wanted[1] if wanted else None, progress=False)
        except Exception as error:  # told by the thread that waits
            errors.append(error)

    fetching = Thread(target=work, daemon=True)  # so that who is asked to stop need not wait for it
    fetching.start()
    while fetching.is_alive():
        tell(_part_bytes(file, began), size)
        fetching.join(0.2)
    if errors:
        raise Unavailable(
            f"{file.name} is not in {file.parent} and could not be downloaded ({errors[0]}). "
            f"Put the file from {url} there, or choose other weights."
        )


def _part_bytes(file: Path, since: float) -> int:
    """Of the download begun at `since`: others may have left theirs."""
    sizes = [0]
    for part in file.parent.glob(f"{file.name}.*.partial"):
        with suppress(FileNotFoundError):  # done just now
            found = part.stat()
            sizes.append(found.st_size if found.st_mtime >= since - 1 else 0)
    return max(sizes)


def _unwrapped(tensors: object) -> Tensors:
    """The state dict in what people save: bare, under "model" or "state_dict", from DataParallel.

    Raises:
        ValueError: There is none.
    """
    for name in ("state_dict", "model", "model_state_dict"):
        if isinstance(tensors, dict) and isinstance(tensors.get(name), dict):
            tensors = tensors[name]
    if not isinstance(tensors, dict) or not any(isinstance(value, Tensor) for value in tensors.values()):
        raise ValueError("it holds no tensors by name")
    return {str(key).removeprefix("module."): value for key, value in tensors.items() if isinstance(value, Tensor)}


def _in(name: str, paths: list[str]) -> bool:
    return any(name.startswith(f"{path}.") for path in paths)


def _shape(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape)) or "1"
