"""Why a run could not go on, in the user's words: from an exception to a reason and the next step."""

import errno
from collections.abc import Callable
from dataclasses import dataclass

from engine.errors import Unavailable
from engine.spec import RunSpec


class Diverged(RuntimeError):
    """The loss or the weights are no longer finite."""


class DiskFull(OSError):
    """Too little room for the next checkpoint."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(errno.ENOSPC, f"{needed / 1e6:,.0f} MB needed, {free / 1e6:,.0f} MB free")


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
    for fits, reason, advice in _TABLE:
        if fits(error):
            return Failure(reason(error).removesuffix(".") + ".", advice(spec or RunSpec()))
    first = (str(error).strip().splitlines() or [""])[0]
    return Failure(f"{type(error).__name__}: {first}".rstrip(": .") + ".", _LOOK)


def _out_of_memory(error: BaseException) -> bool:
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


def _vanished(error: BaseException) -> str:
    return f"a file has vanished: {getattr(error, 'filename', None) or error}"


def _smaller(spec: RunSpec) -> str:
    batch = spec.optimisation.batch_size
    halved = f"Halve the batch size ({batch} now, try {batch // 2})" if batch > 1 else "Choose a smaller backbone"
    return f"{halved} or the image size ({spec.data.image_size} px now), and start the run again."


def _slower(spec: RunSpec) -> str:
    rate = spec.optimisation.learning_rate
    return f"Divide the learning rate by 10 ({rate:g} now, try {rate / 10:g}) and start the run again."


def _lone_image(error: BaseException) -> bool:
    return "expected more than 1 value per channel" in str(error).lower()  # torch, of batch normalisation


_LOOK = "See the log for the whole story, then resume."
_Row = tuple[Callable[[BaseException], bool], Callable[[BaseException], str], Callable[[RunSpec], str]]
_TABLE: tuple[_Row, ...] = (
    (lambda error: isinstance(error, Diverged), lambda error: f"diverged: {error}", _slower),
    (_out_of_memory, lambda _: "out of memory", _smaller),
    (
        is_disk_full,
        lambda error: f"disk full: {getattr(error, 'strerror', None) or error}",
        lambda _: "Free some space (old runs, caches), then resume: it goes on from the last checkpoint.",
    ),
    (
        _lone_image,
        lambda _: "batches of a single image cannot be normalised by this backbone",
        lambda _: "Choose a batch size of 2 or more, or larger images, and start the run again.",
    ),
    (
        lambda error: isinstance(error, FileNotFoundError),
        _vanished,
        lambda _: "Put it back or import the data set again, then resume.",
    ),
    (
        lambda error: isinstance(error, PermissionError),
        lambda error: f"no permission: {getattr(error, 'filename', None) or error}",
        lambda _: "Give the user that runs Thaw the right to read and write it, then resume.",
    ),
)
