"""Why a run could not go on, in the user's words: from an exception to a reason and the next step."""

import errno
from collections.abc import Callable

from engine.errors import Unavailable
from engine.faults import advice
from engine.protocol.reasons import Reason, Why
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

    def __init__(self, phase: str) -> None:
        self.why = Why.of(Reason.STOPPED_PREPARING, phase=phase)
        super().__init__(self.why.reason)


def explain(error: BaseException, spec: RunSpec | None = None) -> Why:
    """The first row of the table that fits, else the exception's own first line."""
    if isinstance(error, Unavailable):  # says both by itself
        return Why.of(Reason.UNAVAILABLE, detail=error.reason, advice=error.advice or SEE_LOG)
    for fits, code, detail in _TABLE:
        if fits(error):
            return Why.of(code, detail=detail(error).removesuffix("."), advice=advice(code, spec or RunSpec()))
    first = (str(error).strip().splitlines() or [""])[0]
    detail_of = f"{type(error).__name__}: {first}".rstrip(": .")
    return Why.of(Reason.UNFORESEEN, detail=detail_of, advice=SEE_LOG)


def is_out_of_memory(error: BaseException) -> bool:
    """Of the host or of a GPU, in any library's words."""
    names = {kind.__name__ for kind in type(error).__mro__}  # by name: torch may not even be imported
    text = str(error).lower()
    texts = ("not enough memory", "can't allocate memory", "out of memory", "unable to allocate")
    return bool(names & {"OutOfMemoryError", "MemoryError"}) or any(one in text for one in texts)


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
    text = str(error)  # torch's own: it has no exception of that name
    return text.startswith("DataLoader worker") and ("killed by signal" in text or "exited unexpectedly" in text)


def room_for(error: BaseException) -> int:
    """Free bytes with which it is worth trying again what a full disk has ended."""
    return error.needed if isinstance(error, DiskFull) else _SOME_ROOM


def _says(*texts: str) -> Callable[[BaseException], bool]:
    return lambda error: any(text in str(error).lower() for text in texts)


def _nothing(error: BaseException) -> str:
    return ""


def _itself(error: BaseException) -> str:
    return str(error)


def _strerror(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)


def _file(error: BaseException) -> str:
    return str(getattr(error, "filename", None) or error)


_SOME_ROOM = 128 * 2**20
SEE_LOG = "See the log for the whole story, then resume."
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
_Row = tuple[Callable[[BaseException], bool], Reason, Callable[[BaseException], str]]  # fits, code, its detail
_TABLE: tuple[_Row, ...] = (
    (lambda error: isinstance(error, Diverged), Reason.DIVERGED, _itself),
    (_says("cudnn_status_not_initialized", "cublas_status_not_initialized"), Reason.CUDNN, _nothing),
    (_says("device-side assert"), Reason.DEVICE_ASSERT, _nothing),
    (is_out_of_memory, Reason.OUT_OF_MEMORY, _nothing),
    (is_disk_full, Reason.DISK_FULL, _strerror),
    (_says("expected more than 1 value per channel"), Reason.SINGLE_IMAGE, _nothing),  # torch, of batch normalisation
    (is_lost_rank, Reason.LOST_RANKS, _nothing),
    (lambda error: isinstance(error, FileNotFoundError), Reason.FILE_VANISHED, _file),
    (lambda error: isinstance(error, PermissionError), Reason.NO_PERMISSION, _file),
)
