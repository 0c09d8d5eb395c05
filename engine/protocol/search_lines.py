"""What a search's driver says in the search's events.jsonl; each trial says the rest as a run of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.protocol.json_lines import EVENTS, Line, Unknown, read_lines
from engine.protocol.run_lines import Message
from engine.protocol.serialization import JsonObject, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Line):
    """The driver lives."""

    kind: ClassVar[str] = "started"

    attempt: int = 1  # 1: the first driver of this search
    pid: int = 0  # of the driver
    device: str  # as people read it: "cpu", "2 GPUs"
    max_concurrent: int = key("at_once")  # trials side by side
    path: str = "ray"  # how trials are trained: ray, or heads: many at once as one computation


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Line):
    """A trial begins, goes on after its process was lost, or has other settings from here on."""

    kind: ClassVar[str] = "trial"

    run: str  # the id of its run
    number: int  # within the search; 1 is the base run
    name: str = ""  # of its run
    attempt: int = 1  # of its run
    config: JsonObject  # what is searched: field path -> value
    spec: JsonObject | None = None  # all of its run's settings


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialEnded(Line):
    """A trial left, and the last line of its run is written."""

    kind: ClassVar[str] = "trial_ended"

    run: str  # the id of its run
    state: str  # as of runs; interrupted: it goes on with the search
    reason: str | None  # one sentence
    advice: str | None  # what to do next
    cost: float | None = None  # what the metric is weighed against, where the search asks for it
    code: str = ""  # what the reason is made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Line):
    """What goes on now."""

    kind: ClassVar[str] = "progress"

    phase: str  # "starting", "searching", ...
    message: str | None  # what goes on in the phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Line):
    """The driver's last line."""

    kind: ClassVar[str] = "ended"

    state: str  # finished, stopped, paused, failed, or interrupted: start it again
    reason: str | None  # one sentence
    advice: str | None  # what to do next
    num_trials: int | None = key("wanted")  # trials in all, as far as the driver knows; null: it has not come so far
    code: str = ""  # what the reason is made from


SearchLine = Started | Trial | TrialEnded | Progress | Message | Ended
SEARCH_LINES: dict[str, type[SearchLine]] = {
    one.kind: one for one in (Started, Trial, TrialEnded, Progress, Message, Ended)
}


def read_search_lines(folder: Path, offset: int = 0) -> Iterator[tuple[SearchLine | Unknown | None, int]]:
    """The lines of the search of `folder`; see `read_lines`."""
    return read_lines(folder / EVENTS, SEARCH_LINES, offset)
