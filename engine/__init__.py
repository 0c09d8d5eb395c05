"""Everything that runs outside the web pages. This file is the public face: it imports neither torch nor ray.

What needs the store is found when it is first asked for: a training process, on a bare GPU machine too, imports specs
and catalog alone.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.catalog import (
    ALGORITHMS,
    AUGMENTATIONS,
    BACKBONES,
    DATASET_KINDS,
    FREEZE_POLICIES,
    HEADS,
    INITIALISATIONS,
    OPTIMIZERS,
    PRESETS,
    SCHEDULERS,
    SCHEDULES,
    SEARCH_PRESETS,
    STRATEGIES,
    TABLES,
    WEIGHTS,
    DatasetKind,
)
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.faults import OFFERED, Offer, remedies
from engine.spec import (
    RANGE_KINDS,
    SAME_IN_ALL_TRIALS,
    Range,
    RunSpec,
    SearchSpec,
    Setting,
    in_words,
    search_settings,
    searchable,
    settings,
)

if TYPE_CHECKING:
    from engine.caches import Cache, clear_cache, list_caches
    from engine.commands import (
        check,
        delete_run,
        engine_alive,
        ensure_supervisor,
        find_run,
        open_store,
        request_stop,
        shut_down,
        start_run,
        wait_for_request,
    )
    from engine.data.scan import Finding, Scan
    from engine.dataset_facts import (
        dataset_files,
        dataset_image,
        dataset_images,
        dataset_scan,
        dataset_thumbnails,
    )
    from engine.datasets import (
        add_dataset,
        dataset_id_of,
        dataset_split,
        delete_dataset,
        exclude_images,
        fetch_dataset,
        find_dataset,
        include_images,
        scan_dataset,
        set_about,
    )
    from engine.files import checkpoint_file, dataset_samples, find_checkpoint, folder_bytes, log_tail, read_manifest
    from engine.fitting import Fit, measured_as, will_it_fit
    from engine.lineage import branch, branch_problems, extend, pin_checkpoint, resume
    from engine.machine import machine_reading
    from engine.previews import Preview, forget_preview, preview

__all__ = [
    "ALGORITHMS",
    "AUGMENTATIONS",
    "BACKBONES",
    "DATASET_KINDS",
    "FREEZE_POLICIES",
    "HEADS",
    "INITIALISATIONS",
    "OFFERED",
    "OPTIMIZERS",
    "PRESETS",
    "RANGE_KINDS",
    "SAME_IN_ALL_TRIALS",
    "SCHEDULERS",
    "SCHEDULES",
    "SEARCH_PRESETS",
    "STRATEGIES",
    "TABLES",
    "WEIGHTS",
    "Cache",
    "DatasetKind",
    "Finding",
    "Fit",
    "NotFound",
    "Offer",
    "Preview",
    "Problem",
    "Range",
    "Refused",
    "RunSpec",
    "Scan",
    "SearchSpec",
    "Setting",
    "Unavailable",
    "add_dataset",
    "branch",
    "branch_problems",
    "check",
    "checkpoint_file",
    "clear_cache",
    "dataset_files",
    "dataset_id_of",
    "dataset_image",
    "dataset_images",
    "dataset_samples",
    "dataset_scan",
    "dataset_split",
    "dataset_thumbnails",
    "delete_dataset",
    "delete_run",
    "engine_alive",
    "ensure_supervisor",
    "exclude_images",
    "extend",
    "fetch_dataset",
    "find_checkpoint",
    "find_dataset",
    "find_run",
    "folder_bytes",
    "forget_preview",
    "in_words",
    "include_images",
    "list_caches",
    "log_tail",
    "machine_reading",
    "measured_as",
    "open_store",
    "pin_checkpoint",
    "preview",
    "read_manifest",
    "remedies",
    "request_stop",
    "resume",
    "scan_dataset",
    "search_settings",
    "searchable",
    "set_about",
    "settings",
    "shut_down",
    "start_run",
    "wait_for_request",
    "will_it_fit",
]

_STORED: dict[str, tuple[str, ...]] = {  # module -> its names above
    "engine.caches": ("Cache", "clear_cache", "list_caches"),
    "engine.commands": (
        "check",
        "delete_run",
        "engine_alive",
        "ensure_supervisor",
        "find_run",
        "open_store",
        "request_stop",
        "shut_down",
        "start_run",
        "wait_for_request",
    ),
    "engine.data.scan": (
        "Finding",
        "Scan",
    ),
    "engine.dataset_facts": (
        "dataset_files",
        "dataset_image",
        "dataset_images",
        "dataset_scan",
        "dataset_thumbnails",
    ),
    "engine.datasets": (
        "add_dataset",
        "dataset_id_of",
        "dataset_split",
        "delete_dataset",
        "exclude_images",
        "fetch_dataset",
        "find_dataset",
        "include_images",
        "scan_dataset",
        "set_about",
    ),
    "engine.files": (
        "checkpoint_file",
        "dataset_samples",
        "find_checkpoint",
        "folder_bytes",
        "log_tail",
        "read_manifest",
    ),
    "engine.fitting": ("Fit", "measured_as", "will_it_fit"),
    "engine.lineage": ("branch", "branch_problems", "extend", "pin_checkpoint", "resume"),
    "engine.machine": ("machine_reading",),
    "engine.previews": ("Preview", "forget_preview", "preview"),
}


def __getattr__(name: str) -> Any:
    for module, names in _STORED.items():
        if name in names:
            found = globals()[name] = getattr(import_module(module), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
