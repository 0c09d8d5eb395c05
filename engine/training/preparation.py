"""From a spec to what the loop needs: decoded images, batches, network, optimiser and recipe."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.artifacts.predictions import Labelled
from engine.data import open_source
from engine.data.arrays import Arrays, NormStats, mean_std, prepare
from engine.data.augment import augmenter
from engine.data.batches import Batches, Pixels
from engine.data.split import Split, parts_of
from engine.data.streamed import Streamed
from engine.protocol.events import EventCode, Say
from engine.protocol.run_reporter import Reporter
from engine.specs import RunSpec
from engine.training.criterion import Criterion, class_weights
from engine.training.distributed.process_group import ProcessGroup
from engine.training.distributed.strategies import stepper_for
from engine.training.epoch_data import EpochData, TrainingData
from engine.training.failures import Stopped, is_out_of_memory
from engine.training.feature_cache import FeatureCache
from engine.training.network import model, weights
from engine.training.network.stages import UnfreezeSchedule, stages_of
from engine.training.optimiser import build_optimizer
from engine.training.precision import Format, agreed, choose
from engine.training.recipe import Recipe
from engine.training.state import Training
from engine.training.step import Stepper


@dataclass(frozen=True, slots=True)
class PreparedData:
    arrays: Arrays
    parts: Split
    identity: str  # of the data set and how its images are decoded and normalised
    about: dict[str, Any]  # what a checkpoint explains: classes, preprocessing, spec
    val_samples: Labelled | None = None  # the validation images, where predictions of each are kept


def prepare_data(
    dataset: dict[str, Any],
    spec: RunSpec,
    cache: Path,
    reporter: Reporter,
    stop: Callable[[], bool],
    *,
    norm_stats: NormStats | None = None,
) -> PreparedData:
    """The data set's images, decoded and resized as the spec asks, and which of them train or validate.

    Args:
        dataset: The data set's record, as run.json holds it.
        spec: Of the run.
        cache: The folder of all caches.
        reporter: Learns how far the decoding is.
        stop: Whether to give up.
        norm_stats: Those that the weights were trained with, where they say so.

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
        workers=torch.get_num_threads(),
    )
    if isinstance(arrays.images, Streamed):
        size = math.prod(arrays.images.shape) / 1e9
        reporter.message(EventCode.DECODED_ANEW, gigabytes=size)
    parts = parts_of(source.ids, source.labels, source.splits, spec.data, dataset.get("excluded", ()))
    mean, std = normalisation(spec, arrays.images, parts.train, norm_stats)
    shape = {
        "image_size": spec.data.image_size,
        "channels": channels,
        "resize": spec.data.resize,
        "mean": mean,
        "std": std,
    }
    about = {"classes": list(source.classes), "preprocessing": shape, "spec": spec.model_dump(mode="json")}
    identity = json.dumps([dataset.get("source_fingerprint") or dataset["fingerprint"], shape], sort_keys=True)
    ids = [source.ids[place] for place in parts.validation]
    val_samples = Labelled(dataset["id"], "validation", ids, source.labels[parts.validation])
    return PreparedData(arrays, parts, identity, about, val_samples)


def channels_of(dataset: dict[str, Any], spec: RunSpec) -> int:
    """Channels that images have when they reach the network."""
    own = 1 if dataset["channels"] == 1 else 3
    if own == 1 and spec.model.input_layer == "repeat" and spec.data.channels == "auto":
        own = 3  # a grey image decoded as colour is itself three times
    return {"auto": own, "grey": 1, "colour": 3}[spec.data.channels]


def normalisation(spec: RunSpec, images: np.ndarray | Streamed, train: np.ndarray, own: NormStats | None) -> NormStats:
    """What images are normalised by: those of the weights, of the training images, or nothing.

    Args:
        spec: Says which.
        images: (n, size, size, channels) uint8
        train: (k,) int64, indices of the training images.
        own: Those that the weights were trained with, where they are known.
    """
    channels = images.shape[-1]
    if spec.data.normalisation == "none":
        return NormStats([0.0] * channels, [1.0] * channels)
    if own is None or spec.data.normalisation == "data":
        return mean_std(images, train)
    if len(own.mean) != channels:  # colour weights on grey images, or the other way round
        return NormStats([float(np.mean(own.mean))] * channels, [float(np.mean(own.std))] * channels)
    return own


def find_weights(spec: RunSpec, path: str | None, reporter: Reporter, stop: Callable[[], bool]) -> weights.Found | None:
    """The first weights that a spec asks for.

    Args:
        spec: Of the run.
        path: Of the file that the spec means, where it means one.
        reporter: Learns how far a download is.
        stop: Whether to give up.

    Raises:
        Stopped: `stop()` became true on the way.
        Unavailable: They are not here and cannot be fetched.
    """
    report = _progress(reporter, stop, "fetching weights", lambda count: f"{count / 1e6:,.0f} MB")
    return weights.find(weights.Request(spec.model, Path(path) if path else None, report))


def build_network(spec: RunSpec, about: dict[str, Any], found: weights.Found | None, reporter: Reporter) -> nn.Module:
    """The network with its first weights.

    Args:
        spec: Of the run.
        about: "classes" and "preprocessing", as checkpoints explain them.
        found: The weights; None: they stay random.
        reporter: Gets a message of what became of them.
    """
    shape, classes = about["preprocessing"], about["classes"]
    network = model.build(spec.model, classes=len(classes), channels=shape["channels"], image_size=shape["image_size"])
    if found:
        reporter.message(EventCode.WEIGHTS, detail=weights.load(network, spec.model, found, classes=classes))
    return network


