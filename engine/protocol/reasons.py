"""Why runs, trials and searches fail, stop or wait: a code each, and the one place where codes become sentences.

Everything goes by the code. The sentences are for people and may be worded anew at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict


class Reason(StrEnum):
    """A code: it stands in lines, rows and files, and never changes."""

    # failures that are foreseen: what helps against them is in engine.faults
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    KILLED_FOR_MEMORY = "killed_for_memory"
    KILLED = "killed"
    KILLED_AGAIN = "killed_again"
    CRASHED = "crashed"
    HUNG = "hung"
    DISK_FULL = "disk_full"
    SINGLE_IMAGE = "single_image"
    CUDNN = "cudnn"
    DEVICE_ASSERT = "device_assert"
    LOST_RANKS = "lost_ranks"
    FILE_VANISHED = "file_vanished"
    NO_PERMISSION = "no_permission"
    # other failures
    UNAVAILABLE = "unavailable"
    UNFORESEEN = "unforeseen"
    UNSAID = "unsaid"
    TRIAL_INTERRUPTED = "trial_interrupted"
    MISFIT = "misfit"
    NOT_LAUNCHED = "not_launched"
    UNREADABLE_REPORT = "unreadable_report"
    ALL_FAILED_ALIKE = "all_failed_alike"
    ALL_FAILED = "all_failed"
    DRIVER_EXITED = "driver_exited"
    DRIVER_LEFT = "driver_left"
    RAY_GONE = "ray_gone"
    # ends that somebody wanted, and what is only put aside
    STOPPED_BEFORE_START = "stopped_before_start"
    STOPPED_WAITING = "stopped_waiting"
    STOPPED_PREPARING = "stopped_preparing"
    STOPPED_BEFORE_STEP = "stopped_before_step"
    STOPPED_AFTER_EPOCH = "stopped_after_epoch"
    STOPPED_AT_STEP = "stopped_at_step"
    STOPPED_BY_FORCE = "stopped_by_force"
    STOPPED_BY_USER = "stopped_by_user"
    WITH_SEARCH = "with_search"
    WITH_FINISHED_SEARCH = "with_finished_search"
    PRUNED = "pruned"
    PAUSED_WITH_SEARCH = "paused_with_search"
    INTERRUPTED_WITH_SEARCH = "interrupted_with_search"
    GOES_ON_WITH_SEARCH = "goes_on_with_search"
    TARGET_REACHED = "target_reached"
    TIME_SPENT = "time_spent"
    GPU_TIME_SPENT = "gpu_time_spent"


RESUMED_WITH_SEARCH = frozenset({Reason.WITH_SEARCH, Reason.WITH_FINISHED_SEARCH})  # of trials: they go on if it does
STOPS = RESUMED_WITH_SEARCH | {  # their sentences say themselves that it was stopped
    Reason.STOPPED_BEFORE_START,
    Reason.STOPPED_WAITING,
    Reason.STOPPED_PREPARING,
    Reason.STOPPED_BEFORE_STEP,
    Reason.STOPPED_AFTER_EPOCH,
    Reason.STOPPED_AT_STEP,
    Reason.STOPPED_BY_FORCE,
    Reason.STOPPED_BY_USER,
}


class Remark(StrEnum):
    """What may follow a reason."""

    LAST_CHECKPOINT = "last_checkpoint"
    NO_CHECKPOINT = "no_checkpoint"
    GOES_ON_SOON = "goes_on_soon"
    GOES_ON_WITH_ROOM = "goes_on_with_room"
    SEARCH_GOES_ON_SOON = "search_goes_on_soon"
    SAME_EPOCH_TWICE = "same_epoch_twice"
    NO_NEW_CHECKPOINT = "no_new_checkpoint"
    NO_TRIAL_ENDED = "no_trial_ended"


@dataclass(frozen=True, slots=True)
class Why:
    """A reason as lines and rows carry it."""

    code: str
    reason: str  # one sentence, at times with remarks behind it
    advice: str = ""  # what to do next

    @classmethod
    def of(cls, code: Reason, *, advice: str = "", **values: object) -> "Why":
        """The reason of `code` in words; `values` are what its sentence has a place for."""
        return cls(code, SENTENCES[code].format(**values), advice)

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "Why | None":
        """From the fields of a line or a file; without a code where it was written before there were any."""
        reason = fields.get("reason")
        return cls(fields.get("code") or "", reason, fields.get("advice") or "") if reason else None

    def remarked(self, remark: Remark, **values: object) -> "Why":
        return Why(self.code, f"{self.reason} {remark_of(remark, **values)}", self.advice)


class ReasonFields(TypedDict):
    code: str
    reason: str | None
    advice: str | None


def fields_of(why: Why | None) -> ReasonFields:
    """As the fields of a line or a file."""
    if why is None:
        return {"code": "", "reason": None, "advice": None}
    return {"code": str(why.code), "reason": why.reason, "advice": why.advice or None}


def remark_of(remark: Remark, **values: object) -> str:
    return SENTENCES[remark].format(**values)


SENTENCES: dict[Reason | Remark, str] = {
    Reason.DIVERGED: "diverged: {detail}.",
    Reason.OUT_OF_MEMORY: "out of memory.",
    Reason.KILLED_FOR_MEMORY: "The machine ran out of memory and its system killed the process.",
    Reason.KILLED: "Its process was killed (by hand, by a system short of memory, or by a reboot).",
    Reason.KILLED_AGAIN: "Its process was killed, and again when it was tried anew.",
    Reason.CRASHED: "Its process crashed in native code ({signal}).",
    Reason.HUNG: "It made no progress and was ended; its stacks are in the log.",
    Reason.DISK_FULL: "disk full: {detail}.",
    Reason.SINGLE_IMAGE: "batches of a single image cannot be normalised by this backbone.",
    Reason.CUDNN: "cuDNN could not start, most often because other programs hold the GPU's memory.",
    Reason.DEVICE_ASSERT: ("the GPU stopped at an impossible index, most often a label beyond the number of classes."),
    Reason.LOST_RANKS: "the ranks lost each other: one hung, died or was cut off from the network.",
    Reason.FILE_VANISHED: "a file has vanished: {detail}.",
    Reason.NO_PERMISSION: "no permission: {detail}.",
    Reason.UNAVAILABLE: "{detail}",
    Reason.UNFORESEEN: "{detail}.",
    Reason.UNSAID: "It failed.",
    Reason.TRIAL_INTERRUPTED: "A trial was interrupted.",
    Reason.MISFIT: "These settings do not go together: {detail}.",
    Reason.NOT_LAUNCHED: "It could not be launched: {detail}.",
    Reason.UNREADABLE_REPORT: "Thaw could not read what it reported ({detail}).",
    Reason.ALL_FAILED_ALIKE: "{trials} failed in the same way: {first}",
    Reason.ALL_FAILED: "{trials} failed, most of them so: {first}",
    Reason.DRIVER_EXITED: "Its driver ended with exit code {exit_code}; the end of its log says why.",
    Reason.DRIVER_LEFT: "Its driver left again and again.",
    Reason.RAY_GONE: "Ray's own process was killed; the search goes on from its runs.",
    Reason.STOPPED_BEFORE_START: "Stopped before it started.",
    Reason.STOPPED_WAITING: "Stopped while it waited to go on.",
    Reason.STOPPED_PREPARING: "Stopped while {phase}.",
    Reason.STOPPED_BEFORE_STEP: "Stopped before the first step.",
    Reason.STOPPED_AFTER_EPOCH: "Stopped after epoch {epoch}; resuming goes on from there.",
    Reason.STOPPED_AT_STEP: "Stopped at step {step}, in epoch {epoch}; saved, so that resuming goes on from there.",
    Reason.STOPPED_BY_FORCE: "Stopped.",
    Reason.STOPPED_BY_USER: "Stopped by its user.",
    Reason.WITH_SEARCH: "Stopped with its search.",
    Reason.WITH_FINISHED_SEARCH: "Stopped with its search: {why}",
    Reason.PRUNED: "Pruned by {scheduler} after epoch {epoch}.",
    Reason.PAUSED_WITH_SEARCH: "Paused with its search; it goes on from here.",
    Reason.INTERRUPTED_WITH_SEARCH: "Interrupted with its search; it goes on from here.",
    Reason.GOES_ON_WITH_SEARCH: "It goes on with its search.",
    Reason.TARGET_REACHED: "A trial reached the target of {target:g}.",
    Reason.TIME_SPENT: "Its time budget of {hours:g} h is spent.",
    Reason.GPU_TIME_SPENT: "Its budget of {hours:g} GPU hours is spent.",
    Remark.LAST_CHECKPOINT: "The last checkpoint is of epoch {epoch}.",
    Remark.NO_CHECKPOINT: "There is no checkpoint yet.",
    Remark.GOES_ON_SOON: "It goes on by itself in a moment.",
    Remark.GOES_ON_WITH_ROOM: "It goes on by itself once there is room.",
    Remark.SEARCH_GOES_ON_SOON: "It goes on by itself in a moment; trials that ended stay as they are.",
    Remark.SAME_EPOCH_TWICE: "That happened twice in epoch {epoch}.",
    Remark.NO_NEW_CHECKPOINT: "That happened {times} times without a new checkpoint.",
    Remark.NO_TRIAL_ENDED: "That happened {times} times without a trial that ended.",
}
