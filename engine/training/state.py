"""Where a run stands: everything that changes while training and is needed to go on as if never interrupted."""

import random
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(slots=True)
class Position:
    epoch: int = 0  # completed ones
    step: int = 0  # optimiser steps since the run began
    batch: int = 0  # batches done of the epoch under way


@dataclass(slots=True)
class Training:
    """The model, its optimiser, the shuffles' generator, and how far they have come."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    at: Position = field(default_factory=Position)
    shuffle: Tensor = field(init=False)  # the generator's state when the epoch under way began
    totals: Tensor = field(init=False)  # of that epoch so far, on the device: sum of losses, images right, images

    def __post_init__(self) -> None:
        self.shuffle = self.generator.get_state()
        self.totals = torch.zeros(3, device=next(self.model.parameters()).device)

    def count(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """One step is done. Nothing here waits for the device."""
        right = (logits.argmax(dim=1) == labels).sum()
        self.totals += torch.stack([loss * len(labels), right, torch.full_like(right, len(labels))])
        self.at.batch += 1
        self.at.step += 1

    @property
    def images(self) -> int:
        """Trained on so far in the epoch under way; waits for the device."""
        return int(self.totals[2])

    def train_loss_and_accuracy(self) -> tuple[float, float]:
        """Means over the epoch under way, as seen while training; waits for the device."""
        loss, right, images = self.totals.tolist()
        return loss / images, right / images

    def finish_epoch(self) -> None:
        self.at.epoch += 1
        self.at.batch = 0
        self.shuffle = self.generator.get_state()
        self.totals.zero_()

    def resume_state(self) -> dict[str, Any]:
        """What `resume` needs beside the weights; plain values and tensors only, as `weights_only` loading asks."""
        return {
            "position": asdict(self.at),
            "optimizer": self.optimizer.state_dict(),
            "shuffle": self.shuffle,
            "totals": self.totals.cpu(),
            "random": random_state(),
        }

    def resume(self, weights: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Go on exactly where `state` and `weights` were saved."""
        self.model.load_state_dict(weights)
        self.optimizer.load_state_dict(state["optimizer"])
        self.at = Position(**state["position"])
        self.shuffle = state["shuffle"]
        self.generator.set_state(self.shuffle)
        self.totals.copy_(state["totals"])
        restore_random(state["random"])


def seed_all(seed: int) -> None:
    """Begin every source of chance (Python, NumPy, torch on all devices) at `seed`."""
    random.seed(seed)
    np.random.seed(seed)  # the global one: libraries draw from it
    torch.manual_seed(seed)


def random_state() -> dict[str, Any]:
    version, numbers, gauss = random.getstate()
    name, keys, *rest = np.random.get_state()
    return {
        "python": (version, numbers, gauss),
        "numpy": (name, torch.from_numpy(np.asarray(keys, dtype=np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random(state: dict[str, Any]) -> None:
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if len(state["cuda"]) == torch.cuda.device_count():  # another machine: chance goes on, but not the same
        torch.cuda.set_rng_state_all(state["cuda"])