def build(
    spec: RunSpec, data: PreparedData, device: torch.device, network: nn.Module, *, share: tuple[int, int] = (0, 1)
) -> tuple[Training, Recipe, EpochData]:
    """A training at its beginning, how it goes on, and the images to train on and to validate with.

    Args:
        spec: Of the run.
        data: As `prepare_data` made it.
        device: That the network moves to.
        network: As `build_network` made it.
        share: (rank, processes) that train together.
    """
    shape, options = data.about["preprocessing"], spec.optimisation
    network = network.to(device).to(memory_format=torch.channels_last)  # as the batches are: nothing is turned round
    shuffle = torch.Generator().manual_seed(spec.seed)
    labels, classes = data.arrays.labels[data.parts.train], len(data.about["classes"])
    augment = augmenter(
        spec.data.augmentations,
        strength=spec.data.augmentation_strength,
        size=shape["image_size"],
        channels=shape["channels"],
    )
    pixels = Pixels(data.arrays.images, mean=shape["mean"], std=shape["std"], device=device, augment=augment)
    train = Batches(
        pixels,
        data.arrays.labels,
        data.parts.train,
        batch_size=options.batch_size,
        device=device,
        shuffle=shuffle,
        weights=class_weights(labels, classes)[labels] if options.balance == "sampling" else None,
        share=share,
    )
    validation = Batches(
        pixels.plain(),
        data.arrays.labels,
        data.parts.validation,
        batch_size=options.batch_size,
        device=device,
        share=share,
    )
    stages = stages_of(network, spec.model)
    training = Training(network, build_optimizer(options, stages, spec.rates), shuffle, options.ema_decay)
    unfreezing = UnfreezeSchedule(stages, spec.thaw_plan, with_statistics=spec.freeze.batchnorm)
    recipe = Recipe.of(spec, Criterion(options, labels, classes).to(device), unfreezing, len(train))
    return training, recipe, EpochData(train, validation)


def equip(
    spec: RunSpec,
    data: PreparedData,
    training: Training,
    recipe: Recipe,
    images: EpochData,
    *,
    cache: Path,
    reporter: Reporter,
    stop: Callable[[], bool],
    group: ProcessGroup | None = None,
) -> tuple[TrainingData, Stepper]:
    """What a training computes with: settled on now, or as the training settled that it goes on from.

    Args:
        spec: Of the run.
        data: As `prepare_data` made it.
        training: As `build` made it, or as a checkpoint left it.
        recipe: As `build` made it.
        images: As `build` made them.
        cache: The folder of all caches: features of frozen stages are kept there.
        reporter: Of the run's lines.
        stop: Whether to give up while features are computed.
        group: That trains together.
    """
    choices, device, group = training.choices, next(training.model.parameters()).device, group or ProcessGroup()
    if not choices.precision:
        choices.precision = group.broadcast(lambda: _precision(spec, training, recipe, images, reporter.message))
        choices.parts = spec.compute.parts
    form = Format(choices.precision, device.type)
    features = FeatureCache(
        spec,
        training.model,
        plain=images.validation.fetch,
        augmented=images.train.fetch,
        count=len(data.arrays.labels),
        identity=data.identity,
        folder=cache / "features",
        format=form,
        message=reporter.message,
        report=_progress(reporter, stop, "computing features"),
    )
    training_data = TrainingData(
        spec, training.model, images, features, choices=choices, message=reporter.message, group=group
    )
    group.setup(training, images.validation.fetch(torch.arange(1)), form)
    return training_data, stepper_for(group)(recipe.criterion, form, choices, recipe.clip_norm, reporter.message, group)


def _precision(spec: RunSpec, training: Training, recipe: Recipe, images: EpochData, message: Say) -> str:
    def found() -> str:
        steps = len(images.train) * (1 if spec.freeze.policy == "head" else spec.epochs)
        batch_loss, device = BatchLoss(training, recipe, images), next(training.model.parameters()).device
        choice = choose(spec.compute.precision, device, training.model, batch_loss, steps)
        if choice.measured:
            message(EventCode.PRECISION, detail=choice.measured)
        return choice.format.precision

    return agreed(found) if spec.compute.precision == "auto" else found()


class BatchLoss:
    """Computes the loss of one batch, as the first epoch will; of fewer images where memory runs out."""

    def __init__(self, training: Training, recipe: Recipe, images: EpochData) -> None:
        self._model, self._objective = training.model, recipe.criterion
        self._batch, self._labels = images.train.with_fetch(images.validation.fetch).sample()
        training.model.train()
        recipe.unfreezing.begin_epoch(0)

    def __call__(self, form: Format) -> torch.Tensor:
        while True:
            try:
                with form.cast():
                    logits = self._model(self._batch).float()
                return self._objective(logits, self._labels)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or len(self._labels) == 1:
                    raise
            half = len(self._labels) // 2
            self._batch, self._labels = self._batch[:half], self._labels[:half]


def _progress(
    reporter: Reporter,
    stop: Callable[[], bool],
    phase: str = "preparing data",
    quantity: Callable[[int], str] = lambda count: f"{count:,} images",
) -> Callable[[int, int], None]:
    """Reports how far it is, about twice a second."""
    began = reported = time.perf_counter()

    def report(done: int, total: int) -> None:
        nonlocal reported
        now = time.perf_counter()
        if stop():
            raise Stopped(phase)
        if now - reported >= 0.5:
            reported = now
            eta_s = (now - began) / done * (total - done) if done else None
            reporter.progress(phase, eta_s=eta_s, message=f"{quantity(done)} of {quantity(total)}")

    return report
