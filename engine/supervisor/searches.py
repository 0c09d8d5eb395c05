"""The supervisor's care of searches: launch what waits, follow drivers and their trials, settle what ended."""

import logging
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from engine.errors import Refused
from engine.machine import processes
from engine.machine.processes import Identity
from engine.protocol import driver_requests
from engine.protocol.driver_requests import DriverRequest, Extend, Pause, Stop, StopTrial
from engine.protocol.events import EventCode, Happening
from engine.protocol.json_lines import EVENTS
from engine.protocol.reasons import Reason, Remark, Why
from engine.supervisor import log_files
from engine.supervisor.exit_causes import LEAST_FREE
from engine.supervisor.ingest import columns_of
from engine.supervisor.runs import BACK_OFF_S, GRACE_S, MOST_TRIES, MOST_TROUBLES, STALL_S
from engine.supervisor.search_file import write_search_file
from engine.supervisor.search_ingest import ACTIVE, end_trial, ingest_search, state_after
from engine.worker import launchers
from storage import Run, RunState, Search, SearchState, Store, StoreBusy

log = logging.getLogger(__name__)

SILENT_S = 2.5 * STALL_S  # without a line of any trial: some take long over a first batch
EXIT_S = 30  # from the last word to the end of all processes
WORKING = tuple(state for state in SearchState if state.has_process)
WAITING = (SearchState.QUEUED, SearchState.INTERRUPTED)
LAST_S = 30.0  # counted as work after the last line that a lost driver wrote


