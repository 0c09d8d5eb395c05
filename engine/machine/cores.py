"""How many cores there are to compute with. Knows neither torch nor the store."""

import os
from pathlib import Path

CORES = "THAW_CORES"  # in the environment of a trial: how many of them are its own


def cores() -> int:
    """Cores this process may use: its affinity, further limited by a container's CPU quota, or by what it was told."""
    if told := os.environ.get(CORES):
        return int(told)
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except OSError:  # not Linux, or no such control group
        return mine
    return mine if quota == "max" else max(1, min(mine, round(int(quota) / int(period))))
