"""Processes we started: an identity that survives pid reuse, and ends that are certain. Never by name or bare pid."""

import os
import select
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

import psutil

_exit_codes: dict[int, int] = {}  # pid -> exit code of a child collected; negative: the signal that ended it

MARK = "THAW_RUN"  # in the environment of everything launched: "<home>:<id>:<attempt>"


class Noted(Protocol):
    """A row that names a process: of a run, a search, a request."""

    @property
    def pid(self) -> int | None: ...
    @property
    def pid_started(self) -> float | None: ...
    @property
    def boot_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, not just a number: pids are used again, this triple is not."""

    pid: int
    started: float  # when, in the kernel's own count: no clock change moves it
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> "Identity":
        return cls(pid, _started(pid), boot_id())

    @classmethod
    def noted(cls, row: "Noted") -> "Identity | None":
        """The process that a row names; None: it names none."""
        if row.pid is None or row.pid_started is None or row.boot_id is None:
            return None
        return cls(row.pid, row.pid_started, row.boot_id)

    @property
    def is_alive(self) -> bool:
        if self.boot_id != boot_id():
            return False
        try:
            return _started(self.pid) == self.started and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def cpu_s(self) -> float:
        """Processor time that it and its living descendants have used, in seconds; 0 when it is gone.

        Of a leader of ranks it is that of the rank that worked least: the others may wait for it in a busy loop.
        """
        with suppress(psutil.Error):
            leader = psutil.Process(self.pid)
            ranks = [child for child in leader.children() if _leads_a_session(child.pid)]
            return min(map(_cpu_s, ranks)) if ranks else _cpu_s(leader)
        return 0.0


def _cpu_s(process: psutil.Process) -> float:
    total = 0.0
    with suppress(psutil.Error):
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def _leads_a_session(pid: int) -> bool:
    with suppress(ProcessLookupError):
        return os.getsid(pid) == pid
    return False


def _started(pid: int) -> float:
    """
    Raises:
        psutil.NoSuchProcess: There is none of that pid.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return float(fields[19])  # ticks since boot
    except OSError:
        return float(psutil.Process(pid).create_time())


@cache
def boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else str(psutil.boot_time())


def spawn(command: list[str], *, mark: str, log: Path, environment: dict[str, str], folder: Path) -> Identity:
    """Start `command` in a session of its own, nobody's terminal, output appended to `log` (never a pipe).

    Args:
        mark: By which it and its children are found again, in their environment.
        log: A file; it is made where it is missing.
        environment: Beside ours.
        folder: Where it works.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it is `reap` that waits for it: subprocess must not, and lose how it ended
    return Identity.of(process.pid)


class Nap:
    """Sleeps until a time is over, a child ends or a signal comes. For the main thread."""

    def __init__(self) -> None:
        self._woken, end = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(end, False)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # ignored by default, and then it wakes nobody

    def __call__(self, seconds: float) -> None:
        select.select([self._woken], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            os.read(self._woken, 4096)


def reap() -> None:
    """Collect children that ended, so that none stays a zombie."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            _exit_codes[ended[0]] = os.waitstatus_to_exitcode(ended[1])


def exit_code(pid: int) -> int | None:
    """How a child of ours ended, told once: negative when by a signal. None while it lives, or was not our child."""
    reap()
    return _exit_codes.pop(pid, None)


def send(who: Identity, number: signal.Signals) -> None:
    """Signal the process group that `who` leads, if it is still itself."""
    if who.is_alive:
        with suppress(ProcessLookupError):
            os.killpg(who.pid, number)


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that carry exactly this mark: launched by us, and their children."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process)
    return found


def leader(mark: str) -> Identity | None:
    """The one among those of a mark that started the others."""
    living = {process.pid: process for process in marked(mark)}
    return next((Identity.of(pid) for pid, process in living.items() if process.ppid() not in living), None)


def end_all(mark: str, *, patience_s: float = 5.0) -> bool:
    """SIGKILL everything that carries `mark`. True once all of it is gone."""
    deadline = time.monotonic() + patience_s
    while left := marked(mark):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        reap()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
