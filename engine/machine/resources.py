"""Cores and memory that this process may use, and what the system killed for lack of it. Without torch."""

import os
from contextlib import suppress
from pathlib import Path

CORES = "THAW_CORES"  # in the environment of a trial: how many of them are its own


def cores() -> int:
    """Cores this process may use: its affinity, further limited by a container's CPU quota, or by what it was told."""
    if limit := os.environ.get(CORES):
        return int(limit)
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except OSError:  # not Linux, or no such control group
        return mine
    return mine if quota == "max" else max(1, min(mine, round(int(quota) / int(period))))


GROUP = Path("/sys/fs/cgroup")
VMSTAT = Path("/proc/vmstat")


def free() -> int:
    """Bytes that a new process can take without pushing anything out; a container's limit counts."""
    import psutil  # not where training alone is done: a GPU machine needs torch and pydantic only

    available = int(psutil.virtual_memory().available)
    with suppress(OSError, ValueError):  # no container, or one without a limit ("max")
        limit = int((GROUP / "memory.max").read_text())
        used = int((GROUP / "memory.current").read_text())
        can_go = _numbers(GROUP / "memory.stat").get("inactive_file", 0)  # pages of files: given back when asked
        return max(0, min(available, limit - used + can_go))
    return available


def kills() -> int:
    """How many processes were killed for lack of memory so far, here or on the machine; 0 where nobody counts."""
    here = _numbers(GROUP / "memory.events").get("oom_kill", 0)
    return max(here, _numbers(VMSTAT).get("oom_kill", 0))


def _numbers(path: Path) -> dict[str, int]:
    """`name number` lines."""
    with suppress(OSError, ValueError):
        pairs = (line.split() for line in path.read_text().splitlines())
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    return {}


def rss(pid: int) -> int:
    """Bytes that a process holds now; 0 once it is gone."""
    import psutil

    with suppress(psutil.Error, OSError):
        return int(psutil.Process(pid).memory_info().rss)
    return 0
