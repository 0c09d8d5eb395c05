"""The supervisor's care of runs: launch them, follow what trains, settle what ended, end what must.

Trials are left alone: their search's driver trains them (`engine.supervisor.searches`)."""

import logging
import os
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from engine.faults import FAULTS, advice
from engine.machine import processes
from engine.machine.devices import slots as machine_slots
from engine.machine.processes import Identity
from engine.protocol.events import EventCode, Happening
from engine.protocol.json_lines import EVENTS
from engine.protocol.reasons import Reason, Remark, Why
from engine.specs import RunSpec
from engine.supervisor import log_files
from engine.supervisor.exit_causes import LEAST_FREE, Cause, ExitCauses
from engine.supervisor.ingest import columns_of, ingest
from engine.supervisor.run_file import write_run_file
from engine.worker import launchers
from storage import Run, RunState, Store, StoreBusy

log = logging.getLogger(__name__)

ACTIVE = (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)
MOST_TRIES = 5  # launches without a new checkpoint
BACK_OFF_S = (1, 4, 15, 60)
GRACE_S = float(os.environ.get("THAW_GRACE_S", "30"))  # from SIGTERM to SIGKILL
STALL_S = float(os.environ.get("THAW_STALL_S", "120"))  # without a line or any work
EXIT_S = 15  # from the last word to the end of the process
MOST_TROUBLES = 10  # rounds: a passing trouble of the disk ends no run


