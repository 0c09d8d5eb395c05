"""Random number generators: seeding all of them, their states, and going back to a state."""

import random
from typing import Any

import numpy as np
import torch
from torch import Tensor

SEED_STEP = 1_000_003  # between the seeds of ranks


def seed_all(seed: int) -> None:
    """Seed every generator: Python's, NumPy's, torch's on all devices."""
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
    if len(state["cuda"]) == torch.cuda.device_count():  # another machine: other random numbers from here on
        torch.cuda.set_rng_state_all(state["cuda"])


def torch_random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    """States of the CPU's generator and of a GPU's own: (k,) uint8 each."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def restore_torch_random(state: tuple[Tensor, Tensor | None], device: torch.device) -> None:
    """Go back to what `torch_random_state` gave: (k,) uint8 each."""
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)
