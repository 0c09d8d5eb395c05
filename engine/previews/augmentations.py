"""Some of the user's own training images, before and after the changes that a spec asks for."""

from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.data import open_source
from engine.data.augment import augmenter
from engine.data.decode import to_array
from engine.data.split import parts_of
from engine.previews.job import PreviewJob
from engine.training.preparation import channels_of

IMAGES, TIMES = 6, 7  # images shown; each unchanged and then changed so often
TILE, GAP = 112, 6  # pixels


def augmented(job: PreviewJob) -> dict[str, Any]:
    """Writes sheet.png: a row an image, the first tile unchanged; see-through between the tiles."""
    spec, dataset = job.spec, job.request["dataset"]
    source, channels = open_source(dataset), channels_of(dataset, spec)
    train = parts_of(source.ids, source.labels, source.splits, spec.data, dataset["excluded"]).train
    chosen = train[np.linspace(0, len(train) - 1, min(IMAGES, len(train))).astype(int)]
    size = spec.data.image_size
    augment = augmenter(spec.data.augmentations, strength=spec.data.augmentation_strength, size=size, channels=channels)
    torch.manual_seed(0)
    columns = 1 + (TIMES if augment else 0)
    sheet = Image.new("RGBA", (columns * (TILE + GAP) - GAP, len(chosen) * (TILE + GAP) - GAP), (0, 0, 0, 0))
    for row, index in enumerate(chosen):
        pixels = to_array(source.read(int(index)), size=size, channels=channels, resize=spec.data.resize)
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
        versions = [image, *(augment(image[None].repeat(TIMES, 1, 1, 1)) if augment else ())]
        for column, version in enumerate(versions):
            sheet.paste(_tile(version), (column * (TILE + GAP), row * (TILE + GAP)))
        job.report((row + 1) / len(chosen), "changing images")
    sheet.save(job.folder / "sheet.png")
    return {"images": [source.ids[index] for index in chosen], "columns": columns, "tile": TILE, "gap": GAP}


def _tile(image: torch.Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).convert("RGB")
    smooth = Image.Resampling.NEAREST if picture.width < TILE else Image.Resampling.LANCZOS
    return picture.resize((TILE, TILE), smooth)
