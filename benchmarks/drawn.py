"""A training on images that are drawn here, each class in a way of its own: no files, no store."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from engine.data.arrays import Arrays
from engine.data.split import Split
from engine.protocol.events import Say, unsaid
from engine.protocol.run_reporter import NullReporter
from engine.specs import RunSpec
from engine.training import device as devices
from engine.training.distributed.process_group import ProcessGroup
from engine.training.epoch_data import EpochData
from engine.training.loop import train_epoch
from engine.training.memory import Memory
from engine.training.metric_logger import MetricLogger
from engine.training.precision import Format
from engine.training.preparation import PreparedData, build, build_network
from engine.training.randomness import seed_all
from engine.training.recipe import Recipe
from engine.training.state import Training
from engine.training.step import Stepper

CLASSES, TRAIN, VALIDATION = 10, 8192, 512


@dataclass(slots=True)
class Drawn:
    training: Training
    recipe: Recipe
    images: EpochData
    stepper: Stepper
    logger: MetricLogger

    @classmethod
    def begun(
        cls,
        values: dict[str, Any],
        device: torch.device,
        *,
        precision: str | None = None,
        warn: Say = unsaid,
        group: ProcessGroup | None = None,
    ) -> "Drawn":
        """A training at its beginning; the same for the same values, whatever was trained before."""
        group = group or ProcessGroup()
        spec = RunSpec.parse(values)
        devices.prepare(device)
        seed_all(spec.seed)
        data = drawn(spec.data.image_size)
        network = build_network(spec, data.about, None, NullReporter())
        training, recipe, images = build(spec, data, device, network, share=group.share)
        form = Format(precision or spec.compute.precision, device.type)
        training.choices.precision = form.precision
        stepper = Stepper(recipe.criterion, form, training.choices, recipe.clip_norm, warn, group)
        steps = spec.epochs * len(images.train)
        logger = MetricLogger(
            NullReporter(), training.progress, epochs=spec.epochs, steps=steps, memory=Memory(device), group=group
        )
        return cls(training, recipe, images, stepper, logger)

    def epoch(self) -> None:
        """Train one epoch, as a run does."""
        train_epoch(self.training, self.images, self.recipe, self.stepper, self.logger, lambda: False)
        self.training.finish_epoch()


def losses_of(run: Drawn, steps: int) -> list[float]:
    """The losses of the next steps."""
    training, group, found = run.training, run.stepper.group, []
    training.model.train()
    run.recipe.unfreezing.begin_epoch(training.progress.epoch)
    enter = group.wrap(training.model)
    for images, labels in run.images.train.iterate(training.progress.batch):
        loss, logits = run.stepper.step(enter, training.optimizer, images, labels)
        training.count(loss, logits, labels)
        found.append(loss)
        if len(found) == steps:
            break
    return torch.stack(found).tolist()


def drawn(size: int) -> PreparedData:
    """Noise over stripes, as wide as the class says."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, CLASSES, TRAIN + VALIDATION)
    place = np.arange(size)
    stripes = np.stack([96 + 64 * np.sin(place * (one + 1) * np.pi / size) for one in range(CLASSES)])
    images = chance.integers(0, 64, (len(labels), size, size, 3), dtype=np.uint8)
    images += stripes[labels].astype(np.uint8)[:, None, :, None]
    every = np.arange(len(labels))
    shape = {"image_size": size, "channels": 3, "resize": "stretch", "mean": [0.5] * 3, "std": [0.25] * 3}
    about = {"classes": [str(one) for one in range(CLASSES)], "preprocessing": shape, "spec": {}}
    return PreparedData(Arrays(images, labels), Split(every[:TRAIN], every[TRAIN:], every[:0]), "drawn", about)
