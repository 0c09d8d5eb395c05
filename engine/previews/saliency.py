"""Where a network looks: Grad-CAM (Selvaraju et al., 2017) of one image, by the grad-cam library."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.image import show_cam_on_image
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn.functional import interpolate

from engine.catalog import BACKBONES
from engine.catalog.layouts import Layout
from engine.data import open_source
from engine.data.decode import to_array
from engine.errors import Unavailable
from engine.previews.job import PreviewJob
from engine.previews.trained_model import Trained

LEAST_CELLS = 4  # a side: coarser maps point nowhere
LEAST_PX = 224  # a side of the pictures: smaller images are shown as squares, not as a blur


def saliency(job: PreviewJob) -> dict[str, Any]:
    """Writes image.png, as the network sees it, and saliency.png; {"target", "share", "guess"}, classes by index.

    Raises:
        Unavailable: The image or the checkpoint is gone.
    """
    request = job.request
    job.report(0.0, "reading the checkpoint")
    trained, source = Trained.read(Path(request["checkpoint"])), open_source(request["dataset"])
    if request["image"] not in source.ids:
        raise Unavailable(f"There is no image {request['image']}.", "Choose another one.")
    image, shape = source.read(source.ids.index(request["image"])), trained.preprocessing
    pixels = to_array(image, size=shape["image_size"], channels=shape["channels"], resize=shape["resize"])
    entering = trained.pixels(pixels[None], torch.device("cpu"))(torch.arange(1))
    with torch.no_grad():
        shares = trained.network(entering)[0].softmax(dim=0)
    guess = int(shares.argmax())
    target = guess if request["target"] is None else request["target"]
    heat = heat_of(trained.network, BACKBONES[trained.spec.model.backbone].layout, entering, target)
    seen, laid_over = _pictures(pixels, heat)
    seen.save(job.folder / "image.png")
    laid_over.save(job.folder / "saliency.png")
    return {"target": target, "share": float(shares[target]), "guess": guess}


def heat_of(network: nn.Module, layout: Layout, image: Tensor, target: int) -> np.ndarray:
    """What speaks for the class `target`: (H, W) float32, 0 to 1.

    Args:
        network: In evaluation mode.
        layout: Its parts.
        image: (1, C, H, W) float32, normalised.
        target: Index of the class.
    """
    cam = GradCAM(network, [layer_of(network, layout, image)], reshape_transform=AS_MAPS[layout.sees])
    heat: np.ndarray = cam(image, [ClassifierOutputTarget(target)])[0]
    return heat


def layer_of(network: nn.Module, layout: Layout, image: Tensor) -> nn.Module:
    """The layer that the layout names, else the end of the latest stage whose maps are fine enough to point.

    Args:
        image: (1, C, H, W) float32, normalised: one to try.
    """
    if layout.cam_layer:
        return network.get_submodule(layout.cam_layer)
    cells: dict[nn.Module, int] = {}

    def seen(layer: nn.Module, _: Any, made: Tensor) -> None:
        if made.dim() == 4:
            cells[layer] = min(AS_MAPS[layout.sees](made).shape[2:])

    modules = dict(network.named_modules())
    ends = [modules[path] for paths in layout.stages.values() if (path := paths.split()[-1]) in modules]
    hooks = [end.register_forward_hook(seen) for end in ends]
    with torch.no_grad():
        network(image)
    for hook in hooks:
        hook.remove()
    enough = min(LEAST_CELLS, max(cells.values()))
    return [layer for layer, count in cells.items() if count >= enough][-1]


def _from_tokens(values: Tensor) -> Tensor:
    """The first token stands for the whole image."""
    side = math.isqrt(values.shape[1] - 1)
    return values[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)


AS_MAPS: dict[str, Callable[[Tensor], Tensor]] = {  # what layers give -> (n, C, H, W)
    "maps": lambda values: values,
    "maps, channels last": lambda values: values.permute(0, 3, 1, 2),
    "tokens": _from_tokens,
}


def _pictures(pixels: np.ndarray, heat: np.ndarray) -> tuple[Image.Image, Image.Image]:
    """The image, and the heat laid over it."""
    factor = max(1, -(-LEAST_PX // len(pixels)))
    colours = np.broadcast_to(pixels, (*pixels.shape[:2], 3)).repeat(factor, axis=0).repeat(factor, axis=1)
    maps = torch.from_numpy(heat)[None, None]
    smooth = interpolate(maps, colours.shape[:2], mode="bilinear", align_corners=False)[0, 0].numpy()
    laid_over = show_cam_on_image(colours.astype(np.float32) / 255, smooth, use_rgb=True)
    return Image.fromarray(colours), Image.fromarray(laid_over)
