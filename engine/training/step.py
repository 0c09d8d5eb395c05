"""One optimiser step, in as many parts as memory asks."""

from contextlib import nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from engine.protocol.events import EventCode, Say, unsaid
from engine.training.criterion import Criterion
from engine.training.distributed.process_group import ProcessGroup
from engine.training.failures import is_out_of_memory
from engine.training.memory import free_memory
from engine.training.precision import Format
from engine.training.randomness import restore_torch_random, torch_random_state
from engine.training.state import RuntimeChoices


@dataclass(slots=True)
class Stepper:
    """Computes gradients of a batch part by part and moves the weights once.

    When memory runs out, what was begun is dropped and the same step is tried with twice as many parts, from the
    same random numbers. The mean over the batch stays what it was; only layers that average over the batch (BatchNorm)
    see smaller ones, and count those of the failed try among their statistics.
    """

    criterion: Criterion
    format: Format
    choices: RuntimeChoices
    clip_norm: float = 0.0  # 0: gradients are left as they are
    warn: Say = unsaid  # among the run's events
    group: ProcessGroup = field(default_factory=ProcessGroup)
    scaler: torch.amp.GradScaler = field(init=False)

    def __post_init__(self) -> None:
        self.scaler = self.format.scaler
        if self.choices.scale:
            self.scaler.load_state_dict(self.choices.scale)

    def step(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The batch's mean loss, () float32, of all ranks' parts of it, and logits (n, classes) float32 of this rank's.

        Args:
            model: Maps what `images` holds to logits; wrapped by the process group.
            optimizer: Moves the weights.
            images: (n, ...) float32, images or features.
            labels: (n,) int64

        Raises:
            torch.OutOfMemoryError: A single image does not fit; on a CPU a RuntimeError that says so.
        """
        images, targets = self.criterion.mixup(images, labels)
        while True:
            rng_state = torch_random_state(images.device)
            if made := self._gradients(model, images, targets):
                break
            optimizer.zero_grad(set_to_none=True)
            self._smaller(model, len(images))
            restore_torch_random(rng_state, images.device)
        if self.clip_norm:
            self.scaler.unscale_(optimizer)
            self._clip(model)
        self.scaler.step(optimizer)
        self.scaler.update()
        self.choices.scale = self.scaler.state_dict()
        optimizer.zero_grad(set_to_none=True)
        return made

    def _gradients(self, model: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor] | None:
        """Loss and logits; None: memory ran out, here or at another rank, and what was held is free again."""
        group, pieces, fits = self.group, min(self.choices.parts, len(images)), True
        losses, logits = [], []
        # gradients become the mean over the ranks: each rank's part of the batch counts by its weight sum
        whole = (
            group.sum(self.criterion.weight_sum(targets)) / group.world_size if pieces * group.world_size > 1 else None
        )
        parts = zip(images.tensor_split(pieces), targets.tensor_split(pieces), strict=True)
        try:
            for place, (some, their) in enumerate(parts):
                with group.no_sync(model) if place < pieces - 1 else nullcontext():
                    share = 1.0 if whole is None else self.criterion.weight_sum(their) / whole
                    loss, made = self._forward(model, some, their, share)
                    losses.append(loss.detach())
                    logits.append(made)
                    if group.world_size == 1 or place < pieces - 1:
                        self.scaler.scale(loss).backward()
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or self.choices.parts >= len(images):
                raise
            fits = False
        if group.any(not fits):
            return None
        if group.world_size > 1:  # all ranks at once, so nobody can go back from here
            self.scaler.scale(loss).backward()
        if pieces * group.world_size == 1:
            return losses[0], logits[0]
        return group.sum(torch.stack(losses).sum()) / group.world_size, torch.cat(logits)

    def _clip(self, model: nn.Module) -> None:
        clip_grad_norm_(model.parameters(), self.clip_norm)

    def _forward(
        self, model: nn.Module, images: Tensor, targets: Tensor, share: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        with self.format.cast():
            logits = model(images).float()
            return self.criterion(logits, targets) * share, logits.detach()

    def _smaller(self, model: nn.Module, images: int) -> None:
        self.choices.parts *= 2
        free_memory()
        size = -(-images // self.choices.parts)
        norms = any(isinstance(one, nn.modules.batchnorm._BatchNorm) and one.training for one in model.modules())
        code = EventCode.MEMORY_SHORT_NORMS if norms else EventCode.MEMORY_SHORT
        self.warn(code, images=images, parts=self.choices.parts, size=size)
