"""Everything that runs outside the web pages. This file is the public face: it imports neither torch nor ray."""

from engine.catalog import BACKBONES, DATASET_KINDS, OPTIMIZERS, PRESETS, STRATEGIES
from engine.commands import (
    add_dataset,
    check,
    dataset_id_of,
    delete_dataset,
    delete_run,
    engine_alive,
    ensure_supervisor,
    find_dataset,
    find_run,
    open_store,
    request_stop,
    resume,
    shut_down,
    start_run,
    wait_for_request,
)
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.files import checkpoint_file, dataset_samples, find_checkpoint, folder_bytes, log_tail, read_manifest
from engine.machine import reading as machine_reading
from engine.spec import RunSpec, Setting, settings

__all__ = [
    "BACKBONES",
    "DATASET_KINDS",
    "OPTIMIZERS",
    "PRESETS",
    "STRATEGIES",
    "NotFound",
    "Problem",
    "Refused",
    "RunSpec",
    "Setting",
    "Unavailable",
    "add_dataset",
    "check",
    "checkpoint_file",
    "dataset_id_of",
    "dataset_samples",
    "delete_dataset",
    "delete_run",
    "engine_alive",
    "ensure_supervisor",
    "find_checkpoint",
    "find_dataset",
    "find_run",
    "folder_bytes",
    "log_tail",
    "machine_reading",
    "open_store",
    "read_manifest",
    "request_stop",
    "resume",
    "settings",
    "shut_down",
    "start_run",
    "wait_for_request",
]
