"""The optimiser a spec names, one group of weights for each learning rate, and how those rates move."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine import specs
from engine.catalog import OPTIMIZERS
from engine.training.network.stages import Stage


def build_optimizer(options: specs.Optimisation, stages: list[Stage], rates: dict[str, float]) -> torch.optim.Optimizer:
    """The optimiser over all weights, frozen ones too: without a gradient they are passed over, and thaw in place.

    Stages that share a rate and a weight decay are one group, called "all" when it is the only rate. As one fused
    kernel where torch has it (6 times the speed for AdamW).
    """
    row = OPTIMIZERS[options.optimizer]
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for stage in stages:
        share = rates[stage.name]
        for weight in stage.parameters.values():
            decays = options.decay_on == "all" or weight.ndim > 1  # norms and biases have one dimension
            group = groups.setdefault(
                (share, decays),
                {
                    "params": [],
                    "name": "all" if len(set(rates.values())) == 1 else stage.name,
                    "share": share,
                    "weight_decay": options.weight_decay if decays else 0.0,
                },
            )
            group["params"].append(weight)
    arguments = {name: getattr(options, name) for name in row.takes}
    if row.fused:
        arguments["fused"] = True
    kind = getattr(torch.optim, row.torch_name)
    optimizer: torch.optim.Optimizer = kind(list(groups.values()), lr=options.learning_rate, **arguments)
    return optimizer


@dataclass(slots=True)
class PlateauTracker:
    """How validation goes: what the plateau schedule and early stopping follow."""

    best: float = -math.inf
    since: int = 0  # epochs without a better one
    drops: int = 0  # of the rate, by the plateau schedule
    waited: int = 0  # epochs without a better one or a drop

    def step(self, quality: float, patience: int | None) -> None:
        """One more epoch; `patience` of the plateau schedule, None: there is no such schedule."""
        if quality > self.best:
            self.best, self.since, self.waited = quality, 0, 0
            return
        self.since += 1
        self.waited += 1
        if patience is not None and self.waited >= patience:
            self.drops, self.waited = self.drops + 1, 0


class LRScheduler:
    """Sets the learning rate of every group before each step: a function of where the run stands, so never saved."""

    def __init__(self, options: specs.Optimisation, share: Callable[[float], float], steps_per_epoch: int) -> None:
        self._options = options
        self._share = share
        self._steps = steps_per_epoch

    @property
    def patience(self) -> int | None:
        return self._options.plateau_epochs if self._options.schedule == "plateau" else None

    def set(self, optimizer: torch.optim.Optimizer, step: int, plateau: PlateauTracker) -> None:
        """For the step after `step` steps."""
        rate = self._options.learning_rate * self._share(step / self._steps) * self._options.step_factor**plateau.drops
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]

    @staticmethod
    def read(optimizer: torch.optim.Optimizer) -> dict[str, float]:
        """Metric name -> rate, of the groups that learn now."""
        return {
            f"lr/{group['name']}": float(group["lr"])
            for group in optimizer.param_groups
            if any(weight.requires_grad for weight in group["params"])
        }
