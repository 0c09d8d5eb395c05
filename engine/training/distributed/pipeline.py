"""A network spread over processes: each has some of its stages, and micro-batches pass through one behind the other.

The schedules are GPipe (Huang et al., 2019) and 1F1B (Narayanan et al., 2019), as torch.distributed.pipelining makes
them.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe
from torch.nn.utils import clip_grads_with_norm_, get_total_norm
from torch.utils.flop_counter import FlopCounterMode

from engine.errors import Unavailable
from engine.specs import RunSpec
from engine.training.distributed.process_group import DDPGroup
from engine.training.distributed.rank import GPUS
from engine.training.network.cut import CannotCut, Pieces, pieces
from engine.training.precision import Format
from engine.training.state import Training
from engine.training.step import Stepper

LossOf = Callable[[Tensor, Tensor], Tensor]  # logits, targets of a micro-batch -> its share of the batch's mean loss


class PipelineGroup(DDPGroup):
    """One of several processes that each have some of the stages. All draw the same batches; what the last one finds
    out, loss and logits, all get to know.

    Raises:
        Unavailable: There are fewer GPUs than processes.
    """

    splits_network = True

    def __init__(self, device: torch.device, spec: RunSpec) -> None:
        if device.type == "cuda" and int(os.environ[GPUS]) < int(os.environ["WORLD_SIZE"]):
            raise Unavailable(
                f"A pipeline of {os.environ['WORLD_SIZE']} processes needs as many GPUs, and {os.environ[GPUS]} are "
                "here.",
                "Ask for fewer processes, or choose the CPU.",
            )
        super().__init__(device)
        self._spec = spec
        self._plan: Plan

    @property
    def share(self) -> tuple[int, int]:
        return 0, 1

    def sum(self, value: Tensor) -> Tensor:
        """The value itself, (any shape), any dtype: all ranks know the same."""
        return value

    def sync_buffers(self, model: nn.Module) -> None:
        """Statistics of a stage are its owner's alone."""

    def setup(self, training: Training, image: Tensor, form: Format) -> None:
        """Cut the network; only this rank's piece stays on its device, and of the optimiser only its state.

        Args:
            image: (1, C, H, W) float32

        Raises:
            Unavailable: In fp16, or where the network cannot be cut into so many pieces.
        """
        if form.scaler.is_enabled():
            raise Unavailable(
                "fp16 cannot be computed in a pipeline: its ranks would scale apart.", "Choose bf16 or fp32."
            )
        for network in _networks(training):
            network.eval()
        self._plan = planned(training.model, self._spec, image, form, self.world_size)
        for network in _networks(training):
            for place, other in enumerate(self._plan.pieces.of(network)):
                if place != self.rank:
                    other.to("cpu")
        kept = {id(value) for value in self._own(training.model).parameters()}
        for value in [value for value in training.optimizer.state if id(value) not in kept]:
            del training.optimizer.state[value]
        dist.broadcast(training.totals, src=0)

    def wrap(self, model: nn.Module) -> nn.Module:
        return PipelinedModel(self, self._plan, model, self._spec.compute.micro_batches)

    wrap_for_eval = wrap

    def gather_states(self, training: Training) -> list[dict[str, Any]]:
        """As of all ranks; and the first one takes over what the others have learned, for it saves the whole."""
        held = [self._own(network).state_dict() for network in _networks(training)]
        names = dict(self._own(training.model).named_parameters())
        moments = {name: training.optimizer.state.get(value, {}) for name, value in names.items()}
        states: list[Any] = [None] * self.world_size
        dist.gather_object(_on_cpu([held, moments]), states if self.is_first else None, dst=0, group=self._cpu_group)
        if self.is_first:
            every = dict(training.model.named_parameters())
            for theirs, moments in states[1:]:
                for network, values in zip(_networks(training), theirs, strict=True):
                    network.load_state_dict(values, strict=False)
                for name, moment in moments.items():
                    if moment:
                        training.optimizer.state[every[name]] = moment
        return super().gather_states(training)

    def from_first(self, value: Tensor) -> Tensor:
        """Collective: the first rank's; the others give a tensor of the same shape and type, (any shape), any dtype."""
        dist.broadcast(value := value.contiguous(), src=0)
        return value

    def from_last(self, value: Tensor) -> Tensor:
        """Collective: the last rank's; the others give a tensor of the same shape and type, (any shape), any dtype."""
        dist.broadcast(value := value.contiguous(), src=self.world_size - 1)
        return value

    def norm(self, gradients: Sequence[Tensor]) -> Tensor:
        """Collective: the norm, () float32, of the gradients of all stages, each of any shape."""
        square = get_total_norm(gradients).to(self.device) ** 2
        dist.all_reduce(square)
        return square.sqrt()

    def _own(self, network: nn.Module) -> nn.Module:
        return self._plan.pieces.of(network)[self.rank]


