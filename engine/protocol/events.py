"""What happens to runs and searches, as lines for a human: a code each, and the one place where codes become sentences.

Everything goes by the code. The sentences are for people and may be worded anew at any time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from engine.protocol.reasons import STOPS, Why
from engine.protocol.run_lines import Message


class EventCode(StrEnum):
    """What happened: it stands in lines and rows, and never changes. What tells an end has the code of its reason."""

    QUEUED = "queued"
    QUEUED_AGAIN = "queued_again"
    QUEUED_BEYOND = "queued_beyond"
    FROM_CHECKPOINT = "from_checkpoint"
    READ_IN = "read_in"
    READ_REMARK = "read_remark"
    TRIAL = "trial"
    STARTED = "started"
    STARTED_AGAIN = "started_again"
    GOING_ON = "going_on"
    GOING_ON_AGAIN = "going_on_again"
    SEARCH_STARTED = "search_started"
    SEARCH_STARTED_AGAIN = "search_started_again"
    STALLED = "stalled"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    UNREADABLE_LINES = "unreadable_lines"
    EXTENDED = "extended"
    SPACE_CHANGED = "space_changed"
    LOGGED = "logged"
    NOT_LOGGED = "not_logged"
    # of training
    WEIGHTS = "weights"
    DECODED_ANEW = "decoded_anew"
    PRECISION = "precision"
    NOT_CUT = "not_cut"
    NO_ROOM_FOR_FEATURES = "no_room_for_features"
    FEATURES_MADE = "features_made"
    FEATURES_FOUND = "features_found"
    VIEW_MADE = "view_made"
    VIEW_FOUND = "view_found"
    COMPILED = "compiled"
    THAWED = "thawed"
    EARLY_STOP = "early_stop"
    MEMORY_SHORT = "memory_short"
    MEMORY_SHORT_NORMS = "memory_short_norms"
    OTHER_SETTINGS = "other_settings"
    OTHER_PROCESSES = "other_processes"
    BAD_CHECKPOINT = "bad_checkpoint"
    NO_CHECKPOINT_LEFT = "no_checkpoint_left"
    # of searches
    OTHERS_WEIGHTS = "others_weights"
    TRIAL_RECOVERED = "trial_recovered"
    NONE_PRUNED = "none_pruned"
    HEADS_AT_ONCE = "heads_at_once"
    HEADS_ONE_BY_ONE = "heads_one_by_one"


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as lines and rows carry it."""

    code: str
    level: str  # info, warning or error
    text: str
    details: Mapping[str, object]  # values of the text

    @classmethod
    def of(cls, code: EventCode, **details: object) -> "Happening":
        level, words = EVENTS[code]
        return cls(code, level, words.format(**details), details)

    @classmethod
    def end(cls, state: str, why: Why | None = None) -> "Happening":
        """A run or a search is in this state now; the code is that of the reason, where there is one."""
        level, word = EVENTS[EventCode(state)]
        if why is None:
            return cls(state, level, f"{word}.", {})
        text = f"{why.reason} {why.advice}".rstrip()
        return cls(why.code, level, text if why.code in STOPS else f"{word}: {text}", {})


class Say(Protocol):
    """Whoever takes down what happens."""

    def __call__(self, code: EventCode, /, **details: object) -> None: ...


def message(code: EventCode, /, **details: object) -> Message:
    """What happened as a line of a run or a search."""
    what = Happening.of(code, **details)
    return Message(level=what.level, text=what.text, code=what.code)


def unsaid(code: EventCode, /, **details: object) -> None:
    """Where nobody listens."""


