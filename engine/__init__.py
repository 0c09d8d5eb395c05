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
    TRACKERS,
    WEIGHTS,
    DatasetKind,
    Preset,
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
    from engine.annotations import MOST_NAME, MOST_NOTES, archive_runs, note_run, rename_run, tag_runs
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
        source_fingerprint,
    )
    from engine.event_import import import_events
    from engine.exporting import EXPORT_FORMS, EXPORTS, as_csv, export
    from engine.files import (
        checkpoint_file,
        count_parameters,
        dataset_samples,
        find_checkpoint,
        folder_bytes,
        log_tail,
        read_manifest,
    )
    from engine.fitting import Fit, measured_as, will_it_fit
    from engine.lineage import branch, branch_problems, extend, pin_checkpoint, resume
    from engine.machine import machine_reading
    from engine.predicting import has_its_images, predictable_parts, predictions_on, run_predictions, saliency
    from engine.predictions import Predictions
    from engine.previews import Preview, forget_preview, is_measuring, preview
    from engine.results import ConfusedPair, Scores, calibration, confused_pairs, most_confused, scores, taken_for
    from engine.search_facts import Estimate, Outlook, importances, search_estimate, search_outlook
    from engine.searches import (
        change_space,
        check_search,
        continue_search,
        delete_search,
        extend_search,
        find_search,
        longer,
        pause_search,
        start_search,
        stop_search,
        stop_trial,
        trials_left,
        wanted_with,
    )
    from engine.tracking.choice import set_trackers, tracker_installed, trackers

__all__ = [
    "ALGORITHMS",
    "AUGMENTATIONS",
    "BACKBONES",
    "DATASET_KINDS",
    "EXPORTS",
    "EXPORT_FORMS",
    "FREEZE_POLICIES",
    "HEADS",
    "INITIALISATIONS",
    "MOST_NAME",
    "MOST_NOTES",
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
    "TRACKERS",
    "WEIGHTS",
    "Cache",
    "ConfusedPair",
    "DatasetKind",
    "Estimate",
    "Finding",
    "Fit",
    "NotFound",
    "Offer",
    "Outlook",
    "Predictions",
    "Preset",
    "Preview",
    "Problem",
    "Range",
    "Refused",
    "RunSpec",
    "Scan",
    "Scores",
    "SearchSpec",
    "Setting",
    "Unavailable",
    "add_dataset",
    "archive_runs",
    "as_csv",
    "branch",
    "branch_problems",
    "calibration",
    "change_space",
    "check",
    "check_search",
    "checkpoint_file",
    "clear_cache",
    "confused_pairs",
    "continue_search",
    "count_parameters",
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
    "delete_search",
    "engine_alive",
    "ensure_supervisor",
    "exclude_images",
    "export",
    "extend",
    "extend_search",
    "fetch_dataset",
    "find_checkpoint",
    "find_dataset",
    "find_run",
    "find_search",
    "folder_bytes",
    "forget_preview",
    "has_its_images",
    "import_events",
    "importances",
    "in_words",
    "include_images",
    "is_measuring",
    "list_caches",
    "log_tail",
    "longer",
    "machine_reading",
    "measured_as",
    "most_confused",
    "note_run",
    "open_store",
    "pause_search",
    "pin_checkpoint",
    "predictable_parts",
    "predictions_on",
    "preview",
    "read_manifest",
    "remedies",
    "rename_run",
    "request_stop",
    "resume",
    "run_predictions",
    "saliency",
    "scan_dataset",
    "scores",
    "search_estimate",
    "search_outlook",
    "search_settings",
    "searchable",
    "set_about",
    "set_trackers",
    "settings",
    "shut_down",
    "source_fingerprint",
    "start_run",
    "start_search",
    "stop_search",
    "stop_trial",
    "tag_runs",
    "taken_for",
    "tracker_installed",
    "trackers",
    "trials_left",
    "wait_for_request",
    "wanted_with",
    "will_it_fit",
]

_STORED = {  # module -> its names above
    module: tuple(names.split())
    for module, names in {
        "engine.annotations": "MOST_NAME MOST_NOTES archive_runs note_run rename_run tag_runs",
        "engine.caches": "Cache clear_cache list_caches",
        "engine.commands": (
            "check delete_run engine_alive ensure_supervisor find_run open_store request_stop shut_down "
            "start_run wait_for_request"
        ),
        "engine.data.scan": "Finding Scan",
        "engine.dataset_facts": "dataset_files dataset_image dataset_images dataset_scan dataset_thumbnails",
        "engine.datasets": (
            "add_dataset dataset_id_of dataset_split delete_dataset exclude_images fetch_dataset find_dataset "
            "include_images scan_dataset set_about source_fingerprint"
        ),
        "engine.event_import": "import_events",
        "engine.exporting": "EXPORTS EXPORT_FORMS export as_csv",
        "engine.files": (
            "checkpoint_file count_parameters dataset_samples find_checkpoint folder_bytes log_tail read_manifest"
        ),
        "engine.fitting": "Fit measured_as will_it_fit",
        "engine.lineage": "branch branch_problems extend pin_checkpoint resume",
        "engine.machine": "machine_reading",
        "engine.predicting": "has_its_images predictable_parts predictions_on run_predictions saliency",
        "engine.predictions": "Predictions",
        "engine.previews": "Preview forget_preview is_measuring preview",
        "engine.results": "ConfusedPair Scores calibration confused_pairs most_confused scores taken_for",
        "engine.search_facts": "Estimate Outlook importances search_estimate search_outlook",
        "engine.tracking.choice": "set_trackers tracker_installed trackers",
        "engine.searches": (
            "change_space check_search continue_search delete_search extend_search find_search longer "
            "pause_search start_search stop_search stop_trial trials_left wanted_with"
        ),
    }.items()
}


def __getattr__(name: str) -> Any:
    for module, names in _STORED.items():
        if name in names:
            found = globals()[name] = getattr(import_module(module), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
