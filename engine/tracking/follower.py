"""The process that logs runs to one tracker: `python -m engine.tracking.follower NAME`.

It reads rows as pages do, and keeps beside each run how far it has come; killed at any moment, the next one goes on.
"""

import fcntl
import json
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from engine.catalog.trackers import TRACKERS
from engine.protocol.events import EventCode, Happening
from engine.protocol.json_file import write_json
from engine.tracking.choice import trackers
from storage import Home, MetricPoint, Run, RunState, Store, StoreBusy

POLL_S = 2.0
STAYS_S = 60.0  # without a run that is under way
MOST_POINTS = 5_000  # at a time
SLACK_S = 5.0  # a row is seen a moment after the time that it bears
NOT_OVER = tuple(state for state in RunState if not state.is_over)
UNTOLD = (RunState.QUEUED, RunState.STARTING)  # points that the next attempt takes back are still there

log = logging.getLogger("thaw")


class Logger(Protocol):
    """What writes to a tracker. Any method may raise: the run is then given up there, and trains on."""

    def place(self, run: Run) -> str: ...
    def log(self, run: Run, points: list[MetricPoint]) -> None: ...
    def rewind(self, run: Run, step: int) -> None: ...
    def end(self, run: Run) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Place:
    """How far a run has been logged."""

    attempt: int = 0
    steps: dict[str, int] = field(default_factory=dict)  # metric -> its last step
    over: int | None = None  # the attempt that was logged to its end
    given_up: int | None = None  # the attempt that cannot be logged


class Follower:
    def __init__(self, store: Store, name: str, logger: Logger) -> None:
        self._store, self._name, self._logger = store, name, logger
        self._path = store.home.trackers / f"{name}.json"
        self._looked_at = float(_read(self._path, 0.0))  # runs made before then were met, or logged to their end
        self._met: set[str] = set()  # runs that are not logged to their end
        self._places: dict[str, Place] = {}

    def tick(self) -> bool:
        """Pass on what is new. Whether there is anything to wait for."""
        since = trackers(self._store).get(self._name)
        if since is None:
            return False
        now = time.time()
        waiting = self._store.runs.list(states=NOT_OVER, limit=-1)
        self._met |= {run.id for run in (*waiting, *self._store.runs.begun(max(since, self._looked_at - SLACK_S)))}
        runs = [run for run in self._store.runs.some(self._met) if self._is_due(run)]
        for run in runs:
            try:
                self._follow(run)
            except StoreBusy:
                raise
            except Exception as error:  # whatever a foreign package raises: it must not end the other runs' logging
                self._give_up(run, error)
        self._met = {run.id for run in runs if self._is_due(run)}
        self._looked_at = now
        write_json(self._path, min((run.created_at for run in (*waiting, *runs)), default=now))
        return bool(runs)

    def _is_due(self, run: Run) -> bool:
        if not run.attempt:
            return False
        place = self._place(run)
        is_logged = run.state.is_over and place.over == run.attempt
        return place.given_up != run.attempt and not is_logged

    def _follow(self, run: Run) -> None:
        if run.state in UNTOLD:
            return
        place = self._place(run)
        if 0 < place.attempt < run.attempt:
            step = self._begins_after(run)
            self._logger.rewind(run, step)
            place.steps = {name: min(last, step) for name, last in place.steps.items()}
        place.attempt = run.attempt
        while points := self._store.metrics.after(run.id, place.steps, limit=MOST_POINTS):
            self._logger.log(run, points)
            if not place.steps:  # only now is it known to work
                label = TRACKERS[self._name].label
                place_there = self._logger.place(run)
                self._store.events.note(run.id, Happening.of(EventCode.LOGGED, tracker=label, place=place_there))
            place.steps |= {one.name: one.step for one in points}
            self._keep(run, place)
        if run.state.is_over:
            self._logger.end(run)
            place.over = run.attempt
        self._keep(run, place)

    def _begins_after(self, run: Run) -> int:
        """The step of the checkpoint that this attempt went on from; -1 for none."""
        kept = self._store.checkpoints.list(run.id)
        return next((one.step for one in kept if one.path == run.resume_from), -1)

    def _give_up(self, run: Run, error: Exception) -> None:
        log.exception("run %s cannot be logged to %s", run.id, self._name)
        label = TRACKERS[self._name].label
        if self._store.runs.some([run.id]):  # else it was deleted this moment
            self._store.events.note(run.id, Happening.of(EventCode.NOT_LOGGED, tracker=label, detail=error))
        place = self._place(run)
        place.given_up = run.attempt
        with suppress(OSError):  # no room is a reason to give up, too: then this process alone remembers
            self._keep(run, place)

    def _place(self, run: Run) -> Place:
        if run.id not in self._places:
            self._places[run.id] = Place(**_read(self._path_of(run), {}))
        return self._places[run.id]

    def _keep(self, run: Run, place: Place) -> None:
        if self._store.home.run(run.id).exists():  # it may be deleted this moment
            write_json(self._path_of(run), asdict(place))

    def _path_of(self, run: Run) -> Path:
        return self._store.home.run(run.id) / f"{self._name}.json"


def main(name: str) -> int:
    """Follow until told to leave, until the supervisor is gone, or until nothing was under way for a while."""
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    os.nice(10)  # what trains comes first
    supervisor, home = os.getppid(), Home.find()
    with (home.trackers / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the follower of a supervisor that was killed leaves in a moment
        leaving: list[int] = []
        signal.signal(signal.SIGTERM, lambda number, frame: leaving.append(number))
        module, _, kind = TRACKERS[name].logger.partition(":")
        logger: Logger = getattr(import_module(module), kind)(home.trackers / name)
        follower = Follower(Store.open(home), name, logger)
        busy_at = time.monotonic()
        while not leaving and os.getppid() == supervisor and time.monotonic() - busy_at < STAYS_S:
            if _tick(follower):
                busy_at = time.monotonic()
            time.sleep(POLL_S)
        _tick(follower)
        logger.close()
    return 0


def _tick(follower: Follower) -> bool:
    try:
        return follower.tick()
    except StoreBusy:
        log.exception("the store is busy, or its disk full; trying again")
        return True


def _read(path: Path, default: Any) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default
    except ValueError:  # as written by versions that did not wait for the disk
        log.warning("%s cannot be read and is begun anew", path)
        return default


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