class Running:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.slots = machine_slots()
        # All clocks here are monotonic: a suspended laptop or a corrected clock is no stall.
        self._signs: dict[str, SignOfLife] = {}
        self._stop_sent_at: dict[str, float] = {}  # run -> when it was sent SIGTERM
        self._exit_causes = ExitCauses(store.home)
        self._troubles: Counter[str] = Counter()  # run -> rounds in a row in which it could not be followed

    def tick(self) -> None:
        for run in self._store.runs.list(states=ACTIVE, alone=True, limit=-1):
            try:
                self._follow(run)
                self._troubles.pop(run.id, None)
            except StoreBusy:  # no trouble of this run's: it trains on, and is followed again once rows can be written
                raise
            except Exception as error:  # one run's trouble must not end the others'
                log.exception("run %s could not be followed", run.id)
                self._troubles[run.id] += 1
                if self._troubles[run.id] >= MOST_TROUBLES:
                    self._give_up(run, error)
        for run in self._store.runs.list(states=[RunState.INTERRUPTED], alone=True, limit=-1):
            if time.time() >= run.not_before and self._has_room(run):
                self._go_on(run)

    @property
    def is_idle(self) -> bool:
        count = self._store.runs.count(alone=True)
        return not any(count.get(state) for state in (*ACTIVE, RunState.QUEUED, RunState.INTERRUPTED))

    def stop(self, run_id: str, *, grace_s: float = GRACE_S) -> bool:
        """Bring a run to its end, step by step, one call a tick. True once it is over and every process is gone."""
        run = self._store.runs.get(run_id)
        if run.state.is_over:
            self._stop_sent_at.pop(run_id, None)
            return True
        without_process = {RunState.QUEUED, RunState.INTERRUPTED}
        if run.state in without_process:
            why = Why.of(Reason.STOPPED_WAITING if run.attempt else Reason.STOPPED_BEFORE_START)
            return self._store.runs.move(run_id, RunState.STOPPED, expect=without_process, **columns_of(why))
        leader = Identity.noted(run) or self._find_leader(run)
        if leader and run_id not in self._stop_sent_at:
            if run.state is not RunState.STOPPING:  # an engine before this one has sent it: a second means "at once"
                processes.send(leader, signal.SIGTERM)
            self._stop_sent_at[run_id] = time.monotonic()
        self._store.runs.move(run_id, RunState.STOPPING)
        if time.monotonic() - self._stop_sent_at.get(run_id, time.monotonic()) > grace_s:
            processes.end_all(launchers.mark(self._store.home, run))
        return False

    def launch(self, run: Run, slot: str) -> None:
        """Start a queued run on these slots."""
        store, now = self._store, time.time()
        kept = store.checkpoints.list(run.id)
        resume_from = kept[0].path if kept else None
        moved = store.runs.move(
            run.id,
            RunState.STARTING,
            attempt=run.attempt + 1,
            tries=run.tries + 1,
            slot=slot,
            pid=None,
            resume_from=resume_from,
            started_at=run.started_at or now,
            progress_at=now,
        )
        if not moved:
            return
        run = store.runs.get(run.id)
        try:
            write_run_file(store, run)
            self._exit_causes.launched(run.id)
            leader = launchers.launch(store.home, run)
        except (OSError, KeyError) as error:
            log.exception("run %s could not be launched", run.id)
            advice = "See the engine's log; free some disk space if it is full, then resume the run."
            why = Why.of(Reason.NOT_LAUNCHED, detail=error, advice=advice)
            store.runs.move(run.id, RunState.FAILED, **columns_of(why))
            return
        store.runs.update(run.id, pid=leader.pid, pid_started=leader.started, boot_id=leader.boot_id)
        log.info("run %s attempt %s: pid %s on %s", run.id, run.attempt, leader.pid, slot)

    def _follow(self, run: Run) -> None:
        leader = Identity.noted(run) or self._find_leader(run)
        mark = launchers.mark(self._store.home, run)
        if leader is None or not leader.is_alive:
            if not processes.end_all(mark):  # what the leader left behind
                log.warning("run %s: a process resists being ended; waiting", run.id)
                return
            self._signs.pop(run.id, None)
            ingest(self._store, run, gone=True)
            self._settle(self._store.runs.get(run.id))
            return
        ended = ingest(self._store, run, gone=False)
        log_files.trim(self._store.home.run(run.id) / "log.txt")
        signs = self._last_sign(self._store.runs.get(run.id), leader)
        silent_s = time.monotonic() - signs.since
        if ended and silent_s > EXIT_S:
            log.warning("run %s said it ended but its process stays: ending it", run.id)
            processes.end_all(mark)
        elif silent_s > STALL_S:
            self._store.events.note(run.id, Happening.of(EventCode.STALLED, seconds=STALL_S))
            self._exit_causes.hung(run.id)
            processes.send(leader, signal.SIGUSR1)  # its stacks go to the log
            time.sleep(0.2)
            processes.end_all(mark)  # the next round finds it gone, takes what it said last, and settles it

    def _last_sign(self, run: Run, leader: Identity) -> "SignOfLife":
        """The run's last signs of life; a new line or half a second of work is a new one."""
        seen, used = self._signs.get(run.id), leader.cpu_s()
        if seen is None or run.offset != seen.offset or used > seen.cpu_s + 0.5:
            seen = SignOfLife(run.offset, used, time.monotonic())
            self._signs[run.id] = seen
        return seen

    def _give_up(self, run: Run, error: Exception) -> None:
        """Fail a run whose report cannot be taken, and step over what could not be."""
        if not processes.end_all(launchers.mark(self._store.home, run)):
            return
        del self._troubles[run.id]
        report = self._store.home.run(run.id) / EVENTS
        advice = f"See {self._store.home.engine_log}; resume the run to go on from its last checkpoint."
        why = Why.of(Reason.UNREADABLE_REPORT, detail=f"{type(error).__name__}: {error}", advice=advice)
        end = report.stat().st_size if report.exists() else 0
        if self._store.runs.move(run.id, RunState.FAILED, **columns_of(why), pid=None, slot=None, offset=end):
            self._store.events.note(run.id, Happening.end(RunState.FAILED, why))

    def _find_leader(self, run: Run) -> Identity | None:
        """The leader of an attempt whose pid was never written down: we died between launching it and noting it."""
        found = processes.leader(launchers.mark(self._store.home, run))
        if found:
            self._store.runs.update(run.id, pid=found.pid, pid_started=found.started, boot_id=found.boot_id)
        return found

    def _settle(self, run: Run) -> None:
        """A final or waiting state for a run whose process is gone without a last word."""
        if run.state.is_over:
            self._exit_causes.forget(run.id)
            return
        if run.state is RunState.INTERRUPTED:  # its last word: it waits for room on the disk
            return
        cause = self._exit_causes.cause(run)
        kept = self._store.checkpoints.list(run.id)
        stands = Remark.LAST_CHECKPOINT if kept else Remark.NO_CHECKPOINT
        why = cause.why.remarked(stands, epoch=kept[0].epoch if kept else 0)
        again = self._exit_causes.repeats(run, cause)
        if run.state is RunState.STOPPING:
            why = Why.of(Reason.STOPPED_BY_FORCE).remarked(stands, epoch=kept[0].epoch if kept else 0)
            self._end(run, RunState.STOPPED, why)
        elif again:
            why = self._fail(run, cause, Remark.SAME_EPOCH_TWICE)
        elif run.tries >= MOST_TRIES:
            why = self._fail(run, cause, Remark.NO_NEW_CHECKPOINT)
        elif cause.why.code == Reason.DISK_FULL:
            why = why.remarked(Remark.GOES_ON_WITH_ROOM)
            self._end(run, RunState.INTERRUPTED, why, needs_bytes=2 * LEAST_FREE)
        else:
            wait_s = BACK_OFF_S[max(0, min(run.tries, len(BACK_OFF_S)) - 1)]  # no tries in vain: at once
            why = why.remarked(Remark.GOES_ON_SOON)
            self._end(run, RunState.INTERRUPTED, why, not_before=time.time() + wait_s)
        self._store.events.add(run.id, "warning", why.reason, code=why.code)

    def _fail(self, run: Run, cause: Cause, how_often: Remark) -> Why:
        self._exit_causes.forget(run.id)
        why = cause.why.remarked(how_often, epoch=run.epoch + 1, times=run.tries)
        why = replace(why, advice=advice(why.code, RunSpec.parse(run.spec)))
        self._end(run, RunState.FAILED, why)
        return why

    def _end(self, run: Run, state: RunState, why: Why, **values: Any) -> None:
        values |= columns_of(why)
        self._store.runs.move(run.id, state, pid=None, slot=None, phase=None, eta_s=None, **values)

    def _has_room(self, run: Run) -> bool:
        return run.needs_bytes is None or shutil.disk_usage(self._store.home.runs).free >= run.needs_bytes

    def _go_on(self, run: Run) -> None:
        """Queue what was interrupted, unless the disk was full each time it was tried."""
        if run.needs_bytes is not None and run.tries >= MOST_TRIES:
            why = Why(Reason.DISK_FULL, run.reason or "", FAULTS[Reason.DISK_FULL].advice)
            self._end(run, RunState.FAILED, why.remarked(Remark.NO_NEW_CHECKPOINT, times=run.tries))
            return
        self._store.runs.move(run.id, RunState.QUEUED)


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """When a run last showed life, and by what."""

    offset: int
    cpu_s: float
    since: float  # monotonic