EVENTS: dict[EventCode, tuple[str, str]] = {  # -> level, sentence
    EventCode.QUEUED: ("info", "Queued."),
    EventCode.QUEUED_AGAIN: ("info", "Queued again."),
    EventCode.QUEUED_BEYOND: ("info", "Queued again, beyond the budget or target it met."),
    EventCode.FROM_CHECKPOINT: ("info", "It goes on from {name} ({run}) after {after}."),
    EventCode.READ_IN: ("info", "Read from TensorBoard's files in {source}: {metrics} metrics, {points:,} points."),
    EventCode.READ_REMARK: ("info", "{detail}"),
    EventCode.TRIAL: ("info", "Trial {number} of {name} ({search})."),
    EventCode.STARTED: ("info", "Training on {device}."),
    EventCode.STARTED_AGAIN: ("info", "Training on {device} (attempt {attempt})."),
    EventCode.GOING_ON: ("info", "Training on {device}, going on after epoch {epoch}."),
    EventCode.GOING_ON_AGAIN: ("info", "Training on {device} (attempt {attempt}), going on after epoch {epoch}."),
    EventCode.SEARCH_STARTED: ("info", "Searching on {device}, {trials} at a time."),
    EventCode.SEARCH_STARTED_AGAIN: ("info", "Searching on {device}, {trials} at a time (attempt {attempt})."),
    EventCode.STALLED: ("warning", "It made no progress for {seconds:.0f} s; its stacks are in the log."),
    EventCode.FINISHED: ("info", "Finished"),
    EventCode.FAILED: ("error", "Failed"),
    EventCode.STOPPED: ("info", "Stopped"),
    EventCode.PAUSED: ("info", "Paused"),
    EventCode.INTERRUPTED: ("warning", "Interrupted"),
    EventCode.UNREADABLE_LINES: ("warning", "Left out of its report, being unreadable: {lines} lines."),
    EventCode.EXTENDED: ("info", "Extended by {trials} trials, to {total}."),
    EventCode.SPACE_CHANGED: ("info", "Its space was changed."),
    EventCode.LOGGED: ("info", "Logged to {tracker} as well: {place}"),
    EventCode.NOT_LOGGED: ("warning", "It is not logged to {tracker}: {detail} This does not touch its training."),
    EventCode.WEIGHTS: ("info", "Weights: {detail}"),
    EventCode.DECODED_ANEW: (
        "info",
        "Images are decoded anew in every epoch: kept, they would take {gigabytes:,.1f} GB.",
    ),
    EventCode.PRECISION: ("info", "{detail}"),
    EventCode.NOT_CUT: ("info", "Frozen stages run in every epoch: {detail}."),
    EventCode.NO_ROOM_FOR_FEATURES: (
        "info",
        "Frozen stages run in every epoch: what they make of all images takes {needed:.1f} GB, "
        "and there is room for {limit:.3g} GB.",
    ),
    EventCode.FEATURES_MADE: ("info", "Features of the frozen stages: {size}, computed once in {seconds:.1f} s."),
    EventCode.FEATURES_FOUND: ("info", "Features of the frozen stages: {size}, found, made by another run."),
    EventCode.VIEW_MADE: ("info", "Features of changed images, view {view}: {size}, computed once in {seconds:.1f} s."),
    EventCode.VIEW_FOUND: ("info", "Features of changed images, view {view}: {size}, found, made by another run."),
    EventCode.COMPILED: ("info", "torch.compile: the first step took {seconds:.1f} s."),
    EventCode.THAWED: ("info", "Epoch {epoch}: {stages} thawed."),
    EventCode.EARLY_STOP: ("info", "Ended after epoch {epoch}: no better validation for {epochs} epochs."),
    EventCode.MEMORY_SHORT: (
        "warning",
        "Out of memory: batches of {images} are now computed in {parts} parts of {size}; "
        "what is learned stays the same.",
    ),
    EventCode.MEMORY_SHORT_NORMS: (
        "warning",
        "Out of memory: batches of {images} are now computed in {parts} parts of {size}; "
        "BatchNorm sees these smaller parts.",
    ),
    EventCode.OTHER_SETTINGS: ("info", "It goes on with other settings: {settings}"),
    EventCode.OTHER_PROCESSES: (
        "warning",
        "It was trained by {before} so far and goes on with {now}: batches and learning rates stay, "
        "but random choices differ from those of an uninterrupted run.",
    ),
    EventCode.BAD_CHECKPOINT: ("warning", "checkpoint {path} is bad and set aside: {detail}"),
    EventCode.NO_CHECKPOINT_LEFT: (
        "error",
        "{path} cannot be used and no older checkpoint is left: starting from the beginning",
    ),
    EventCode.OTHERS_WEIGHTS: ("info", "It goes on from the weights of {name} after epoch {epoch}."),
    EventCode.TRIAL_RECOVERED: (
        "warning",
        "The process of trial {number} was killed; it goes on from its last checkpoint.",
    ),
    EventCode.NONE_PRUNED: ("info", "No trial is ended early: to its last epoch a head costs less than a look at it."),
    EventCode.HEADS_AT_ONCE: ("info", "{heads} heads train at once, over features computed once."),
    EventCode.HEADS_ONE_BY_ONE: (
        "warning",
        "{heads} heads at once need more memory than there is: these go on one by one.",
    ),
}
