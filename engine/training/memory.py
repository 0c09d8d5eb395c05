"""How much memory a run uses, now and at most, and what a forward pass keeps. 1 MB is 2**20 bytes, as of GPU tools."""

import ctypes
import gc
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

MB = 2**20
PAGES = Path("/proc/self/statm")


class Memory:
    """Readings of every GPU that this process may use, torch's own and the driver's; else its resident memory."""

    def __init__(self, device: torch.device) -> None:
        count = torch.cuda.device_count() if device.type == "cuda" else 0
        gpus = [torch.device("cuda", index) for index in range(count)]
        self._gpus = [(gpu, _whole_gpu(gpu)) for gpu in gpus]

    def read(self) -> dict[str, float]:
        """Metric name -> MB. The peak is since the process started."""
        readings: dict[str, float] = {}
        for gpu, whole in self._gpus:
            name = f"gpu{gpu.index}"
            readings |= {
                f"{name}/allocated_mb": torch.cuda.memory_allocated(gpu) / MB,
                f"{name}/reserved_mb": torch.cuda.memory_reserved(gpu) / MB,
                f"{name}/peak_mb": torch.cuda.max_memory_allocated(gpu) / MB,
            }
            if whole:
                gpu_wide = whole()
                readings |= {f"{name}/used_mb": int(gpu_wide.used) / MB, f"{name}/total_mb": int(gpu_wide.total) / MB}
        return readings or {"memory/rss_mb": resident() / MB}


def free_memory() -> None:
    """Give back the memory of what was dropped."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def resident() -> int:
    """Bytes of this process that are in memory now."""
    if sys.platform == "linux":
        return int(PAGES.read_text().split()[1]) * resource.getpagesize()
    import psutil

    return int(psutil.Process().memory_info().rss)


def _whole_gpu(device: torch.device) -> Callable[[], Any] | None:
    """Reads bytes of the whole GPU, of everybody's; None where the driver does not tell (slices, some containers)."""
    with suppress(ImportError):
        import pynvml

        try:
            pynvml.nvmlInit()
            # by UUID: torch counts the visible GPUs only, the driver counts all
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
            pynvml.nvmlDeviceGetMemoryInfo(handle)
        except pynvml.NVMLError:
            return None
        return lambda: pynvml.nvmlDeviceGetMemoryInfo(handle)
    return None


STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
HIGH_WATER = "VmHWM:"  # unlike getrusage's, not taken over from the parent, and it can be lowered
CONTEXT = 500 * 2**20  # what CUDA itself takes where the driver does not tell


class PeakMemory:
    """`reset`, do something, read `peak`: bytes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._context = _context(device) if device.type == "cuda" else 0

    def reset(self) -> None:
        """Begin a new peak at what is held now; memory that was freed goes back to the system first."""
        gc.collect()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self._device)
            return
        if sys.platform == "linux":
            with suppress(OSError, AttributeError):  # another C library than glibc
                ctypes.CDLL(None).malloc_trim(0)
            with suppress(OSError):  # not allowed here: peaks then only grow
                CLEAR.write_text("5")

    def peak(self) -> int:
        """The most that was held since `reset`, with everything that the process needs beside it."""
        if self._device.type == "cuda":
            return self._context + torch.cuda.max_memory_reserved(self._device)
        return peak_rss()


def kept_bytes(do: Callable[[], None], model: nn.Module) -> int:
    """Bytes of activations that `do` keeps for a backward pass, however little they are beside everything else."""
    own = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}
    kept: dict[int, int] = {}

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        do()
    return sum(kept.values())


def peak_rss() -> int:
    """The most memory that this process held, since it began or its mark was lowered, in bytes."""
    with suppress(OSError):
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith(HIGH_WATER))
        return int(line.split()[1]) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


def _context(device: torch.device) -> int:
    """What CUDA takes of the GPU beside torch's pool, in bytes, seen by what the first tensor costs."""
    try:
        import pynvml

        pynvml.nvmlInit()
        uuid = torch.cuda.get_device_properties(device).uuid
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
        before = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
        torch.zeros(1, device=device)
        taken = int(pynvml.nvmlDeviceGetMemoryInfo(handle).used) - before - torch.cuda.memory_reserved(device)
    except (ImportError, pynvml.NVMLError):
        return CONTEXT
    return taken if taken > 0 else CONTEXT
