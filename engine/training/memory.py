"""How much memory a run uses. 1 MB is 2**20 bytes, as GPU tools count."""

from collections.abc import Callable

import psutil
import pynvml
import torch

MB = 2**20


class Memory:
    """Readings for one device: torch's own and the whole GPU's on CUDA, else the process's resident memory."""

    def __init__(self, device: torch.device) -> None:
        self._process = psutil.Process()
        self._device = device
        self._whole_gpu = _whole_gpu(device) if device.type == "cuda" else None

    def read(self) -> dict[str, float]:
        """Metric name -> MB. The peak is since the process started."""
        if self._device.type != "cuda":
            return {"memory/rss_mb": self._process.memory_info().rss / MB}
        gpu = f"gpu{self._device.index}"
        readings = {
            f"{gpu}/allocated_mb": torch.cuda.memory_allocated(self._device) / MB,
            f"{gpu}/reserved_mb": torch.cuda.memory_reserved(self._device) / MB,
            f"{gpu}/peak_mb": torch.cuda.max_memory_allocated(self._device) / MB,
        }
        if self._whole_gpu:
            readings[f"{gpu}/used_mb"] = self._whole_gpu() / MB
        return readings


def _whole_gpu(device: torch.device) -> Callable[[], int] | None:
    """Reads bytes used on the GPU by everybody; None where the driver does not tell (slices, some containers)."""
    try:
        pynvml.nvmlInit()
        # by UUID: torch counts the visible GPUs only, the driver counts all
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        pynvml.nvmlDeviceGetMemoryInfo(handle)
    except pynvml.NVMLError:
        return None
    return lambda: int(pynvml.nvmlDeviceGetMemoryInfo(handle).used)
