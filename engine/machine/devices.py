"""This machine: its slots for runs, and how busy it is. Reads GPUs through NVML, without torch."""

import os
import shutil
from contextlib import suppress
from typing import Any

import psutil
import pynvml

from storage import Home


def slots() -> tuple[str, ...]:
    """Places where a run can train: one a GPU (its index), and "cpu"."""
    return (*(str(gpu["index"]) for gpu in gpus()), "cpu")


def machine_reading(home: Home) -> dict[str, Any]:
    """How busy the machine is now: CPU in per cent, memory and disk in bytes, GPUs."""
    memory = psutil.virtual_memory()
    disk = shutil.disk_usage(home.root)
    return {
        "cpus": os.cpu_count() or 1,
        "cpu_percent": psutil.cpu_percent(),
        "memory_used": memory.total - memory.available,
        "memory_total": memory.total,
        "disk_free": disk.free,
        "disk_total": disk.total,
        "gpus": gpus(),
    }


def gpus() -> list[dict[str, Any]]:
    """Each NVIDIA GPU: index, name, memory in bytes, load in per cent, Celsius; [] where there is none."""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver, or no GPU
        return []
    try:
        found = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            with suppress(pynvml.NVMLError):  # one that fell off the bus is left out, the others stay
                found.append(_gpu(index))
        return found
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> dict[str, Any]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    found = {
        "index": index,
        "name": pynvml.nvmlDeviceGetName(handle),
        "memory_used": int(memory.used),
        "memory_total": int(memory.total),
        "load_percent": None,
        "celsius": None,
    }
    with suppress(pynvml.NVMLError):  # some cards do not tell
        found["load_percent"] = pynvml.nvmlDeviceGetUtilizationRates(handle).gpu
        found["celsius"] = pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU)
    return found
