"""What every row of an exported table has: column -> its kind, and where a record has it. Times are Unix seconds."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

from storage import Run

Kind = Literal["text", "whole", "number", "truth", "time"]
Fields = dict[str, tuple[Kind, Callable[[Any], Any]]]


def _listed(names: Sequence[str]) -> str:
    return json.dumps(list(names), ensure_ascii=False)


RUN: Fields = {
    "id": ("text", lambda run: run.id),
    "name": ("text", lambda run: run.name),
    "state": ("text", lambda run: str(run.state)),
    "tags": ("text", lambda run: ", ".join(run.tags)),
    "notes": ("text", lambda run: run.about),
    "dataset": ("text", lambda run: run.dataset_id),
    "metric": ("text", lambda run: run.metric),
    "best_value": ("number", lambda run: run.best_value),
    "best_epoch": ("whole", lambda run: run.best_epoch),
    "epoch": ("whole", lambda run: run.epoch),
    "epochs": ("whole", lambda run: run.epochs),
    "step": ("whole", lambda run: run.step),
    "steps": ("whole", lambda run: run.steps),
    "duration_s": ("number", Run.duration_s),
    "device": ("text", lambda run: run.device),
    "attempt": ("whole", lambda run: run.attempt),
    "created_at": ("time", lambda run: run.created_at),
    "started_at": ("time", lambda run: run.started_at),
    "ended_at": ("time", lambda run: run.ended_at),
    "archived_at": ("time", lambda run: run.archived_at),
    "reason": ("text", lambda run: run.reason),
    "advice": ("text", lambda run: run.advice),
    "source": ("text", lambda run: run.source),
    "dataset_fingerprint": ("text", lambda run: run.dataset_fingerprint),
    "parent_id": ("text", lambda run: run.parent_id),
    "parent_epoch": ("whole", lambda run: run.parent_epoch),
    "search_id": ("text", lambda run: run.search_id),
}

TRIAL: Fields = {
    "search_id": RUN["search_id"],
    "trial": ("whole", lambda run: run.trial),
    "cost": ("number", lambda run: run.cost),
    **{name: field for name, field in RUN.items() if name != "search_id"},
}

POINT: dict[str, Kind] = {
    "run_id": "text",
    "run_name": "text",
    "metric": "text",
    "step": "whole",
    "epoch": "whole",
    "value": "number",
    "at": "time",
}

CHECKPOINT: Fields = {  # of (name of its run, checkpoint)
    "run_id": ("text", lambda of: of[1].run_id),
    "run_name": ("text", lambda of: of[0]),
    "name": ("text", lambda of: of[1].name),
    "epoch": ("whole", lambda of: of[1].epoch),
    "step": ("whole", lambda of: of[1].step),
    "is_best": ("truth", lambda of: of[1].is_best),
    "is_last": ("truth", lambda of: of[1].is_last),
    "is_pinned": ("truth", lambda of: of[1].is_pinned),
    "bytes": ("whole", lambda of: of[1].bytes),
    "sha256": ("text", lambda of: of[1].sha256),
    "created_at": ("time", lambda of: of[1].created_at),
}

EVENT: Fields = {
    "id": ("whole", lambda event: event.id),
    "at": ("time", lambda event: event.at),
    "run_id": ("text", lambda event: event.run_id),
    "search_id": ("text", lambda event: event.search_id),
    "level": ("text", lambda event: event.level),
    "text": ("text", lambda event: event.text),
}

DATASET: Fields = {
    "id": ("text", lambda dataset: dataset.id),
    "name": ("text", lambda dataset: dataset.name),
    "kind": ("text", lambda dataset: dataset.kind),
    "images": ("whole", lambda dataset: dataset.images),
    "classes": ("text", lambda dataset: _listed(dataset.classes)),
    "counts": ("text", lambda dataset: json.dumps(dataset.counts, ensure_ascii=False)),
    "channels": ("whole", lambda dataset: dataset.channels),
    "width": ("whole", lambda dataset: dataset.width),
    "height": ("whole", lambda dataset: dataset.height),
    "bytes": ("whole", lambda dataset: dataset.bytes),
    "excluded": ("whole", lambda dataset: len(dataset.excluded)),
    "set_aside": ("whole", lambda dataset: len(dataset.set_aside)),
    "notes": ("text", lambda dataset: dataset.about),
    "created_at": ("time", lambda dataset: dataset.created_at),
    "path": ("text", lambda dataset: dataset.path),
    "fingerprint": ("text", lambda dataset: dataset.fingerprint),
}

SEARCH: Fields = {
    "id": ("text", lambda search: search.id),
    "name": ("text", lambda search: search.name),
    "state": ("text", lambda search: str(search.state)),
    "dataset": ("text", lambda search: search.dataset_id),
    "num_trials": ("whole", lambda search: search.num_trials),
    "metric": ("text", lambda search: search.metric),
    "best_value": ("number", lambda search: search.best_value),
    "best_run_id": ("text", lambda search: search.best_run_id),
    "worked_s": ("number", lambda search: search.worked_s()),
    "worked_gpu_s": ("number", lambda search: search.worked_gpu_s()),
    "path": ("text", lambda search: search.path),
    "device": ("text", lambda search: search.device),
    "attempt": ("whole", lambda search: search.attempt),
    "created_at": ("time", lambda search: search.created_at),
    "started_at": ("time", lambda search: search.started_at),
    "ended_at": ("time", lambda search: search.ended_at),
    "reason": ("text", lambda search: search.reason),
    "advice": ("text", lambda search: search.advice),
}
