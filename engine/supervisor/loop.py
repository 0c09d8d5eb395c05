"""The one process that owns a home's queue: it launches, follows and ends everything, and is the only writer of rows
beside the users' requests. It may be killed at any moment: the next one finds its place again."""

import fcntl
import logging
import logging.handlers
import os
import shutil
import signal
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path
from types import FrameType

from engine.api.datasets import users_of
from engine.api.runs import open_store
from engine.errors import Refused
from engine.machine import devices, processes
from engine.machine.code import code_digest
from engine.machine.processes import Identity, Nap
from engine.previews.requests import Previewing
from engine.supervisor.cleanup import remove_leftovers
from engine.supervisor.imports import Importing
from engine.supervisor.runs import Running
from engine.supervisor.scheduler import Scheduler
from engine.supervisor.search_requests import SearchRequests
from engine.supervisor.searches import Searching
from engine.supervisor.trackers import Tracking
from storage import EngineStatus, Home, Request, RunState, Store

log = logging.getLogger(__name__)

TICK_S = 0.5
TROUBLE_S = 2.0  # to wait after a round that failed
STALE_S = 30.0  # a shut-down asked of an engine that was gone by then is not for the next one
READING_S = 2.0
IDLE_S = float(os.environ.get("THAW_IDLE_S", "600"))  # one started on demand leaves after this long without work


class AlreadyRunning(RuntimeError):
    """Another supervisor holds this home."""


