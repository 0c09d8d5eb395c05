"""First weights of a network: found, fitted and accounted for. Nothing that is missing or does not fit goes unsaid."""

import json
import re
import time
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
from engine.data.cached_file import Report
from engine.errors import Unavailable
from engine.training import checkpoint
from engine.training.network.model import first_convolution, load_tensors
from engine.training.network.stages import stage_paths

Tensors = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Request:
    """The weights that a spec names."""

    model: specs.Model
    path: Path | None  # of the file that `weights_from` means
    report: Report = lambda done, total: None  # bytes of a download so far, bytes in all


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
        parts = [f"{len(self.loaded)} tensors from {self.source}"]
        for what, names in (("fitted", self.changed), ("new", self.new), ("left out", self.left_out)):
            if names:
                more = f" and {len(names) - 6} more" if len(names) > 6 else ""
                parts.append(f"{what}: {', '.join(names[:6])}{more}")
        return "; ".join(parts) + "."


def find(request: Request) -> Found | None:
    """The weights that a spec asks for; None: it asks for random ones.

    Raises:
        Unavailable: They are not here and cannot be fetched, or cannot be read.
    """
    load = WEIGHTS[request.model.weights].load
    found: Found | None = named(load)(request) if load else None
    return found


def pretrained(request: Request) -> Found:
    """torchvision's default weights, from torch's own cache, or downloaded into it.

    Raises:
        Unavailable: They cannot be downloaded, or the file is damaged.
    """
    from torchvision import models

    row, name = BACKBONES[request.model.backbone], request.model.backbone
    weights = models.get_model_weights(name).DEFAULT
    file = Path(torch.hub.get_dir()) / "checkpoints" / row.weights_file
    if not file.exists():
        _download(weights.url, file, round(weights.meta["_file_size"] * 2**20), request.report)
    try:
        tensors = weights.get_state_dict(progress=False, weights_only=True)
    except Exception as error:  # torch raises nearly anything on damaged files
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unavailable(f"{file} cannot be read ({first}).", "Delete it, so that it is fetched again.") from None
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


def from_file(request: Request) -> Found:
    """The tensors of a .safetensors file, one of Thaw's own with all that it says of itself, or of a .pt or .pth file.

    Raises:
        Unavailable: It is gone, or cannot be read as weights.
    """
    from safetensors import SafetensorError, safe_open  # benchmarks on a bare GPU machine do without

    path = request.path or Path(request.model.weights_from).expanduser()
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, "pt") as file:
                explanation = json.loads((file.metadata() or {}).get("thaw", "{}"))
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            shape = explanation.get("preprocessing")
            norm_stats = NormStats(shape["mean"], shape["std"]) if shape else None
            return Found(tensors, str(path), tuple(explanation.get("classes", ())), norm_stats)
        return Found(_unwrapped(checkpoint.read_tensors(path)), str(path))
    except FileNotFoundError:
        raise Unavailable(f"The weights file {path} is gone.", "Put it back, or choose other weights.") from None
    except (OSError, SafetensorError, ValueError, RuntimeError, KeyError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise Unavailable(f"{path} cannot be read as weights: {first.rstrip('.')}.", "Choose another file.") from None


def load(network: nn.Module, model_spec: specs.Model, found: Found, *, classes: list[str]) -> Fitted:
    """Copy into `network` what fits.

    The head is taken over only where it knows the same classes in the same order.

    Args:
        network: As `model.build` made it from `model_spec`.
        model_spec: What the network is.
        found: The weights, whatever they were trained for.
        classes: That the network is to tell apart, in the order of its logits.

    Raises:
        Unavailable: Nothing of the backbone fits.
    """
    own, tensors = network.state_dict(), _for_head(found.tensors, model_spec)
    head_paths = [] if found.classes == tuple(classes) else stage_paths(model_spec)[HEAD]
    fits: Tensors = {}
    for name, value in tensors.items():
        if name in own and not _in(name, head_paths):
            fitted = _fitted(name, value, own[name], network, model_spec)
            if fitted is not None:
                fits[name] = fitted
    if not any(own[name].ndim > 1 for name in fits):
        names = ", ".join(list(tensors)[:3]) or "none at all"
        raise Unavailable(
            f"The weights of {found.source} fit nothing in {model_spec.backbone} (they hold {names}).",
            "Choose the backbone they were made for.",
        )
    load_tensors(network, fits, strict=False)
    return Fitted(
        found.source,
        loaded=list(fits),
        new=[f"{name} {_shape(value)}" for name, value in own.items() if name not in fits],
        left_out=[f"{name} {_shape(value)}" for name, value in sorted(tensors.items()) if name not in fits],
        changed=[
            f"{name} {_shape(tensors[name])} to {_shape(value)}"
            for name, value in fits.items()
            if value.shape != tensors[name].shape
        ],
    )


def _for_head(tensors: Tensors, model_spec: specs.Model) -> Tensors:
    """A plain network's head becomes the one that is kept where the new head comes after it."""
    head = BACKBONES[model_spec.backbone].layout.head
    if model_spec.head != "after" or f"{head}.0.weight" in tensors:
        return dict(tensors)
    return {re.sub(rf"^{re.escape(head)}\.(?=\w+$)", f"{head}.0.", name): value for name, value in tensors.items()}


def _fitted(name: str, value: Tensor, own: Tensor, network: nn.Module, model_spec: specs.Model) -> Tensor | None:
    """`value` in the shape of the network's own tensor, where there is a known way; None where there is none."""
    if value.shape == own.shape:
        return value
    is_first = name == f"{first_convolution(network)[0]}.weight" and model_spec.input_layer != "new"
    if is_first and value.ndim == 4 and (value.shape[0], *value.shape[2:]) == (own.shape[0], *own.shape[2:]):
        return _for_channels(value, own.shape[1], model_spec.input_layer)
    if name == "encoder.pos_embedding" and value.ndim == 3 and value.shape[2] == own.shape[2]:
        from torchvision.models.vision_transformer import interpolate_embeddings

        patch = BACKBONES[model_spec.backbone].layout.multiple_of
        side = round((own.shape[1] - 1) ** 0.5)
        return interpolate_embeddings(side * patch, patch, {name: value})[name]
    return None


def _for_channels(kernels: Tensor, channels: int, way: str) -> Tensor:
    """First kernels (out, in, h, w) for `channels` inputs: with "sum" equal channels give the same answer as before."""
    if way == "average":
        return kernels.mean(dim=1, keepdim=True).repeat(1, channels, 1, 1)
    return kernels.sum(dim=1, keepdim=True).repeat(1, channels, 1, 1) / channels


def _download(url: str, file: Path, size: int, report: Report) -> None:
    """By torch's own means (checked by the hash in its name); the size of the part so far is reported meanwhile."""
    file.parent.mkdir(parents=True, exist_ok=True)
    sha256 = re.search(r"-([0-9a-f]{8,})\.", file.name)  # its beginning
    began, errors = time.time(), []

    def work() -> None:
        try:
            torch.hub.download_url_to_file(url, str(file), sha256[1] if sha256 else None, progress=False)
        except Exception as error:  # raised by the thread that waits
            errors.append(error)

    fetching = Thread(target=work, daemon=True)  # so that who is asked to stop need not wait for it
    fetching.start()
    while fetching.is_alive():
        report(_part_bytes(file, began), size)
        fetching.join(0.2)
    if errors:
        raise Unavailable(
            f"{file.name} is not in {file.parent} and could not be downloaded ({errors[0]}).",
            f"Put the file from {url} there, or choose other weights.",
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
