"""Why a run could not go on, in the user's words: from an exception to a reason and the next step."""

import errno
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import Unavailable
from engine.faults import FAULTS, advice
from engine.specs import RunSpec


class Diverged(RuntimeError):
    """The loss or the weights are no longer finite."""


class DiskFull(OSError):
    """Too little room for the next checkpoint."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(errno.ENOSPC, f"{needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free")
        self.needed = needed


class BadCheckpoint(RuntimeError):
    """A checkpoint's files are not what its manifest says; nothing of it was loaded."""


class Stopped(Exception):
    """Asked to leave before training began."""


@dataclass(frozen=True, slots=True)
class Failure:
    reason: str  # one sentence
    advice: str  # what to do next


def explain(error: BaseException, spec: RunSpec | None = None) -> Failure:
    """The first row of the table that fits, else the exception's own first line."""
    if isinstance(error, Unavailable):  # says both by itself
        what, _, next_step = str(error).partition(". ")
        return Failure(what.removesuffix(".") + ".", next_step or _LOOK)
    for fits, fault, detail in _TABLE:
        if fits(error):
            said = f"{FAULTS[fault].reason}{detail(error)}"
            return Failure(said.removesuffix(".") + ".", advice(fault, spec or RunSpec()))
    first = (str(error).strip().splitlines() or [""])[0]
    return Failure(f"{type(error).__name__}: {first}".rstrip(": .") + ".", _LOOK)


def is_out_of_memory(error: BaseException) -> bool:
    """Of the host or of a GPU, in any library's words."""
    names = {kind.__name__ for kind in type(error).__mro__}  # by name: torch may not even be imported
    said = str(error).lower()
    texts = ("not enough memory", "can't allocate memory", "out of memory", "unable to allocate")
    return bool(names & {"OutOfMemoryError", "MemoryError"}) or any(text in said for text in texts)


def is_disk_full(error: BaseException) -> bool:
    """Also in the disguises of torch ("unexpected pos") and safetensors ("os error 28"), which are no OSErrors."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    texts = ("unexpected pos", "no space left", "file too large", "disk quota", "file write failed")
    return any(text in str(error).lower() for text in texts)


def is_lost_rank(error: BaseException) -> bool:
    """Whether it only tells that another rank is gone."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return "DistError" in names or any(text in str(error).lower() for text in _LOST_RANK)


def is_lost_helper(error: BaseException) -> bool:
    """Whether it only tells that a process that decodes images was killed."""
    said = str(error)
    return said.startswith("DataLoader worker") and ("killed by signal" in said or "exited unexpectedly" in said)


def room_for(error: BaseException) -> int:
    """Free bytes with which it is worth trying again what a full disk has ended."""
    return error.needed if isinstance(error, DiskFull) else _SOME_ROOM


def _says(*texts: str) -> Callable[[BaseException], bool]:
    return lambda error: any(text in str(error).lower() for text in texts)


def _nothing(error: BaseException) -> str:
    return ""


def _itself(error: BaseException) -> str:
    return f": {error}"


def _strerror(error: BaseException) -> str:
    return f": {getattr(error, 'strerror', None) or error}"


def _file(error: BaseException) -> str:
    return f": {getattr(error, 'filename', None) or error}"


_SOME_ROOM = 128 * 2**20
_LOOK = "See the log for the whole story, then resume."
_LOST_RANK = (  # as NCCL, Gloo and torch's watchdog put it
    "watchdog caught collective operation timeout",
    "nccl communicator was aborted",
    "ncclremoteerror",
    "ncclsystemerror",
    "connection closed by peer",
    "connection reset by peer",
    "timed out waiting",
    "wait timeout",
    "socket timeout",
    "broken pipe",
    "gloo/transport",
)
_Row = tuple[Callable[[BaseException], bool], str, Callable[[BaseException], str]]  # fits, fault, what is added to it
_TABLE: tuple[_Row, ...] = (
    (lambda error: isinstance(error, Diverged), "diverged", _itself),
    (_says("cudnn_status_not_initialized", "cublas_status_not_initialized"), "cudnn", _nothing),
    (_says("device-side assert"), "assert", _nothing),
    (is_out_of_memory, "memory", _nothing),
    (is_disk_full, "disk", _strerror),
    (_says("expected more than 1 value per channel"), "single image", _nothing),  # torch, of batch normalisation
    (is_lost_rank, "ranks", _nothing),
    (lambda error: isinstance(error, FileNotFoundError), "vanished", _file),
    (lambda error: isinstance(error, PermissionError), "permission", _file),
)
