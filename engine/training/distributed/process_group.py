"""The processes that train together. Alone, every method is what one process does by itself.

A collective method must be called by every rank, in the same order; one that is late holds the others up.
"""

import datetime
import gc
import json
import os
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from engine.training.distributed.rank import GPUS
from engine.training.randomness import SEED_STEP, seed_all

if TYPE_CHECKING:
    from engine.training.precision import Format
    from engine.training.state import Training

T = TypeVar("T")

# Decoding a large data set is done by one rank while the others wait; a hung rank is found by the supervisor instead,
# which looks for progress.
PATIENCE = datetime.timedelta(days=7)


class ProcessGroup:
    """One process that trains alone."""

    rank, world_size = 0, 1
    splits_network = False  # each rank has all of it

    @property
    def is_first(self) -> bool:
        """Whether this rank reports, saves, and decides what is measured."""
        return self.rank == 0

    @property
    def share(self) -> tuple[int, int]:
        """(rank, processes), as `Batches` takes its part of every batch."""
        return self.rank, self.world_size

    def seed_ranks(self, seed: int) -> None:
        """From here on each rank draws other random numbers; what came before was the same for all."""

    def any(self, flag: bool) -> bool:
        """Collective: whether it is true for at least one rank."""
        return flag

    def sum(self, value: Tensor) -> Tensor:
        """Collective: the sum over ranks of a tensor, (any shape), any dtype, without gradient; waits for no device."""
        return value

    def gather(self, value: T) -> list[T]:
        """Collective: every rank's value, by rank."""
        return [value]

    def broadcast(self, make: Callable[[], T]) -> T:
        """Collective: what the first rank makes while the others wait."""
        return make()

    def rank0_first(self, make: Callable[[], T]) -> T:
        """Collective: every rank makes its own, the first before the others, which find what it left in caches."""
        return make()

    def setup(self, training: "Training", image: Tensor, form: "Format") -> None:
        """Collective, once, before the first step.

        Args:
            training: Whose steps are to come.
            image: One, as it enters the network: (1, C, H, W) float32.
            form: The number format that it computes in.
        """

    def wrap(self, model: nn.Module) -> nn.Module:
        """Collective: `model`, whose gradients after a backward pass are the mean over the ranks'."""
        return model

    def wrap_for_eval(self, model: nn.Module) -> nn.Module:
        """`model`, for its logits alone."""
        return model

    def no_sync(self, model: nn.Module) -> AbstractContextManager[None]:
        """Within it, gradients of a wrapped model are gathered without the other ranks'."""
        return nullcontext()

    def sync_buffers(self, model: nn.Module) -> None:
        """Collective: all take over the first rank's buffers (statistics of BatchNorm): those that are saved."""

    def gather_states(self, training: "Training") -> list[dict[str, Any]]:
        """Collective, before a checkpoint: what each rank has of its own, by rank."""
        return self.gather(training.own_state())

    def publish(self, readings: dict[str, float]) -> None:
        """Leave this rank's latest readings for `collect`; holds nobody up."""

    def collect(self) -> dict[int, dict[str, float]]:
        """The latest readings of the ranks that published any, by rank."""
        return {}

    def close(self) -> None:
        """Collective: all is done; nobody is left waiting."""


class DDPGroup(ProcessGroup):
    """One of several processes, each with its part of every batch; torch's launcher says which, by environment.

    Raises:
        RuntimeError: The others cannot be reached; later, from any collective method: one of them is gone.
    """

    def __init__(self, device: torch.device) -> None:
        self.rank, self.world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        self.device = device
        # the launcher holds the store on a port that the system chose
        at = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        held = dist.TCPStore(*at, is_master=False, timeout=PATIENCE)  # type: ignore[attr-defined]
        attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        self._store = dist.PrefixStore(f"thaw/{attempt}", held)  # type: ignore[attr-defined]
        has_own_gpu = device.type == "cuda" and int(os.environ[GPUS]) >= self.world_size
        backend = "nccl" if has_own_gpu and dist.is_nccl_available() else "gloo"  # which shares a GPU as well
        dist.init_process_group(
            backend, store=self._store, rank=self.rank, world_size=self.world_size, timeout=PATIENCE
        )
        # words between processes go by the host: a flag must not wait until a GPU has done all that lies before it
        self._cpu_group: Any = dist.new_group(backend="gloo", timeout=PATIENCE) if backend != "gloo" else None

    def seed_ranks(self, seed: int) -> None:
        if self.rank:
            seed_all((seed + self.rank * SEED_STEP) % 2**31)

    def any(self, flag: bool) -> bool:
        flags = torch.tensor(int(flag))
        dist.all_reduce(flags, dist.ReduceOp.MAX, group=self._cpu_group)
        return bool(flags)

    def sum(self, value: Tensor) -> Tensor:
        total = value.detach().clone()
        dist.all_reduce(total)
        return total

    def gather(self, value: T) -> list[T]:
        values: list[Any] = [None] * self.world_size
        dist.all_gather_object(values, value, group=self._cpu_group)
        return cast(list[T], values)

    def broadcast(self, make: Callable[[], T]) -> T:
        made = [make() if self.is_first else None]
        dist.broadcast_object_list(made, src=0, group=self._cpu_group)
        return cast(T, made[0])

    def rank0_first(self, make: Callable[[], T]) -> T:
        made = make() if self.is_first else None
        dist.barrier(group=self._cpu_group)
        return made if self.is_first else make()  # type: ignore[return-value]

    def wrap(self, model: nn.Module) -> nn.Module:
        gc.collect()  # the wrapper of the epoch before must be gone: its hooks would reduce the same gradients again
        devices = [self.device] if self.device.type == "cuda" else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch 2.13 renames the last option; 2.11 has no other
            # statistics are matched once an epoch, where they are used, so that a step that lacks memory can be retried
            return DistributedDataParallel(
                model, device_ids=devices, gradient_as_bucket_view=True, broadcast_buffers=False
            )

    def no_sync(self, model: nn.Module) -> AbstractContextManager[None]:
        return cast(AbstractContextManager[None], cast(DistributedDataParallel, model).no_sync())

    def sync_buffers(self, model: nn.Module) -> None:
        for value in model.buffers():
            dist.broadcast(value, src=0)

    def publish(self, readings: dict[str, float]) -> None:
        self._store.set(f"readings/{self.rank}", json.dumps(readings))

    def collect(self) -> dict[int, dict[str, float]]:
        names = {rank: f"readings/{rank}" for rank in range(self.world_size)}
        return {rank: json.loads(self._store.get(name)) for rank, name in names.items() if self._store.check([name])}

    def close(self) -> None:
        dist.barrier(group=self._cpu_group)
        dist.destroy_process_group()


class DataParallelGroup(ProcessGroup):
    """One process that copies the network to every GPU in each step; without GPUs it trains as any other."""

    def wrap(self, model: nn.Module) -> nn.Module:
        return nn.DataParallel(model)
