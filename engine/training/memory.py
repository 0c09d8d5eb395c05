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
    """Readings for one device: torch's own and the whole GPU's on CUDA, else the process's resident memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._whole_gpu = _whole_gpu(device) if device.type == "cuda" else None

    def read(self) -> dict[str, float]:
        """Metric name -> MB. The peak is since the process started."""
        if self._device.type != "cuda":
            return {"memory/rss_mb": resident() / MB}
        gpu = f"gpu{self._device.index}"
        readings = {
            f"{gpu}/allocated_mb": torch.cuda.memory_allocated(self._device) / MB,
            f"{gpu}/reserved_mb": torch.cuda.memory_reserved(self._device) / MB,
            f"{gpu}/peak_mb": torch.cuda.max_memory_allocated(self._device) / MB,
        }
        if self._whole_gpu:
            told = self._whole_gpu()
            readings |= {f"{gpu}/used_mb": int(told.used) / MB, f"{gpu}/total_mb": int(told.total) / MB}
        return readings


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
