"""From a spec to what the loop needs: decoded images, batches, network, optimiser and recipe."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.data import open_source
from engine.data.arrays import Arrays, mean_std, prepare
from engine.data.augment import augmenter
from engine.data.batches import Batches
from engine.data.split import Split, parts_of
from engine.spec import RunSpec
from engine.training import model, weights
from engine.training.events import Reporter
from engine.training.failures import Stopped
from engine.training.objective import Objective, class_weights
from engine.training.optimiser import build_optimizer
from engine.training.recipe import Recipe
from engine.training.stages import Thawing, stages_of
from engine.training.state import Training

Looks = tuple[list[float], list[float]]  # mean and std of each channel


@dataclass(frozen=True, slots=True)
class Prepared:
    arrays: Arrays
    parts: Split
    about: dict[str, Any]  # what a checkpoint explains: classes, preprocessing, spec


def prepare_data(
    dataset: dict[str, Any],
    spec: RunSpec,
    cache: Path,
    reporter: Reporter,
    stop: Callable[[], bool],
    *,
    recipe: Looks | None = None,
) -> Prepared:
    """The data set's images, decoded and resized as the spec asks, and which of them train or judge.

    Args:
        recipe: Mean and std that the weights were trained with, where they tell.

    Raises:
        Stopped: `stop()` became true on the way.
        Unavailable: An image's file is gone or was changed since the import.
    """
    source = open_source(dataset)
    channels = channels_of(dataset, spec)
    arrays = prepare(
        source,
        dataset.get("source_fingerprint") or dataset["fingerprint"],
        image_size=spec.data.image_size,
        channels=channels,
        resize=spec.data.resize,
        cache=cache,
        report=_progress(reporter, stop),
    )
    parts = parts_of(source.ids, source.labels, source.splits, spec.data, dataset.get("excluded", ()))
    mean, std = normalisation(spec, arrays.images, parts.train, recipe)
    shape = {
        "image_size": spec.data.image_size,
        "channels": channels,
        "resize": spec.data.resize,
        "mean": mean,
        "std": std,
    }
    about = {"classes": list(source.classes), "preprocessing": shape, "spec": spec.model_dump(mode="json")}
    return Prepared(arrays, parts, about)


def channels_of(dataset: dict[str, Any], spec: RunSpec) -> int:
    """Channels that images have when they reach the network."""
    own = 1 if dataset["channels"] == 1 else 3
    if own == 1 and spec.model.input_layer == "repeat" and spec.data.channels == "auto":
        own = 3  # a grey image decoded as colour is itself three times
    return {"auto": own, "grey": 1, "colour": 3}[spec.data.channels]


def normalisation(spec: RunSpec, images: np.ndarray, train: np.ndarray, recipe: Looks | None) -> Looks:
    """Mean and std of each channel, 0 to 1: those of the weights, of the training images, or none."""
    channels = images.shape[-1]
    if spec.data.normalisation == "none":
        return [0.0] * channels, [1.0] * channels
    if recipe is None or spec.data.normalisation == "data":
        return mean_std(images, train)
    mean, std = recipe
    if len(mean) != channels:  # colour weights on grey images, or the other way round
        return [float(np.mean(mean))] * channels, [float(np.mean(std))] * channels
    return list(mean), list(std)


def find_weights(spec: RunSpec, path: str | None, reporter: Reporter, stop: Callable[[], bool]) -> weights.Found | None:
    """The first weights that a spec asks for; a download tells how far it is.

    Raises:
        Stopped: `stop()` became true on the way.
        Unavailable: They are not here and cannot be fetched.
    """
    tell = _progress(reporter, stop, "fetching weights", lambda count: f"{count / 1e6:,.0f} MB")
    return weights.find(weights.Asked(spec.model, Path(path) if path else None, tell))


def build_network(spec: RunSpec, about: dict[str, Any], found: weights.Found | None, reporter: Reporter) -> nn.Module:
    """The network with its first weights; what became of them is told as an event."""
    shape, classes = about["preprocessing"], about["classes"]
    network = model.build(spec.model, classes=len(classes), channels=shape["channels"], image_size=shape["image_size"])
    if found:
        reporter.message("info", f"Weights: {weights.load(network, spec.model, found, classes=classes)}")
    return network


def build(
    spec: RunSpec, data: Prepared, device: torch.device, network: nn.Module
) -> tuple[Training, Recipe, Batches, Batches]:
    """A training at its beginning, how it goes on, and the batches to train on and to judge by."""
    shape, asked = data.about["preprocessing"], spec.optimisation
    network = network.to(device).to(memory_format=torch.channels_last)  # as the batches are: nothing is turned round
    shuffle = torch.Generator().manual_seed(spec.seed)
    labels, classes = data.arrays.labels[data.parts.train], len(data.about["classes"])
    same = {"batch_size": asked.batch_size, "mean": shape["mean"], "std": shape["std"], "device": device}
    train = Batches(
        data.arrays,
        data.parts.train,
        shuffle=shuffle,
        augment=augmenter(
            spec.data.augmentations,
            strength=spec.data.augmentation_strength,
            size=shape["image_size"],
            channels=shape["channels"],
        ),
        weights=class_weights(labels, classes)[labels] if asked.balance == "sampling" else None,
        **same,
    )
    validation = Batches(data.arrays, data.parts.validation, **same)
    stages = stages_of(network, spec.model)
    training = Training(network, build_optimizer(asked, stages, spec.rates), shuffle, asked.ema_decay)
    thawing = Thawing(stages, spec.thaw_plan, with_statistics=spec.freeze.batchnorm)
    recipe = Recipe.of(spec, Objective(asked, labels, classes).to(device), thawing, len(train))
    return training, recipe, train, validation


def _progress(
    reporter: Reporter,
    stop: Callable[[], bool],
    phase: str = "preparing data",
    words: Callable[[int], str] = lambda count: f"{count:,} images",
) -> Callable[[int, int], None]:
    """Tells how far it is, about twice a second."""
    began = told = time.perf_counter()

    def report(done: int, total: int) -> None:
        nonlocal told
        now = time.perf_counter()
        if stop():
            raise Stopped(f"stopped while {phase}.")
        if now - told >= 0.5:
            told = now
            eta_s = (now - began) / done * (total - done) if done else None
            reporter.progress(phase, eta_s=eta_s, message=f"{words(done)} of {words(total)}")

    return report