class Searching:
    def __init__(self, store: Store) -> None:
        self._store = store
        # All clocks here are monotonic: a suspended laptop or a corrected clock is no stall.
        self._signs: dict[str, SignOfLife] = {}
        self._requested_at: dict[tuple[str, str], float] = {}  # (search, what) -> when its driver was asked
        self._stopping: set[str] = set()  # trials whose driver was asked to stop them
        self._troubles: Counter[str] = Counter()

    def tick(self) -> None:
        for search in self._store.searches.list(states=WORKING, limit=-1):
            try:
                self._follow(search)
                self._troubles.pop(search.id, None)
            except StoreBusy:
                raise
            except Exception as error:  # one search's trouble must not end the others'
                log.exception("search %s could not be followed", search.id)
                self._troubles[search.id] += 1
                if self._troubles[search.id] >= MOST_TROUBLES:
                    self._give_up(search, error)
        for search in self._store.searches.list(states=[SearchState.INTERRUPTED], limit=-1):
            if time.time() >= search.not_before:
                self._store.searches.move(search.id, SearchState.QUEUED)

    @property
    def is_idle(self) -> bool:
        return not self._store.searches.list(states=[*WORKING, *WAITING], limit=1)

    def launch(self, search: Search, slot: str) -> None:
        """Start a queued search's driver on these slots."""
        store, now = self._store, time.time()
        moved = store.searches.move(
            search.id,
            SearchState.STARTING,
            attempt=search.attempt + 1,
            tries=search.tries + 1,
            slot=slot,
            pid=None,
            started_at=search.started_at or now,
            launched_at=now,
            progress_at=now,
        )
        if not moved:
            return
        search = store.searches.get(search.id)
        self._forget(search.id)
        try:
            write_search_file(store, search)
            leader = launchers.launch_search(store.home, search)
        except (OSError, KeyError, Refused) as error:
            log.exception("search %s could not be launched", search.id)
            advice = "See the engine's log; free some disk space if it is full, then continue the search."
            self._end(search, SearchState.FAILED, Why.of(Reason.NOT_LAUNCHED, detail=error, advice=advice))
            return
        store.searches.update(search.id, pid=leader.pid, pid_started=leader.started, boot_id=leader.boot_id)
        log.info("search %s attempt %s: pid %s on %s", search.id, search.attempt, leader.pid, slot)

    def stop(self, search_id: str, *, grace_s: float = GRACE_S) -> bool:
        """Bring a search to its end, one call a tick. True once it is over and every process is gone."""
        return self._leave(search_id, "stop", SearchState.STOPPING, SearchState.STOPPED, grace_s)

    def pause(self, search_id: str, *, grace_s: float = GRACE_S) -> bool:
        """The same, but it can go on where it was; one that is over stays so."""
        return self._leave(search_id, "pause", SearchState.PAUSING, SearchState.PAUSED, grace_s)

    def _leave(self, search_id: str, what: str, by: SearchState, to: SearchState, grace_s: float) -> bool:
        search = self._store.searches.get(search_id)
        if search.state.is_over or search.state is to:
            return True
        if not search.state.has_process:
            is_new = what == "stop" and search.attempt == 0
            self._end(search, to, Why.of(Reason.STOPPED_BEFORE_START) if is_new else None)
            return True
        self._store.searches.move(search_id, by)
        began = self._requested_at.get((search_id, what))
        if began is None:
            began = self._requested_at[search_id, what] = time.monotonic()
            self._send(search_id, Stop() if what == "stop" else Pause())
        if time.monotonic() - began > grace_s:
            processes.end_all(launchers.mark(self._store.home, search))
        return False

    def stop_trial(self, run_id: str) -> bool:
        """Bring one trial to its end, one call a tick. True once it is over."""
        run = self._store.runs.get(run_id)
        if run.state.is_over:
            self._stopping.discard(run_id)
            return True
        search = self._store.searches.get(str(run.search_id))
        if not search.state.has_process:
            end_trial(self._store, run_id, RunState.STOPPED, Why.of(Reason.STOPPED_WAITING))
            return True
        self._store.runs.move(run_id, RunState.STOPPING, expect={RunState.RUNNING, RunState.STARTING})
        if run_id not in self._stopping:
            self._stopping.add(run_id)
            self._send(search.id, StopTrial(run=run_id))
        return False

    def send_num_trials(self, search: Search) -> None:
        """A driver that works learns how many trials are wanted now."""
        if search.state.has_process:
            self._send(search.id, Extend(trials=search.num_trials))

    def _send(self, search_id: str, request: DriverRequest) -> None:
        driver_requests.send(self._store.home.search(search_id), request)

    def _follow(self, search: Search) -> None:
        leader = Identity.noted(search) or self._find_leader(search)
        mark = launchers.mark(self._store.home, search)
        if leader is None or not leader.is_alive:
            if not processes.end_all(mark):  # what the driver left behind
                log.warning("search %s: a process resists being ended; waiting", search.id)
                return
            code = processes.exit_code(search.pid) if search.pid else None
            with self._store.transaction():  # nobody sees a search that is over with trials that are not
                ingest_search(self._store, search, gone=True)
                self._settle(self._store.searches.get(search.id), code)
            return
        ended = ingest_search(self._store, search, gone=False)
        log_files.trim(self._store.home.search(search.id) / "log.txt")
        silent_s = time.monotonic() - self._last_sign(search.id, leader, ended).since
        if ended and silent_s > EXIT_S:
            log.warning("search %s said it ended but its processes stay: ending them", search.id)
            processes.end_all(mark)
        elif silent_s > SILENT_S:
            stalled = Happening.of(EventCode.STALLED, seconds=SILENT_S)
            self._store.events.note(None, stalled, search_id=search.id)
            processes.send(leader, signal.SIGUSR1)  # its stacks go to the log
            time.sleep(0.2)
            processes.end_all(mark)  # the next round finds it gone, and settles it

    def _last_sign(self, search_id: str, leader: Identity, ended: bool) -> "SignOfLife":
        """The search's last signs of life: a line of a trial, another trial or phase, its last word.

        What its driver says besides is none while Ray trains: it goes on talking when those processes are gone. While
        it prepares, the share that is done is one; where it trains heads itself, half a second of its work.
        """
        offsets = [(run.id, run.offset) for run in self._store.runs.trials(search_id, states=ACTIVE)]
        counts = self._store.runs.trial_counts(search_id)
        search = self._store.searches.get(search_id)
        share = search.message if search.phase != "searching" else None
        work = int(2 * leader.cpu_s()) if search.path == "heads" else None
        shown = (search.phase, share, work, sorted(counts.items()), offsets, ended)
        seen = self._signs.get(search_id)
        if seen is None or shown != seen.shown:
            seen = self._signs[search_id] = SignOfLife(shown, time.monotonic())
        return seen

    def _find_leader(self, search: Search) -> Identity | None:
        """The leader of an attempt whose pid was never written down: we died between launching it and noting it."""
        found = processes.leader(launchers.mark(self._store.home, search))
        if found:
            self._store.searches.update(search.id, pid=found.pid, pid_started=found.started, boot_id=found.boot_id)
        return found

    def _settle(self, search: Search, code: int | None) -> None:
        """A state for a search whose driver is gone, and ends for trials that were left under way."""
        if not search.state.has_process:  # its last word
            again = search.state is SearchState.INTERRUPTED
            if again and search.tries >= MOST_TRIES:
                why = Why(search.reason_code or "", search.reason, "") if search.reason else Why.of(Reason.DRIVER_LEFT)
                self._fail(search, why)
            else:
                self._rest(search, search.state, not_before=_later(search) if again else 0.0)
            return
        state = state_after(search.state, SearchState.INTERRUPTED)
        if state is not SearchState.INTERRUPTED:
            self._end(search, state)
            return
        cause = self._cause(code)
        if search.tries >= MOST_TRIES:
            self._fail(search, cause)
            return
        self._end(search, state, cause.remarked(Remark.SEARCH_GOES_ON_SOON), not_before=_later(search))

    def _cause(self, code: int | None) -> Why:
        if shutil.disk_usage(self._store.home.root).free < LEAST_FREE:
            return Why.of(Reason.DISK_FULL, detail="nothing can be written")
        if code is not None and code > 0:
            return Why.of(Reason.DRIVER_EXITED, exit_code=code)
        return Why.of(Reason.KILLED)

    def _fail(self, search: Search, cause: Why) -> None:
        log_file = self._store.home.search(search.id) / "log.txt"
        why = cause.remarked(Remark.NO_TRIAL_ENDED, times=search.tries)
        self._end(search, SearchState.FAILED, replace(why, advice=f"See {log_file}; then continue the search."))

    def _give_up(self, search: Search, error: Exception) -> None:
        """Fail a search whose report cannot be taken, and step over what could not be."""
        if not processes.end_all(launchers.mark(self._store.home, search)):
            return
        del self._troubles[search.id]
        report = self._store.home.search(search.id) / EVENTS
        self._store.searches.update(search.id, offset=report.stat().st_size if report.exists() else 0)
        detail, advice = f"{type(error).__name__}: {error}", f"See {self._store.home.engine_log}."
        self._end(search, SearchState.FAILED, Why.of(Reason.UNREADABLE_REPORT, detail=detail, advice=advice))

    def _end(self, search: Search, state: SearchState, why: Why | None = None, **values: Any) -> None:
        if self._store.searches.move(search.id, state, **values, **columns_of(why)):
            self._store.events.note(None, Happening.end(state, why), search_id=search.id)
        self._rest(self._store.searches.get(search.id), state)

    def _rest(self, search: Search, state: SearchState, **values: Any) -> None:
        """No process works for it any more: count the time, free the slot, settle its trials."""
        worked_s = 0.0
        if search.launched_at is not None:
            until = min(time.time(), max(search.progress_at or 0.0, search.launched_at) + LAST_S)
            worked_s = max(0.0, until - search.launched_at)
        self._store.searches.update(
            search.id,
            spent_s=search.spent_s + worked_s,
            spent_gpu_s=search.spent_gpu_s + worked_s * search.gpus,
            launched_at=None,
            pid=None,
            slot=None,
            phase=None,
            message=None,
            **values,
        )
        for run in self._store.runs.trials(search.id, states=[*ACTIVE, RunState.INTERRUPTED]):
            self._rest_trial(run, state)
        self._forget(search.id)

    def _rest_trial(self, run: Run, state: SearchState) -> None:
        if state in (SearchState.FINISHED, SearchState.STOPPED):
            end_trial(self._store, run.id, RunState.STOPPED, Why.of(Reason.WITH_SEARCH))
        elif run.state is not RunState.INTERRUPTED:
            end_trial(self._store, run.id, RunState.INTERRUPTED, Why.of(Reason.GOES_ON_WITH_SEARCH))

    def _forget(self, search_id: str) -> None:
        self._signs.pop(search_id, None)
        for what in ("stop", "pause"):
            self._requested_at.pop((search_id, what), None)


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """When a search last showed life, and by what."""

    shown: Any
    since: float  # monotonic


def _later(search: Search) -> float:
    """When to launch it again: at once where it came further, else later and later."""
    return time.time() + BACK_OFF_S[max(0, min(search.tries, len(BACK_OFF_S)) - 1)]
