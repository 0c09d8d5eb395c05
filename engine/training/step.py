"""One optimiser step, in as many parts as memory asks."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from engine.training.failures import is_out_of_memory
from engine.training.objective import Objective
from engine.training.precision import Format
from engine.training.state import Choices

Say = Callable[[str], None]


@dataclass(slots=True)
class Stepper:
    """Computes gradients of a batch part by part and moves the weights once.

    When memory runs out, what was begun is dropped and the same step is tried with twice as many parts, from the
    same chances. The mean over the batch stays what it was; only layers that average over the batch (BatchNorm)
    see smaller ones.
    """

    objective: Objective
    format: Format
    choices: Choices
    clip_norm: float = 0.0  # 0: gradients are left as they are
    say: Say = lambda text: None  # a warning among the run's events
    scaler: torch.amp.GradScaler = field(init=False)

    def __post_init__(self) -> None:
        self.scaler = self.format.scaler
        if self.choices.scale:
            self.scaler.load_state_dict(self.choices.scale)

    def take(
        self, enter: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The batch's mean loss, and logits (n, classes).

        Args:
            enter: Maps what `images` holds to logits.

        Raises:
            torch.OutOfMemoryError: A single image does not fit; on a CPU a RuntimeError that says so.
        """
        images, targets = self.objective.mix(images, labels)
        while True:
            chance = _chance(images.device)
            try:
                loss, logits = self._gradients(enter, images, targets)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or self.choices.parts >= len(images):
                    raise
            # out here the exception is gone, and with it what its frames held
            optimizer.zero_grad(set_to_none=True)
            self._smaller(enter, len(images))
            _restore_chance(chance, images.device)
        if self.clip_norm:
            self.scaler.unscale_(optimizer)
            clip_grad_norm_(enter.parameters(), self.clip_norm)
        self.scaler.step(optimizer)
        self.scaler.update()
        self.choices.scale = self.scaler.state_dict()
        optimizer.zero_grad(set_to_none=True)
        return loss, logits

    def _gradients(self, enter: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        pieces = min(self.choices.parts, len(images))
        if pieces == 1:
            return self._backward(enter, images, targets, 1.0)
        whole, losses, logits = self.objective.mass(targets), [], []
        for some, their in zip(images.tensor_split(pieces), targets.tensor_split(pieces), strict=True):
            loss, made = self._backward(enter, some, their, self.objective.mass(their) / whole)
            losses.append(loss)
            logits.append(made)
        return torch.stack(losses).sum(), torch.cat(logits)

    def _backward(
        self, enter: nn.Module, images: Tensor, targets: Tensor, share: Tensor | float
    ) -> tuple[Tensor, Tensor]:
        with self.format.cast():
            logits = enter(images).float()
            loss = self.objective(logits, targets) * share
        self.scaler.scale(loss).backward()
        return loss.detach(), logits.detach()

    def _smaller(self, enter: nn.Module, images: int) -> None:
        self.choices.parts *= 2
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        size = -(-images // self.choices.parts)
        told = f"Out of memory: batches of {images} are now computed in {self.choices.parts} parts of {size}"
        norms = any(isinstance(one, nn.modules.batchnorm._BatchNorm) and one.training for one in enter.modules())
        exact = "; BatchNorm sees these smaller parts." if norms else "; what is learned stays the same."
        self.say(told + exact)


def _chance(device: torch.device) -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _restore_chance(state: tuple[Tensor, Tensor | None], device: torch.device) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
