"""Why a run's process is gone without a last word, as far as can be told from outside."""

import shutil
import signal
from dataclasses import dataclass

from engine.faults import FAULTS
from engine.machine import processes, resources
from storage import Home, Run

KILLED = "Its process was killed (by hand, by a system short of memory, or by a reboot)."
LEAST_FREE = 32 * 2**20  # bytes: with less the run cannot even say what happened
CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT)


@dataclass(frozen=True, slots=True)
class Cause:
    text: str  # a sentence, beginning as the fault's reason does
    fault: str = "killed"  # a key of FAULTS
    recurs: bool = False  # happening twice in one place, it will happen again: no use in trying on


class Deaths:
    """Remembers what is needed to tell one death from another; a new supervisor begins with no memory."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._kills: dict[str, int] = {}  # run -> processes killed for lack of memory when it was launched
        self._hung: set[str] = set()
        self._last: dict[str, tuple[str, int]] = {}  # run -> fault and completed epochs

    def launched(self, run_id: str) -> None:
        self._hung.discard(run_id)
        self._kills[run_id] = resources.kills()

    def hung(self, run_id: str) -> None:
        """It is about to be ended for lack of progress."""
        self._hung.add(run_id)

    def cause(self, run: Run) -> Cause:
        code = processes.exit_code(run.pid) if run.pid else None
        if shutil.disk_usage(self._home.root).free < LEAST_FREE:
            return Cause(f"{FAULTS['disk'].reason}: nothing can be written.", "disk")
        if run.id in self._hung:
            return Cause(f"{FAULTS['hung'].reason} and was ended; its stacks are in the log.", "hung", recurs=True)
        if code is not None and -code in CRASHES:
            return Cause(f"{FAULTS['crash'].reason} ({signal.Signals(-code).name}).", "crash", recurs=True)
        if resources.kills() > self._kills.get(run.id, resources.kills()):
            return Cause(f"{FAULTS['killed for memory'].reason}.", "killed for memory", recurs=True)
        return Cause(KILLED)

    def repeats(self, run: Run, cause: Cause) -> bool:
        """Whether it died of the same cause in the same epoch the time before."""
        before, self._last[run.id] = self._last.get(run.id), (cause.fault, run.epoch)
        return cause.recurs and before == (cause.fault, run.epoch)

    def forget(self, run_id: str) -> None:
        """The user has it resumed, or it is over: what was before does not count."""
        self._last.pop(run_id, None)
        self._kills.pop(run_id, None)
        self._hung.discard(run_id)
