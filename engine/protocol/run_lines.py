"""What a run says in its events.jsonl while it trains. An import, and a scan, say `Progress` and `Ended` of these."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.protocol.json_lines import EVENTS, Line, Unknown, parse_line, read_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Line):
    """Training begins after `epoch` completed epochs and `step` steps; what was reported beyond is void."""

    kind: ClassVar[str] = "started"

    attempt: int  # 1: the first process that trains this run
    pid: int = 0  # of the process that trains
    device: str  # as people read it: "cpu", "cuda:0 NVIDIA H200"
    epoch: int  # completed
    step: int  # done
    epochs: int  # in the whole run
    steps: int  # in the whole run
    going_on_from: str | None  # a checkpoint, relative to the run's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Line):
    """Values after a step; `at` when they were taken."""

    kind: ClassVar[str] = "metrics"

    step: int  # done
    epoch: int  # 1-based: the one under way
    values: dict[str, float | None]  # by path: "train/loss", "gpu0/allocated_mb"; null was not finite


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Line):
    """How far it is; what is not known yet is left out."""

    kind: ClassVar[str] = "progress"

    phase: str  # "preparing data", "training", "importing"
    step: int | None = None  # of a run: steps done; of an import: images, or bytes
    steps: int | None = None  # in all
    epoch: int | None = None  # completed
    epochs: int | None = None  # in the whole run
    eta_s: float | None  # seconds to the phase's end before training begins, to the run's end from then on
    message: str | None  # what goes on in the phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint(Line):
    """A checkpoint is whole on the disk."""

    kind: ClassVar[str] = "checkpoint"

    epoch: int  # completed
    step: int  # done
    path: str  # relative to the run's folder
    bytes: int  # of all its files
    sha256: str  # of its weights
    metrics: dict[str, float | None]  # of its epoch; empty in mid-epoch
    best: bool  # the best so far


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointDeleted(Line):
    """A checkpoint is about to go."""

    kind: ClassVar[str] = "checkpoint_deleted"

    path: str  # relative to the run's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Line):
    """A sentence for a human; searches say it too."""

    kind: ClassVar[str] = "message"

    level: str  # info, warning or error
    text: str  # the sentence
    code: str = ""  # what the sentence is made from


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Line):
    """The last line of an attempt. Without it the process was killed, and the run was interrupted."""

    kind: ClassVar[str] = "ended"

    state: str  # finished, failed, stopped, or interrupted: it goes on once `needs_bytes` are free
    reason: str | None  # one sentence
    advice: str | None  # what to do next
    detail: str | None  # a traceback
    needs_bytes: int | None = None  # of the disk
    code: str = ""  # what the reason is made from


RunLine = Started | Metrics | Progress | Checkpoint | CheckpointDeleted | Message | Ended
RUN_LINES: dict[str, type[RunLine]] = {
    one.kind: one for one in (Started, Metrics, Progress, Checkpoint, CheckpointDeleted, Message, Ended)
}


def has_ended(folder: Path) -> bool:
    """Whether the last whole line of a run is its `Ended`; only the file's end is read."""
    try:
        with (folder / EVENTS).open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 65_536))
            lines = file.read().splitlines(keepends=True)
    except OSError:
        return False
    return bool(lines) and lines[-1].endswith(b"\n") and isinstance(parse_line(lines[-1], RUN_LINES), Ended)


def read_run_lines(folder: Path, offset: int = 0) -> Iterator[tuple[RunLine | Unknown | None, int]]:
    """The lines of the run or import of `folder`; see `read_lines`."""
    return read_lines(folder / EVENTS, RUN_LINES, offset)
