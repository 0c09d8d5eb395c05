"""Number formats: the one a spec names, or the fastest on the user's own network, found out in a moment."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.catalog import PRECISIONS
from engine.training.randomness import random_state, restore_random

TRIAL_S, TRIAL_SHARE = 1.0, 0.03  # of all candidates: so long, or this share of the run if that is less
ROUNDS = 2  # and at least, after the one that warms up
FORMAT_FILE = "THAW_FORMAT_FILE"  # the environment's name for where the trials of one search keep theirs
PAYS_S = 3.0  # shorter runs are not timed: full precision


@dataclass(frozen=True, slots=True)
class Format:
    """How the forward and backward pass computes."""

    precision: str = "fp32"
    device: str = "cpu"  # torch's device type

    def cast(self) -> torch.autocast:
        """Opens the number format; outside of a full-precision one nothing changes."""
        name = PRECISIONS[self.precision].autocast
        return torch.autocast(self.device, getattr(torch, name) if name else None, enabled=bool(name))

    @property
    def scaler(self) -> torch.amp.GradScaler:
        """Keeps small gradients from vanishing; does nothing in formats that have no need of it."""
        return torch.amp.GradScaler(self.device, enabled=PRECISIONS[self.precision].scaled)


@dataclass(frozen=True, slots=True)
class Choice:
    format: Format
    measured: str  # what was measured, for the run's events; "" when nothing was


def choose(
    precision: str, device: torch.device, network: nn.Module, step: Callable[[Format], Tensor], steps: int
) -> Choice:
    """The format that a spec asks for; for "auto" the fastest of those that the device can compute in.

    Args:
        step: Computes the loss of one batch in a format.
        steps: Of the whole run.
    """
    if precision != "auto":
        return Choice(Format(precision, device.type), "")
    candidates = ["fp32", *(["bf16"] if _has_bf16(device) else ["fp16"] if device.type == "cuda" else [])]
    with _untouched(network):
        ways = {name: Format(name, device.type) for name in candidates}
        took = {"fp32": _warm(step, ways["fp32"], device)}
        run_s = took["fp32"] * steps
        if len(ways) < 2 or run_s < PAYS_S:
            return Choice(Format("fp32", device.type), "")
        took |= {name: _warm(step, ways[name], device) for name in candidates[1:]}
        took = _quickest(step, ways, device, took, min(TRIAL_S, TRIAL_SHARE * run_s))
    best = min(took, key=lambda name: took[name])
    words = ", ".join(f"{name} {1000 * seconds:.3g} ms a step" for name, seconds in took.items())
    return Choice(Format(best, device.type), f"Precision: {best}, the fastest here ({words}).")


def agreed(find: Callable[[], str]) -> str:
    """The format that all trials of a search compute in, so that they are compared alike: what the first one found."""
    kept = Path(os.environ.get(FORMAT_FILE, os.devnull))
    if kept.is_file():
        return kept.read_text()
    found = find()
    if FORMAT_FILE in os.environ:
        kept.parent.mkdir(parents=True, exist_ok=True)
        own = kept.with_name(f"{kept.name}.{uuid.uuid4().hex}")
        own.write_text(found)
        with suppress(FileExistsError):
            os.link(own, kept)  # of several at once one is the first
        own.unlink()
        return kept.read_text()
    return found


def _has_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and torch.backends.mkldnn.is_available()


def _quickest(
    step: Callable[[Format], Tensor],
    ways: dict[str, Format],
    device: torch.device,
    took: dict[str, float],
    patience: float,
) -> dict[str, float]:
    """Seconds of the quickest step in each format; in turns, so that another program slows all of them or none.

    Args:
        took: What was measured already.
    """
    took = dict(took)
    began, rounds = time.perf_counter(), 0
    while rounds < ROUNDS or time.perf_counter() - began < patience:
        for name, form in ways.items():
            took[name] = min(took[name], _seconds(step, form, device))
        rounds += 1
    return took


def _warm(step: Callable[[Format], Tensor], form: Format, device: torch.device) -> float:
    _seconds(step, form, device)  # kernels are chosen, memory is taken
    return _seconds(step, form, device)


def _seconds(step: Callable[[Format], Tensor], form: Format, device: torch.device) -> float:
    """Forward and backward, once."""
    began = time.perf_counter()
    step(form).backward()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


@contextmanager
def _untouched(network: nn.Module) -> Iterator[None]:
    """Leave no trace in statistics, gradients or random number generators."""
    buffers = {name: value.clone() for name, value in network.named_buffers()}
    rng_state = random_state()
    try:
        yield
    finally:
        for name, value in network.named_buffers():
            value.copy_(buffers[name])
        network.zero_grad(set_to_none=True)
        restore_random(rng_state)
