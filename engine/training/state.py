"""Where a run stands: everything that changes while training and is needed to go on as if never interrupted."""

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from engine.training.network.model import load_tensors
from engine.training.optimiser import PlateauTracker
from engine.training.randomness import SEED_STEP, random_state, restore_random, seed_all


@dataclass(slots=True)
class TrainingProgress:
    epoch: int = 0  # completed ones
    step: int = 0  # optimiser steps since the run began
    batch: int = 0  # batches done of the epoch under way


@dataclass(slots=True)
class RuntimeChoices:
    """What was found out on the way, and a resumed run keeps to."""

    precision: str = ""  # "": not chosen yet
    parts: int = 1  # of a batch, as memory asks
    worth: dict[str, bool] = field(default_factory=dict)  # boundary -> whether features are kept there
    scale: dict[str, Any] = field(default_factory=dict)  # the gradient scaler's state


@dataclass(slots=True)
class Training:
    """The model, its optimiser, the shuffles' generator, and how far they have come.

    With `ema_decay` a running average of the weights is kept, which is what is evaluated and saved.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    ema_decay: float = 0.0
    progress: TrainingProgress = field(default_factory=TrainingProgress)
    plateau: PlateauTracker = field(default_factory=PlateauTracker)
    choices: RuntimeChoices = field(default_factory=RuntimeChoices)
    average: AveragedModel | None = field(init=False, default=None)
    shuffle: Tensor = field(init=False)  # the generator's state when the epoch under way began
    totals: Tensor = field(init=False)  # of that epoch so far, on the device: sum of losses, images right, images

    def __post_init__(self) -> None:
        self.shuffle = self.generator.get_state()
        self.totals = torch.zeros(3, device=next(self.model.parameters()).device)
        if self.ema_decay:
            follow = get_ema_multi_avg_fn(self.ema_decay)
            self.average = AveragedModel(self.model, multi_avg_fn=follow, use_buffers=True)

    @property
    def eval_model(self) -> nn.Module:
        """The network whose quality counts: the average where one is kept."""
        return self.average.module if self.average else self.model

    def count(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """One step is done. Nothing here waits for the device.

        Args:
            loss: () float32, the batch's mean.
            logits: (n, classes) float32
            labels: (n,) int64
        """
        right = (logits.argmax(dim=1) == labels).sum()
        self.totals += torch.stack([loss * len(labels), right, torch.full_like(right, len(labels))])
        if self.average:
            self.average.update_parameters(self.model)
        self.progress.batch += 1
        self.progress.step += 1

    @property
    def images(self) -> int:
        """Trained on by this process so far in the epoch under way; waits for the device."""
        return int(self.totals[2])

    def finish_epoch(self) -> None:
        self.progress.epoch += 1
        self.progress.batch = 0
        self.shuffle = self.generator.get_state()
        self.totals.zero_()

    def own_state(self) -> dict[str, Any]:
        """What each rank has of its own: its generators' states, and what it counted of the epoch under way."""
        return {"random": random_state(), "totals": self.totals.cpu()}

    def resume_state(self, ranks: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """What `resume` needs beside the weights; plain values and tensors only, as `weights_only` loading asks.

        Args:
            ranks: `own_state` of every rank, where several train together.
        """
        return {
            "position": asdict(self.progress),
            "optimizer": self.optimizer.state_dict(),
            "shuffle": self.shuffle,
            "trend": asdict(self.plateau),
            "choices": asdict(self.choices),
            **(self._beside_the_average() if self.average else {}),
            "ranks": ranks or [self.own_state()],
        }

    def resume(self, weights: dict[str, Tensor], state: dict[str, Any], share: tuple[int, int] = (0, 1)) -> int:
        """Go on exactly where `state` and `weights` were saved.

        Args:
            share: (rank, processes) that train together now. Of as many as then, each goes on with its own generators.

        Returns:
            How many trained together then.
        """
        load_tensors(self.eval_model, weights)
        if self.average:
            load_tensors(self.model, state["model"])
            self.average.n_averaged.fill_(state["averaged"])
        self.plateau = PlateauTracker(**state.get("trend", {}))
        self.choices = RuntimeChoices(**state.get("choices", {}))
        own = [dict(group) for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for group, names in zip(self.optimizer.param_groups, own, strict=True):  # Thaw's, which torch replaces as well
            group.update({name: names[name] for name in ("name", "share") if name in names})
        self.progress = TrainingProgress(**state["position"])
        self.shuffle = state["shuffle"]
        self.generator.set_state(self.shuffle)
        ranks = state.get("ranks") or [{"random": state["random"], "totals": state["totals"]}]
        rank, processes = share
        if len(ranks) == processes:
            self.totals.copy_(ranks[rank]["totals"])
            restore_random(ranks[rank]["random"])
        else:
            counted = torch.stack([one["totals"] for one in ranks]).sum(dim=0)
            self.totals.copy_(counted if rank == 0 else torch.zeros_like(counted))
            restore_random(ranks[0]["random"])
            if rank:  # random numbers of this rank's own, others after each resume
                seed_all((torch.initial_seed() + rank * SEED_STEP + self.progress.step) % 2**31)
        return len(ranks)

    def _beside_the_average(self) -> dict[str, Any]:
        assert self.average is not None
        weights = {name: value.detach().cpu() for name, value in self.model.state_dict().items()}
        return {"model": weights, "averaged": int(self.average.n_averaged)}
