"""How much memory a run uses. 1 MB is 2**20 bytes, as GPU tools count."""

import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

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
                told = whole()
                readings |= {f"{name}/used_mb": int(told.used) / MB, f"{name}/total_mb": int(told.total) / MB}
        return readings or {"memory/rss_mb": resident() / MB}


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
