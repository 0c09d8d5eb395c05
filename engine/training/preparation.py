"""From a spec to what the loop needs: decoded images, batches, network and optimiser."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.data import open_source
from engine.data.arrays import Arrays, mean_std, prepare
from engine.data.batches import Batches
from engine.data.split import Split, split
from engine.spec import RunSpec
from engine.training import model
from engine.training.events import Reporter
from engine.training.failures import Stopped
from engine.training.state import Training


@dataclass(frozen=True, slots=True)
class Prepared:
    arrays: Arrays
    parts: Split
    about: dict[str, Any]  # what a checkpoint explains: classes, preprocessing, spec


def prepare_data(
    dataset: dict[str, Any], spec: RunSpec, cache: Path, reporter: Reporter, stop: Callable[[], bool]
) -> Prepared:
    """The data set's images, decoded and resized as the spec asks, and which of them train or judge.

    Raises:
        Stopped: `stop()` became true on the way.
        Unavailable: An image's file is gone or was changed since the import.
    """
    source = open_source(dataset)
    channels = {"auto": 1 if dataset["channels"] == 1 else 3, "grey": 1, "colour": 3}[spec.data.channels]
    arrays = prepare(
        source,
        dataset["fingerprint"],
        image_size=spec.data.image_size,
        channels=channels,
        cache=cache,
        report=_progress(reporter, stop),
    )
    parts = split(source.labels, source.splits, fraction=spec.data.validation_fraction, seed=spec.data.split_seed)
    mean, std = mean_std(arrays.images, parts.train)
    shape = {"image_size": spec.data.image_size, "channels": channels, "mean": mean, "std": std}
    about = {"classes": list(source.classes), "preprocessing": shape, "spec": spec.model_dump()}
    return Prepared(arrays, parts, about)


def build(spec: RunSpec, data: Prepared, device: torch.device) -> tuple[Training, Batches, Batches]:
    """A training at its beginning, with the batches to train on and those to judge by."""
    shape = data.about["preprocessing"]
    network = model.build(
        spec.model,
        classes=len(data.about["classes"]),
        channels=shape["channels"],
        image_size=shape["image_size"],
    )
    network = network.to(device).to(memory_format=torch.channels_last)  # as the batches are: nothing is turned round
    shuffle = torch.Generator().manual_seed(spec.seed)
    training = Training(network, model.build_optimizer(spec.optimisation, network), shuffle)
    same = {"batch_size": spec.optimisation.batch_size, "mean": shape["mean"], "std": shape["std"], "device": device}
    train = Batches(data.arrays, data.parts.train, shuffle=shuffle, **same)
    validation = Batches(data.arrays, data.parts.validation, **same)
    return training, train, validation


def _progress(reporter: Reporter, stop: Callable[[], bool]) -> Callable[[int, int], None]:
    """Tells how far decoding is, about twice a second."""
    began = told = time.perf_counter()

    def report(done: int, total: int) -> None:
        nonlocal told
        now = time.perf_counter()
        if stop():
            raise Stopped("stopped while preparing data.")
        if now - told >= 0.5:
            told = now
            eta_s = (now - began) / done * (total - done)
            reporter.progress("preparing data", eta_s=eta_s, message=f"{done:,} of {total:,} images")

    return report
