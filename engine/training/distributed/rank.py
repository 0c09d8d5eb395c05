"""This process among those that train together, before torch is there: where it writes, what it dies with."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.protocol.json_lines import JsonLines
from engine.protocol.rank_endings import write_ending
from engine.protocol.reasons import Reason
from engine.protocol.run_lines import Ended, RunLine
from engine.protocol.run_reporter import NullReporter, Reporter

LAUNCHER = "THAW_LAUNCHER"  # in the environment: the pid of who started this process, which dies with it
STOP = "THAW_STOP"  # in the environment of ranks that were asked to end before they began
GPUS = "THAW_GPUS"  # how many GPUs the run has; a rank sees one of them
_PR_SET_PDEATHSIG = 1


def rank_of_this_process() -> int | None:
    """None: it trains alone."""
    return int(os.environ["RANK"]) if LAUNCHER in os.environ and "RANK" in os.environ else None


def die_with_the_launcher() -> None:
    """Where this process was told who started it, it goes when that one does, however that one went."""
    if LAUNCHER not in os.environ:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(os.environ[LAUNCHER]):  # it was gone before we asked to go with it
        os._exit(1)


def become_rank(folder: Path) -> None:
    """Make this process a rank: it dies with its launcher, takes its GPU; all but the first get a log of their own.

    Call it before torch is imported: later a GPU cannot be chosen any more.
    """
    die_with_the_launcher()
    rank = rank_of_this_process()
    if rank is None:
        return
    gpus = [gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu]
    if gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpus[rank % len(gpus)]
    os.environ[GPUS] = str(len(gpus))
    if rank:
        own = os.open(folder / f"log.rank{rank}.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.dup2(own, 1)
        os.dup2(own, 2)
        os.close(own)


@contextlib.contextmanager
def reporting(folder: Path) -> Iterator[Reporter]:
    """The reporter of this process: the first rank tells of all, and each leaves its last word to the launcher."""
    rank = rank_of_this_process()
    if rank:
        yield SilentRank(folder, rank)
        return
    lines = JsonLines.events(folder)
    try:
        yield Reporter(lines) if rank is None else FirstRank(lines, folder)
    finally:
        lines.close()


class FirstRank(Reporter):
    def __init__(self, lines: JsonLines, folder: Path) -> None:
        super().__init__(lines)
        self._folder = folder

    def _write(self, line: RunLine) -> None:
        if isinstance(line, Ended):
            self.flush()
            write_ending(self._folder, 0, line)
        else:
            super()._write(line)


class SilentRank(NullReporter):
    def __init__(self, folder: Path, rank: int) -> None:
        super().__init__()
        self._folder, self._rank = folder, rank

    def _write(self, line: RunLine) -> None:
        if isinstance(line, Ended):
            write_ending(self._folder, self._rank, line)


def common_ending(endings: Sequence[Ended | None]) -> Ended | None:
    """What the run ended with, from how each rank did; None: a rank was killed, which is no end of a run.

    A rank that failed of its own tells why: the others then only lost it.
    """
    lost = [one for one in endings if one and one.code == Reason.LOST_RANKS]
    own = [one for one in endings if one and one not in lost]
    if own:
        return next((one for one in own if one.state == "failed"), own[0])
    return None if None in endings else lost[0]
