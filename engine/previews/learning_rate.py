"""A learning rate to begin with: the range test of Smith 2017 (Cyclical Learning Rates), as fastai made it known."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from engine.data.batches import Batches
from engine.errors import Unavailable
from engine.previews.job import PreviewJob
from engine.protocol.run_reporter import NullReporter
from engine.training import device as devices
from engine.training.preparation import build, build_network, find_weights, prepare_data
from engine.training.randomness import seed_all

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 80
SMOOTHING = 0.9
REACH = 8  # steps to both sides of a slope: single batches jump about
DIVERGED = 4.0  # times the best loss: nothing beyond is worth a step


def rates(job: PreviewJob) -> dict[str, Any]:
    """Train a throw-away copy with a rate that grows at every step; {"rates", "losses", "suggestion"}.

    The loss is smoothed. The suggestion is where it falls fastest: steps there teach most, and well before it rises.

    Raises:
        Unavailable: The loss is not finite even at tiny rates.
    """
    spec, request = job.spec, job.request
    device = devices.choose(spec.device)
    devices.prepare(device)
    seed_all(spec.seed)
    quiet = NullReporter()
    found = find_weights(spec, request["weights_path"], quiet, lambda: False)
    norm_stats = found.norm_stats if found else None
    data = prepare_data(request["dataset"], spec, Path(request["cache"]), quiet, lambda: False, norm_stats=norm_stats)
    network = build_network(spec, data.about, found, quiet)
    training, recipe, epoch_data = build(spec, data, device, network)
    training.model.train()
    recipe.unfreezing.begin_epoch(0)
    tried: list[float] = []
    losses: list[float] = []
    average = 0.0
    for step, (images, labels) in enumerate(_endless(epoch_data.train)):
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
        for group in training.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        images, targets = recipe.criterion.mixup(images, labels)
        loss = recipe.criterion(training.model(images), targets)
        loss.backward()
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)
        average = SMOOTHING * average + (1 - SMOOTHING) * loss.item()
        smooth = average / (1 - SMOOTHING ** (step + 1))
        if not math.isfinite(smooth) or (losses and smooth > DIVERGED * min(losses)):
            break
        tried.append(rate)
        losses.append(smooth)
        job.report((step + 1) / STEPS, f"step {step + 1} of {STEPS}")
        if step + 1 == STEPS:
            break
    if len(tried) < STEPS // 4:
        raise Unavailable("The loss is not finite even at tiny rates: check normalisation and weights.")
    return {"rates": tried, "losses": losses, "suggestion": suggestion(tried, losses)}


def suggestion(tried: list[float], losses: list[float]) -> float:
    """The rate at which the loss falls fastest over the logarithm of the rate, with two digits at most."""
    lowest = min(range(REACH, len(losses)), key=lambda place: losses[place])
    falling = range(REACH, max(lowest, REACH + 1))
    steepest = min(falling, key=lambda place: losses[min(place + REACH, lowest)] - losses[place - REACH])
    return float(f"{tried[steepest]:.1e}")


def _endless(batches: Batches) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    while True:
        yield from batches
