"""The supervisor's care of trackers: a follower for each that is chosen, alive while something trains."""

import signal
import sys
import time

from engine.machine import processes
from engine.machine.processes import Identity
from engine.tracking.choice import trackers
from engine.worker.launchers import ROOT
from storage import RunState, SearchState, Store

AGAIN_S = 30.0  # before a follower that ended is started once more
RUNS = tuple(state for state in RunState if state.has_process)
SEARCHES = tuple(state for state in SearchState if state.has_process)


class Tracking:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._followers: dict[str, Identity] = {}
        self._started: dict[str, float] = {}  # monotonic

    def tick(self) -> None:
        chosen = trackers(self._store)
        for name in self._followers.keys() - chosen.keys():
            processes.send(self._followers.pop(name), signal.SIGTERM)
        for name in chosen:
            follower = self._followers.get(name)
            is_due = time.monotonic() - self._started.get(name, -AGAIN_S) >= AGAIN_S
            if (follower is None or not follower.is_alive) and is_due and self._something_trains():
                self._start(name)

    def close(self) -> None:
        """They pass on what is left, and leave."""
        for follower in self._followers.values():
            processes.send(follower, signal.SIGTERM)

    def _start(self, name: str) -> None:
        folder = self._store.home.trackers
        (folder / name).mkdir(parents=True, exist_ok=True)
        self._started[name] = time.monotonic()
        self._followers[name] = processes.spawn(
            [sys.executable, "-m", "engine.tracking.follower", name],
            mark=f"{self._store.home.root}:tracker:{name}",
            log=folder / f"{name}.log",
            environment={"THAW_HOME": str(self._store.home.root)},
            folder=ROOT,
        )

    def _something_trains(self) -> bool:
        return bool(self._store.runs.list(states=RUNS, limit=1) or self._store.searches.list(states=SEARCHES, limit=1))
