"""Why a run's process is gone without a last word, as far as can be told from outside."""

import shutil
import signal
from dataclasses import dataclass

from engine.machine import processes, resources
from engine.protocol.reasons import Reason, Why
from storage import Home, Run

LEAST_FREE = 32 * 2**20  # bytes: with less the run cannot even say what happened
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)


@dataclass(frozen=True, slots=True)
class Cause:
    why: Why
    recurs: bool = False  # happening twice in one place, it will happen again: no use in trying on


class ExitCauses:
    """Remembers what is needed to tell one death from another; a new supervisor begins with no memory."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._kills: dict[str, int] = {}  # run -> processes killed for lack of memory when it was launched
        self._hung: set[str] = set()
        self._last: dict[str, tuple[str, int]] = {}  # run -> code and completed epochs

    def launched(self, run_id: str) -> None:
        self._hung.discard(run_id)
        self._kills[run_id] = resources.kills()

    def hung(self, run_id: str) -> None:
        """It is about to be ended for lack of progress."""
        self._hung.add(run_id)

    def cause(self, run: Run) -> Cause:
        code = processes.exit_code(run.pid) if run.pid else None
        if shutil.disk_usage(self._home.root).free < LEAST_FREE:
            return Cause(Why.of(Reason.DISK_FULL, detail="nothing can be written"))
        if run.id in self._hung:
            return Cause(Why.of(Reason.HUNG), recurs=True)
        if code is not None and -code in CRASHES:
            return Cause(Why.of(Reason.CRASHED, signal=signal.Signals(-code).name), recurs=True)
        if resources.kills() > self._kills.get(run.id, resources.kills()):
            return Cause(Why.of(Reason.KILLED_FOR_MEMORY), recurs=True)
        return Cause(Why.of(Reason.KILLED))

    def repeats(self, run: Run, cause: Cause) -> bool:
        """Whether it died of the same cause in the same epoch the time before."""
        before, self._last[run.id] = self._last.get(run.id), (cause.why.code, run.epoch)
        return cause.recurs and before == (cause.why.code, run.epoch)

    def forget(self, run_id: str) -> None:
        """The user has it resumed, or it is over: what was before does not count."""
        self._last.pop(run_id, None)
        self._kills.pop(run_id, None)
        self._hung.discard(run_id)
