"""Ray, as this house lets it run: on loopback, behind a token, telling nobody, leaving nothing behind.

Nothing here may be imported after Ray was: its settings are read when it is imported.
"""

import logging
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

import psutil

CORES = "THAW_CORES"  # as engine/training/device.py reads it
FORMAT_FILE = "THAW_FORMAT_FILE"  # as engine/training/precision.py does
CLUSTER = "THAW_RAY_ADDRESS"  # of a cluster to use in place of one started here; RAY_AUTH_TOKEN is then its own
ROOT = Path(__file__).resolve().parents[2]
PREFIX = "thaw-ray-"
CODE = {"py_modules": [str(ROOT / "engine")]}  # for machines that have no Thaw
STORE_BYTES = 80 * 2**20  # trials exchange small dictionaries alone

ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}  # has every socket listen on loopback alone, on Linux too
SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # it would end the whole search for one trial's memory
    "RAY_enable_worker_prestart": "0",  # 200 MB less: only trials need processes
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats_print_interval_ms": "0",
    "RAY_ROTATION_MAX_BYTES": "1000000",
    "RAY_ROTATION_BACKUP_COUNT": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",  # our rows are the truth
    "TUNE_WARN_THRESHOLD_S": "10",
}


def start(*, max_concurrent: int, cpus: int, gpus: int, format_file: Path) -> list[int]:
    """Start Ray in this process's session, or join the cluster that is asked for.

    Args:
        max_concurrent: Trials that train at a time.
        cpus: For each trial.
        gpus: For all trials together.
        format_file: Where the trials agree on a number format.

    Returns: pids of the processes that it cannot do without; [] of a cluster.
    """
    address = os.environ.get(CLUSTER)
    settings = SETTINGS | ({} if address else ALONE)
    os.environ.update({name: value for name, value in settings.items() if name not in os.environ})
    if not address:
        os.environ.update(ALONE | {"RAY_AUTH_MODE": SETTINGS["RAY_AUTH_MODE"]})  # whatever the shell says
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(max_concurrent)  # else the second process waits for the first
    if not address:
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray

    environment = {CORES: str(cpus), FORMAT_FILE: str(format_file), **({} if address else {"PYTHONPATH": str(ROOT)})}
    about: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": True}
    if address:
        ray.init(address=address, runtime_env={"env_vars": environment, **CODE}, **about)
        return []
    ray.init(
        address="local",
        num_cpus=max_concurrent * cpus,
        num_gpus=gpus,
        include_dashboard=False,
        object_store_memory=STORE_BYTES,
        _temp_dir=session_folder(),
        runtime_env={"env_vars": environment},
        **about,
    )
    return _vital()


def resources() -> tuple[int, int]:
    """Cores and GPUs that Ray may use, here or in its cluster."""
    import ray

    found = ray.cluster_resources()
    return int(found.get("CPU", 1)), int(found.get("GPU", 0))


def stop() -> None:
    """Shut Ray down, and remove its session's files; those of drivers that were killed go with them."""
    import ray

    ray.shutdown()
    sweep(everything_of=os.getpid())


def session_folder() -> str:
    """A short name: Ray puts sockets there, and the path of a socket has 107 characters at most."""
    sweep()
    return tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")


def sweep(everything_of: int | None = None) -> None:
    """Remove session folders whose driver is gone, or is this process and done with it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and (int(pid) == everything_of or not psutil.pid_exists(int(pid))):
            shutil.rmtree(folder, ignore_errors=True)


def _vital() -> list[int]:
    from ray._private import worker

    node: Any = worker._global_node  # nothing public names its processes
    vital = [one for name in ("raylet", "gcs_server") for one in node.all_processes.get(name, ())]
    return [one.process.pid for one in vital]