class Supervisor:
    """Holds the home's lock from construction until `close`.

    Raises:
        AlreadyRunning: Somebody else holds it; the text names the pid.
    """

    def __init__(self, store: Store, *, on_demand: bool = False) -> None:
        self._store = store
        self._on_demand = on_demand
        self._lock = _Lock(store.home.engine_lock)
        self._running = Running(store)
        self._searching = Searching(store)
        self._search_requests = SearchRequests(store, self._searching)
        self._scheduler = Scheduler(store, self._running, self._searching)
        self._importing = Importing(store)
        self._previewing = Previewing(store)
        self._tracking = Tracking(store)
        self._leaving = False
        self._busy_at = time.monotonic()
        self._read_at = 0.0
        who, now = Identity.of(os.getpid()), time.time()
        self._status = EngineStatus(
            uuid=uuid.uuid4().hex,
            pid=who.pid,
            pid_started=who.started,
            boot_id=who.boot_id,
            started_at=now,
            heartbeat_at=now,
            slots=self._running.slots,
            machine=devices.machine_reading(store.home),
            code=code_digest(),
        )
        remove_leftovers(store)
        self._importing.scan_embedded()
        store.engine.put(self._status)

    def run(self) -> None:
        """Tick until told to leave (SIGTERM or SIGINT; runs go on training), shut down, or idle for long."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)
        log.info("supervisor %s: pid %s, slots %s", self._status.uuid[:8], os.getpid(), ", ".join(self._running.slots))
        nap = Nap()
        while not self._leaving:
            began = time.monotonic()
            try:
                self.tick()
            except Exception:  # a full disk, a database held by a stranger: runs go on, and so must we
                log.exception("this round failed; trying again")
                nap(TROUBLE_S)
            if not self._leaving:
                nap(max(0.05, TICK_S - (time.monotonic() - began)))
        self.close()

    def tick(self) -> None:
        """One round: what users ask, what trains, what imports, the heartbeat."""
        processes.reap()
        for request in self._store.requests.open():
            self._carry_out(request)
        self._running.tick()
        self._searching.tick()
        self._scheduler.tick()
        self._previewing.tick()
        self._tracking.tick()
        self._beat()
        if not self._is_idle or self._previewing.is_busy:
            self._busy_at = time.monotonic()
        elif self._on_demand and time.monotonic() - self._busy_at > IDLE_S:
            self._leave_if_idle()

    @property
    def _is_idle(self) -> bool:
        return self._running.is_idle and self._searching.is_idle and not self._store.requests.open()

    def _leave_if_idle(self) -> None:
        """Under the lock that starters take: whoever asks now either is seen here, or finds nobody and starts anew."""
        with (self._store.home.root / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if self._is_idle:
                log.info("idle for %.0f s: leaving", IDLE_S)
                self._leaving = True
                self.close()

    def close(self) -> None:
        self._previewing.close()
        self._tracking.close()
        self._store.engine.clear()
        self._lock.close()

    def _carry_out(self, request: Request) -> None:
        try:
            CARRY_OUT[request.kind](self, request)
        except KeyError as missing:  # what it is about was deleted meanwhile
            self._store.requests.finish(request.id, "refused", str(missing.args[0]))
        except Refused as refused:
            self._store.requests.finish(request.id, "refused", str(refused))
        except OSError as error:
            log.exception("request %s failed", request)
            reason = f"The disk refused: {error.strerror} ({error.filename})."
            self._store.requests.finish(request.id, "refused", reason)
        except Exception as error:  # one request must not hold up the others
            log.exception("request %s failed", request)
            self._store.requests.finish(
                request.id, "refused", f"It failed: {error}; see {self._store.home.engine_log}."
            )

    def _stop_run(self, request: Request) -> None:
        if self._end_run(request.target):
            self._store.requests.finish(request.id, "done")

    def _end_run(self, run_id: str, **more: float) -> bool:
        """One call a tick; True once it is over."""
        if self._store.runs.get(run_id).search_id is not None:
            return self._searching.stop_trial(run_id)
        return self._running.stop(run_id, **more)

    def _resume_run(self, request: Request) -> None:
        over = {RunState.FAILED, RunState.STOPPED}
        with self._store.transaction():
            moved = self._store.runs.move(request.target, RunState.QUEUED, expect=over, tries=0, not_before=0.0)
            if moved and "step" in request.payload:  # back there: the newest left is what it goes on from
                self._store.checkpoints.rewind(request.target, request.payload["step"])
        self._store.requests.finish(request.id, "done" if moved else "refused", None if moved else "It is not over.")

    def _delete_run(self, request: Request) -> None:
        if not self._end_run(request.target, grace_s=5.0):
            return
        _discard(self._store.home, self._store.home.run(request.target))
        self._store.runs.delete(request.target)
        self._store.requests.finish(request.id, "done")

    def _ask_search(self, request: Request) -> None:
        if self._search_requests.carry_out(request):
            self._store.requests.finish(request.id, "done")

    def _delete_search(self, request: Request) -> None:
        if not self._searching.stop(request.target, grace_s=5.0):
            return
        for run in self._store.runs.trials(request.target):
            _discard(self._store.home, self._store.home.run(run.id))
        _discard(self._store.home, self._store.home.search(request.target))
        self._store.searches.delete(request.target)
        self._store.requests.finish(request.id, "done")

    def _import_dataset(self, request: Request) -> None:
        self._importing.tick(request)

    def _delete_dataset(self, request: Request) -> None:
        if users := users_of(self._store, request.target):
            self._store.requests.finish(request.id, "refused", f"It is in use by {', '.join(users[:5])}.")
            return
        fetched = Path(self._store.datasets.get(request.target).path)
        self._store.datasets.delete(request.target)
        _discard(self._store.home, self._store.home.dataset(request.target))
        is_shared = any(Path(one.path) == fetched for one in self._store.datasets.list())
        if fetched.parent == self._store.home.downloads and not is_shared:
            _discard(self._store.home, fetched)
        self._store.requests.finish(request.id, "done")

    def _shut_down(self, request: Request) -> None:
        if request.created_at < self._status.started_at - STALE_S:
            self._store.requests.finish(request.id, "refused", "It was meant for an engine that is gone.")
            return
        waiting = [state for state in RunState if not state.is_over]
        over = [self._running.stop(run.id) for run in self._store.runs.list(states=waiting, alone=True, limit=-1)]
        over += [self._searching.pause(search.id) for search in self._store.searches.list(limit=-1)]
        if all(over):
            self._store.requests.finish(request.id, "done")
            self._leaving = True

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._read_at >= READING_S:
            self._read_at = now
            self._status = replace(
                self._status, heartbeat_at=time.time(), machine=devices.machine_reading(self._store.home)
            )
            self._store.engine.put(self._status)

    def _leave(self, number: int, frame: FrameType | None) -> None:
        log.info("signal %s: leaving; runs go on training", signal.Signals(number).name)
        self._leaving = True


CARRY_OUT = {
    "stop_run": Supervisor._stop_run,
    "resume_run": Supervisor._resume_run,
    "delete_run": Supervisor._delete_run,
    **dict.fromkeys(SearchRequests.KINDS, Supervisor._ask_search),
    "delete_search": Supervisor._delete_search,
    "import_dataset": Supervisor._import_dataset,
    "scan_dataset": Supervisor._import_dataset,
    "delete_dataset": Supervisor._delete_dataset,
    "shut_down": Supervisor._shut_down,
}


def main(home: Home, *, on_demand: bool = False) -> int:
    """Supervise `home` in this process; 3 when another supervisor does already."""
    handler = logging.handlers.RotatingFileHandler(home.engine_log, maxBytes=5_000_000, backupCount=3)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=[handler])
    try:
        supervisor = Supervisor(open_store(home), on_demand=on_demand)
    except AlreadyRunning as error:
        print(error, file=sys.stderr)
        return 3
    try:
        supervisor.run()
    except Exception:
        log.exception("the supervisor ends on an error; runs go on training, the next supervisor follows them")
        return 1
    return 0


class _Lock:
    """`flock` on the home's lock file. exec'ed children do not hold it: Python's descriptors close on exec."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip()
            self._file.close()
            raise AlreadyRunning(f"Another supervisor works here already ({holder}).") from None
        self._file.truncate(0)
        self._file.write(f"pid {os.getpid()}")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def _discard(home: Home, folder: Path) -> None:
    """Remove a folder for good: renamed first, so that a kill leaves nothing half there under its own name."""
    if folder.exists():
        trash = home.trash / f"{folder.name}-{uuid.uuid4().hex[:8]}"
        folder.rename(trash)
        shutil.rmtree(trash)