class PipelinedModel(nn.Module):
    """The network as a rank calls it: maps images (n, C, H, W), which only the first reads, to logits, known to all.

    Every call is collective.

    Args:
        pipe: This rank's group.
        plan: Where the network is cut.
        network: The whole; only this rank's piece of it computes here.
        micro_batches: That a batch is passed on in, at most.
    """

    def __init__(self, pipe: PipelineGroup, plan: "Plan", network: nn.Module, micro_batches: int) -> None:
        super().__init__()
        all_pieces = plan.pieces.of(network)
        self._pipe, self._plan, self._micro_batches = pipe, plan, micro_batches
        learns = [any(value.requires_grad for value in piece.parameters()) for piece in all_pieces]
        self._learns = [False, *itertools.accumulate(learns, lambda before, now: before or now)]  # what crosses there
        self.piece = _Piece(all_pieces[pipe.rank], plan.form)
        self._made: dict[tuple[int, bool], Any] = {}
        self._loss_of: LossOf

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) float32 of images (n, C, H, W) float32."""
        made = self._schedule(len(images), learns=False).eval(*self._entering(images))
        return self._logits(made, len(images))

    def learn(self, images: Tensor, targets: Tensor, loss_of: LossOf) -> tuple[Tensor, Tensor]:
        """Forward and backward pass: the gradients are there.

        Args:
            images: (n, C, H, W) float32
            targets: (n,) int64 or (n, classes) float32
            loss_of: Maps logits and targets of a micro-batch to its share of the batch's mean loss.

        Returns:
            The batch's mean loss () float32 and its logits (n, classes) float32, neither with a history.
        """
        self._loss_of, losses = loss_of, list[Tensor]()
        is_last = self._pipe.rank == self._pipe.world_size - 1
        schedule = self._schedule(len(images), learns=True)
        made = schedule.step(
            *self._entering(images), target=targets if is_last else None, losses=losses if is_last else None
        )
        loss = torch.stack(losses).sum().detach() if is_last else torch.zeros((), device=images.device)
        return self._pipe.from_last(loss.float()), self._logits(made, len(images))

    def _entering(self, images: Tensor) -> list[Tensor]:
        return [images] if self._pipe.is_first else []

    def _logits(self, made: Tensor | None, images: int) -> Tensor:
        shape = (images, *self._plan.crossing[-1].shape)
        logits = torch.empty(shape, device=self._pipe.device) if made is None else made.detach().float()
        return self._pipe.from_last(logits)

    def _schedule(self, images: int, *, learns: bool) -> Any:
        """One for each size of a batch, such as the shorter last one: its buffers have the shape of a micro-batch."""
        if (images, learns) not in self._made:
            rank, world_size = self._pipe.rank, self._pipe.world_size
            count = max(parts for parts in range(1, self._micro_batches + 1) if images % parts == 0)
            takes, gives = (
                self._plan.crossing[place].of(images // count, learns and self._learns[place])
                for place in (rank, rank + 1)
            )
            stage = PipelineStage(self.piece, rank, world_size, self._pipe.device, input_args=takes, output_args=gives)
            kind = Schedule1F1B if count >= world_size else ScheduleGPipe  # which needs as many parts as ranks
            self._made[images, learns] = kind(stage, count, loss_fn=self._loss if learns else None, scale_grads=False)
        return self._made[images, learns]

    def _loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return self._loss_of(logits, targets)


class PipelineStepper(Stepper):
    """As `Stepper`, with gradients by way of the pipe. Memory that runs out ends the run: others wait in the middle."""

    group: PipelineGroup

    def _gradients(self, model: nn.Module, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        assert isinstance(model, PipelinedModel)
        targets = self.group.from_first(targets)
        whole = self.criterion.weight_sum(targets)

        def loss_of(logits: Tensor, their: Tensor) -> Tensor:
            return self.criterion(logits.float(), their) * (self.criterion.weight_sum(their) / whole)

        return model.learn(images, targets, loss_of)

    def _clip(self, model: nn.Module) -> None:
        values = [value for value in model.parameters() if value.grad is not None]
        norm = self.group.norm([value.grad for value in values if value.grad is not None])
        clip_grads_with_norm_(values, self.clip_norm, norm)


@dataclass(frozen=True, slots=True)
class _Crossing:
    """What crosses between two pieces, of one image."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    def of(self, images: int, learns: bool) -> Tensor:
        return torch.empty(images, *self.shape, dtype=self.dtype, device="meta", requires_grad=learns)


