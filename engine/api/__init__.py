"""The engine's public face: what pages, routes, commands and notebooks call. Imports neither torch nor ray."""

from engine.api.annotations import MOST_NAME, MOST_NOTES, archive_runs, note_run, rename_run, tag_runs
from engine.api.datasets import (
    add_dataset,
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
from engine.api.event_import import import_events
from engine.api.exports import EXPORT_FORMS, EXPORTS, as_csv, export
from engine.api.images import dataset_files, dataset_image, dataset_images, dataset_scan, dataset_thumbnails
from engine.api.lineage import branch, branch_problems, extend, pin_checkpoint, resume
from engine.api.predictions import has_its_images, predictable_parts, predictions_on, run_predictions, saliency
from engine.api.runs import (
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
from engine.api.search_estimates import Estimate, importances, search_estimate, search_outlook
from engine.api.searches import (
    change_space,
    check_search,
    continue_search,
    delete_search,
    extend_search,
    find_search,
    longer,
    num_trials_with,
    pause_search,
    start_search,
    stop_search,
    stop_trial,
    trials_left,
)
from engine.artifacts.files import (
    checkpoint_file,
    count_parameters,
    dataset_samples,
    find_checkpoint,
    folder_bytes,
    log_tail,
)
from engine.artifacts.predictions import Predictions
from engine.artifacts.scores import ConfusedPair, calibration, confused_pairs, most_confused, scores, taken_for
from engine.caches.caches import clear_cache, list_caches
from engine.catalog import (
    ALGORITHMS,
    BACKBONES,
    DATASET_KINDS,
    FREEZE_POLICIES,
    OPTIMIZERS,
    PRESETS,
    SCHEDULERS,
    SCHEDULES,
    SEARCH_PRESETS,
    STRATEGIES,
    TABLES,
    TRACKERS,
    Backbone,
    Choice,
    DatasetKind,
    Preset,
)
from engine.data.scans.scan import Finding, Scan
from engine.errors import NotFound, Problem, Refused, Unavailable
from engine.faults import FAULTS, Offer, remedies
from engine.machine.devices import machine_reading
from engine.previews.fit import Fit, measured_as, will_it_fit
from engine.previews.requests import Preview, forget_preview, is_measuring, preview
from engine.specs import (
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
from engine.tracking.choice import set_trackers, tracker_installed, trackers
