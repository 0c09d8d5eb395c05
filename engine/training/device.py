"""Which device a run trains on, and how many threads it may use."""

import os

import torch

from engine.errors import Unavailable
from engine.machine.resources import CORES as CORES
from engine.machine.resources import cores as cores

ELSE = "Choose another device, or auto, and start the run again."


def choose(name: str) -> torch.device:
    """The device called `name`: cpu, cuda, mps, or auto (a GPU when there is one, else the CPU).

    Raises:
        Unavailable: It is asked for by name but cannot be used here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise Unavailable(f"cuda was asked for but {_why_no_cuda()}.", ELSE)
    if name == "mps" and not torch.backends.mps.is_available():
        raise Unavailable("mps was asked for but this machine has no Apple GPU that torch can use.", ELSE)
    return torch.device(name, 0) if name == "cuda" else torch.device(name)


def prepare(device: torch.device, processes: int = 1) -> None:
    """Set up torch for `device`: quick kernels for fixed sizes, and as many threads as there are cores to use, divided
    among the processes that train together: two that take all cores each are 5 times slower."""
    torch.set_num_threads(max(1, cores() // processes))
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True  # every batch but the last has the same shape


def describe(device: torch.device) -> str:
    """For a human: "cpu", "cuda:0 NVIDIA H200"."""
    return f"{device} {torch.cuda.get_device_name(device)}" if device.type == "cuda" else str(device)


def _why_no_cuda() -> str:
    if not torch.backends.cuda.is_built():
        return "the installed torch is built without it"
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return "CUDA_VISIBLE_DEVICES is empty: no GPU is given to this run"
    return "no NVIDIA GPU with a working driver is found"