@dataclass(frozen=True, slots=True)
class Plan:
    """The same on every rank, and whenever it is made again."""

    pieces: Pieces
    crossing: list[_Crossing]  # before, between and behind the pieces
    form: Format


class _Piece(nn.Module):
    """What crosses is contiguous, as the buffers that receive it; within, images have their channels last."""

    def __init__(self, inner: nn.Module, form: Format) -> None:
        super().__init__()
        self._inner, self._form = inner, form

    def forward(self, images: Tensor) -> Tensor:
        turned = images.contiguous(memory_format=torch.channels_last) if images.dim() == 4 else images
        with self._form.cast():
            return self._inner(turned).contiguous()


@torch.no_grad()
def planned(network: nn.Module, spec: RunSpec, image: Tensor, form: Format, world_size: int) -> Plan:
    """Cut a network into pieces of about the same arithmetic, counted on one image.

    Args:
        network: As `model.build` made it.
        spec: Of the run.
        image: (1, C, H, W) float32
        form: The number format that it computes in.
        world_size: How many pieces.

    Raises:
        Unavailable: It cannot be cut into so many.
    """
    names = [name for name in list(spec.thaw_plan)[1:] if _is_cut_before(network, spec, name)]
    if len(names) + 1 < world_size:
        raise Unavailable(
            f"{spec.model.backbone} can be cut into at most {len(names) + 1} pieces, and {world_size} processes "
            "were asked for.",
            "Ask for fewer.",
        )
    flops, value, crossing = [], image, [_Crossing(tuple(image.shape[1:]), image.dtype)]
    for inner in pieces(network, spec.model, names).of(network):
        with FlopCounterMode(display=False) as counted:
            value = _Piece(inner, form)(value)
        flops.append(counted.get_total_flops())
        crossing.append(_Crossing(tuple(value.shape[1:]), value.dtype))
    ends = balanced(tuple(flops), world_size)
    cut = pieces(network, spec.model, [names[end - 1] for end in ends[:-1]])
    return Plan(cut, [crossing[0], *(crossing[end] for end in ends)], form)


def balanced(costs: tuple[int, ...], shares: int) -> list[int]:
    """Where each of so many neighbouring shares ends, so that the largest is as small as can be."""

    @cache
    def best(start: int, left: int) -> tuple[int, tuple[int, ...]]:
        if left == 1:
            return sum(costs[start:]), (len(costs),)
        tries = []
        for end in range(start + 1, len(costs) - left + 2):
            largest, ends = best(end, left - 1)
            tries.append((max(sum(costs[start:end]), largest), (end, *ends)))
        return min(tries)

    return list(best(0, shares)[1])


def _is_cut_before(network: nn.Module, spec: RunSpec, name: str) -> bool:
    try:
        pieces(network, spec.model, [name])
    except CannotCut:
        return False
    return True


def _networks(training: Training) -> list[nn.Module]:
    return [training.model, training.average.module] if training.average else [training.model]


def _on_cpu(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {name: _on_cpu(one) for name, one in value.items()}
    return [_on_cpu(one) for one in value] if isinstance(value, list) else value
