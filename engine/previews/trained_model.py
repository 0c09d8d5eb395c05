"""A network out of a checkpoint, to classify images with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.data.batches import Pixels
from engine.data.streamed import Streamed
from engine.errors import Unavailable
from engine.specs import RunSpec
from engine.training import checkpoint
from engine.training.failures import BadCheckpoint
from engine.training.network import model


@dataclass(frozen=True, slots=True)
class Trained:
    network: nn.Module  # in evaluation mode, on the CPU
    spec: RunSpec
    epoch: int
    classes: tuple[str, ...]
    preprocessing: dict[str, Any]  # image_size, channels, resize; mean and std of each channel

    @classmethod
    def read(cls, folder: Path) -> "Trained":
        """
        Raises:
            Unavailable: It is gone or damaged.
        """
        try:
            manifest = checkpoint.verify(folder, [checkpoint.WEIGHTS])
            weights = checkpoint.read_weights(folder)
        except (BadCheckpoint, OSError) as error:
            reason = f"Checkpoint {folder.name} cannot be used: {error}."
            raise Unavailable(reason, "Ask again for a newer one.") from None
        spec, classes = RunSpec.parse(manifest.spec), manifest.classes
        shape = {"resize": "stretch", **manifest.preprocessing}  # which the first checkpoints do not say
        network = model.build(
            spec.model, classes=len(classes), channels=shape["channels"], image_size=shape["image_size"]
        )
        model.load_tensors(network, weights)
        return cls(network.eval(), spec, manifest.epoch, classes, shape)

    def pixels(self, images: np.ndarray | Streamed, device: torch.device) -> Pixels:
        """Images, (n, size, size, channels) uint8, as the network takes them."""
        return Pixels(images, mean=self.preprocessing["mean"], std=self.preprocessing["std"], device=device)
