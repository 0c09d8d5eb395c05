"""Looks at a run before it starts (its layers, its changed images, its best rate), and at what it has learned. Made
outside the pages, kept by key.

`preview` and `request_preview` answer at once: it is there, on its way, or cannot be made. The supervisor
keeps previewers (`engine.previews.server`) alive while something is asked; asked again, it is read from the cache.
"""

import hashlib
import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.artifacts.initial_weights import weights_path, weights_seen
from engine.errors import Refused
from engine.machine import processes
from engine.machine.processes import Identity
from engine.protocol.json_file import write_json
from engine.specs import RunSpec
from engine.worker.launchers import ROOT
from storage import Store

LOST_S = 60.0  # a preview that has not moved for so long was killed
UNWANTED_S = 30.0  # a page that still waits for one asks twice a second
CUT_OFF = "Making it was cut off; perhaps memory ran out. Try again, or with a smaller image or network."
CUT = "was cut off"  # noted in what is asked for the second time
ONCE_MORE = ("predictions",)  # a pass that was long under way, and whose memory is small, is begun again by itself
QUEUES = ("previews", "predictions")  # in the cache, a previewer each: a pass over a data set holds up no form
KINDS: dict[str, tuple[str, tuple[str, ...]]] = {  # -> function of a `PreviewJob`, parts of the spec that matter
    "layers": ("engine.previews.layers:layers", ("data", "model", "freeze")),
    "augmentation": ("engine.previews.augmentations:augmented", ("data",)),
    "fit": ("engine.previews.fit_measurement:fit", ("data", "model", "freeze", "optimisation", "compute", "device")),
    "lab": (
        "engine.previews.benchmark:lab",
        ("data", "model", "freeze", "optimisation", "compute", "device", "strategy"),
    ),
    "rates": ("engine.previews.learning_rate:rates", ("data", "model", "freeze", "optimisation", "seed", "device")),
    "predictions": ("engine.previews.predictions:predictions", ()),
    "saliency": ("engine.previews.saliency:saliency", ()),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """`values` once it is ready; `problem` when it cannot be made; else how far it is."""

    values: dict[str, Any] | None = None
    problem: str | None = None
    progress: float = 0.0
    message: str = ""
    pictures: dict[str, Path] = field(default_factory=dict)  # by name


def preview(store: Store, kind: str, spec: RunSpec) -> Preview:
    """The preview of `kind` for a spec that `check` found nothing wrong with; asked for now if nobody has yet."""
    return request_preview(store, _request(store, kind, spec))


def request_preview(store: Store, request: dict[str, Any]) -> Preview:
    """What is made of `request`: "kind", parts of a "spec", and whatever else is JSON and that kind wants to know."""
    made = place_of(store, request)
    return _ready(made) or _under_way(made) or _queued(made, request)


def _ready(made: Path) -> Preview | None:
    with suppress(FileNotFoundError):  # not made yet, or cleared just now
        os.utime(made)  # what was looked at lately stays longest
        result = json.loads((made / "result.json").read_text(encoding="utf-8"))
        pictures = {path.stem: path for path in made.glob("*.png")}
        return Preview(result.get("values"), result.get("problem"), 1.0, "", pictures)
    return None


def _under_way(made: Path) -> Preview | None:
    taken = made.with_suffix(".taken")
    with suppress(FileNotFoundError, ValueError):
        is_lost = time.time() - taken.stat().st_mtime > LOST_S
        request = json.loads(taken.read_text(encoding="utf-8"))
        if not is_lost:
            progress = request.get("progress", {})
            return Preview(progress=progress.get("share", 0.0), message=progress.get("message", ""))
        taken.unlink()
        if request["kind"] in ONCE_MORE and not request.get(CUT):
            return _queued(made, request | {CUT: True})
        made.mkdir(exist_ok=True)
        write_json(made / "result.json", {"problem": CUT_OFF}, durable=False)
        return Preview(problem=CUT_OFF)
    return None


def _queued(made: Path, request: dict[str, Any]) -> Preview:
    made.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.utime(made.with_suffix(".json"))  # still wanted
    except FileNotFoundError:
        write_json(made.with_suffix(".json"), request, durable=False)
    return Preview(message="waiting for the engine")


def is_measuring(store: Store) -> bool:
    """Whether a preview is being made."""
    return any(True for queue in QUEUES for _ in (store.home.cache / queue).glob("*.taken"))


def forget_preview(store: Store, kind: str, spec: RunSpec) -> None:
    """Let `preview` make it anew, as after a problem that was put right."""
    forget(store, _request(store, kind, spec))


def forget(store: Store, request: dict[str, Any]) -> None:
    """Let `request_preview` make it anew."""
    made = place_of(store, request)
    for path in made.glob("*") if made.exists() else ():
        path.unlink(missing_ok=True)
    with suppress(OSError):
        made.rmdir()


class Previewing:
    """The supervisor's care of previews: in each queue a previewer lives while something is asked."""

    def __init__(self, store: Store) -> None:
        self._store, self._folders = store, [store.home.cache / queue for queue in QUEUES]
        self._mark = f"{store.home.root}:previews"
        self._leaders: dict[Path, Identity] = {}

    def tick(self) -> None:
        for folder in self._folders:
            if waiting(folder) and not (folder in self._leaders and self._leaders[folder].is_alive):
                command = [sys.executable, "-m", "engine.previews.server", str(folder)]
                log = folder / "log.txt"
                self._leaders[folder] = processes.spawn(command, mark=self._mark, log=log, environment={}, folder=ROOT)

    @property
    def is_busy(self) -> bool:
        """Whether something is asked for or being made."""
        return any(map(waiting, self._folders)) or is_measuring(self._store)

    def close(self) -> None:
        """They are of no use without a supervisor: nothing they made is lost, and what they make is asked for again."""
        for leader in self._leaders.values():
            processes.send(leader, signal.SIGTERM)


def waiting(previews: Path) -> list[Path]:
    """What is asked and not taken up yet, newest first: the page that looks now comes first. What no page waits for
    any more, as a form goes through many specs while it is filled in, is dropped."""
    found = []
    for path in previews.glob("*.json"):
        with suppress(FileNotFoundError):
            requested_at = path.stat().st_mtime
            if time.time() - requested_at < UNWANTED_S:
                found.append((requested_at, path))
            else:
                path.unlink()
    return [path for _, path in sorted(found, reverse=True)]


def _request(store: Store, kind: str, spec: RunSpec) -> dict[str, Any]:
    dataset = store.datasets.get(spec.data.dataset)
    values = spec.model_dump(mode="json")
    try:
        path = weights_path(store, spec)
    except Refused:
        path = None
    return {
        "kind": kind,
        "spec": {name: values[name] for name in KINDS[kind][1]},
        "dataset": asdict(dataset),
        "weights_path": str(path) if path else None,
        "weights_seen": weights_seen(spec, path),
        "cache": str(store.home.cache),
    }


def place_of(store: Store, request: dict[str, Any]) -> Path:
    """The folder where it lies once it is made."""
    key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:24]
    return store.home.cache / ("predictions" if request["kind"] == "predictions" else "previews") / key
