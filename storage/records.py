"""What the store hands out: frozen photographs of rows. Times are Unix seconds, sizes bytes."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    INTERRUPTED = "interrupted"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def is_over(self) -> bool:
        """No process trains it and none will, unless the user resumes it."""
        return self in (RunState.FINISHED, RunState.FAILED, RunState.STOPPED)

    @property
    def has_process(self) -> bool:
        return self in (RunState.STARTING, RunState.RUNNING, RunState.STOPPING)


MOVES: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.STARTING, RunState.STOPPED, RunState.FAILED}),
    RunState.STARTING: frozenset(
        {
            RunState.RUNNING,
            RunState.STOPPING,
            RunState.INTERRUPTED,
            RunState.FINISHED,
            RunState.FAILED,
            RunState.STOPPED,
        }
    ),
    RunState.RUNNING: frozenset(
        {RunState.STOPPING, RunState.INTERRUPTED, RunState.FINISHED, RunState.FAILED, RunState.STOPPED}
    ),
    RunState.STOPPING: frozenset({RunState.STOPPED, RunState.FINISHED, RunState.FAILED}),
    RunState.INTERRUPTED: frozenset({RunState.QUEUED, RunState.STOPPED, RunState.FAILED}),
    RunState.FINISHED: frozenset(),  # a finished run never changes
    RunState.FAILED: frozenset({RunState.QUEUED}),  # by the user's resume
    RunState.STOPPED: frozenset({RunState.QUEUED}),
}


def mode_of(metric: str) -> str:
    """ "max" or "min": which end of a metric is best, by its name."""
    return "min" if metric.endswith("loss") else "max"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution of a RunSpec. A trial is a Run with a `search_id`."""

    id: str
    name: str
    state: RunState
    spec: dict[str, Any]
    dataset_id: str
    created_at: float
    search_id: str | None = None  # of a trial: its search trains it
    attempt: int = 0  # 1 once first launched
    tries: int = 0  # launches since the last new checkpoint
    not_before: float = 0.0  # back-off: not launched earlier
    started_at: float | None = None
    ended_at: float | None = None
    reason: str | None = None  # why it failed, was stopped or interrupted: one sentence
    reason_code: str | None = None  # what that is made from, in engine.protocol.reasons: all goes by this
    advice: str | None = None  # what to do next
    slot: str | None = None  # "cpu", or GPU indices "0" / "0,1"
    device: str | None = None  # as the worker reported: "cpu", "cuda:0 NVIDIA H200"
    phase: str | None = None  # "preparing data", "training", "validating", ...
    step: int = 0
    steps: int | None = None  # in the whole run, known once data is prepared
    epoch: int = 0  # epochs completed
    epochs: int = 0  # epochs asked for
    eta_s: float | None = None
    metric: str = "val/accuracy"  # what "best" is judged by
    best_value: float | None = None
    best_epoch: int | None = None
    resume_from: str | None = None  # checkpoint folder, relative to the run's
    pid: int | None = None
    pid_started: float | None = None  # with `boot_id`: the process's identity, safe against pid reuse
    boot_id: str | None = None
    progress_at: float | None = None  # when its event file last grew
    offset: int = 0  # bytes of events.jsonl already turned into rows
    dataset_fingerprint: str | None = None  # of the data it was first launched with
    parent_id: str | None = None  # the run whose checkpoint it began with; that one may be deleted since
    parent_epoch: int | None = None  # epochs completed there
    parent_step: int | None = None
    needs_bytes: int | None = None  # paused until so much of the disk is free
    trial: int | None = None  # its number within its search: 1 is the base run
    assignment: dict[str, Any] | None = None  # of a trial: field path -> value that it was given
    cost: float | None = None  # of a trial, where the search weighs the metric against one
    tags: tuple[str, ...] = ()  # the user's own
    about: str = ""  # the user's own words, Markdown
    archived_at: float | None = None  # out of the lists since then
    source: str | None = None  # where it was read from; None: it was trained here

    @property
    def mode(self) -> str:
        """ "max" or "min": which end of its metric is best."""
        return mode_of(self.metric)

    @property
    def fraction(self) -> float:
        """Share of all steps done, 0 to 1."""
        if self.state is RunState.FINISHED:
            return 1.0
        return min(1.0, self.step / self.steps) if self.steps else 0.0

    def duration_s(self, now: float | None = None) -> float | None:
        """Seconds from the first start to the end, or to now while it is not over."""
        if self.started_at is None:
            return None
        return max(0.0, (self.ended_at or now or time.time()) - self.started_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """A registered data set. `id` is its unique, user-given name made safe for a path."""

    id: str
    name: str
    kind: str  # a key of the data set catalog: "folder", "digits"
    path: str  # where its files lie; "" for embedded ones
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]  # split -> class -> images; split "all" when not split
    fingerprint: str
    channels: int  # 1 grey, 3 colour, ...
    width: int  # median, pixels
    height: int
    bytes: int
    created_at: float
    set_aside: tuple[dict[str, str], ...] = ()  # images that could not be decoded: {"path", "reason"}
    notes: tuple[str, ...] = ()  # remarks of the import, one sentence each
    excluded: tuple[str, ...] = ()  # ids of images taken out by the user: not counted above, never trained on
    about: str = ""  # the user's own words, Markdown
    source_fingerprint: str = ""  # of all images; `fingerprint` is that, or with exclusions a hash of both

    @property
    def images(self) -> int:
        return sum(sum(by_class.values()) for by_class in self.counts.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricPoint:
    name: str  # a path: "train/loss", "val/accuracy", "gpu0/allocated_mb", "lr/all"
    step: int
    epoch: int
    value: float | None  # None: it was NaN or infinite
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One line of a chart. With `factor` 1 raw points; else buckets of `factor` steps, `values` their means."""

    name: str
    factor: int
    steps: list[int]
    values: list[float | None]
    lows: list[float | None]
    highs: list[float | None]
    epochs: list[int]
    at: list[float]


@dataclass(frozen=True, slots=True)
class Extent:
    """What a whole series came to; None where none of its values was finite."""

    name: str
    points: int  # finite ones
    low: float | None
    high: float | None
    mean: float | None
    last: float | None
    last_step: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    run_id: str
    epoch: int
    step: int
    path: str  # relative to the run's folder: "checkpoints/e0012"
    bytes: int
    sha256: str  # of weights.safetensors
    created_at: float
    metrics: dict[str, float | None] = field(default_factory=dict)
    is_best: bool = False
    is_last: bool = False
    is_pinned: bool = False

    @property
    def name(self) -> str:
        """Of its folder: "e0012", or "e0012-s0003456" when left in the 13th epoch."""
        return self.path.rpartition("/")[2]

    @property
    def is_whole(self) -> bool:
        """Saved after an epoch, not in the middle of one."""
        return "-" not in self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A line for a human."""

    id: int
    run_id: str | None
    at: float
    level: str  # "info", "warning", "error"
    text: str
    search_id: str | None = None  # it tells of the search as a whole
    code: str = ""  # what the text is made from, in engine.protocol.events, or the reason that it tells
    details: dict[str, Any] = field(default_factory=dict)  # values of the text that something goes by


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Something a user asked for that the supervisor carries out."""

    id: str
    kind: str  # in engine.supervisor.loop: "stop_run", "delete_run", "import_dataset", "pause_search", "shut_down", ...
    target: str  # run, search or data set id
    payload: dict[str, Any]
    state: str  # "pending", "running", "done", "refused"
    created_at: float
    progress: float | None = None  # 0 to 1
    message: str | None = None  # what it is doing now, or why it was refused
    eta_s: float | None = None
    pid: int | None = None
    pid_started: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """Who the supervisor is: what every schema has of it."""

    pid: int
    pid_started: float
    boot_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineStatus:
    """The supervisor's own row."""

    uuid: str
    pid: int
    pid_started: float
    boot_id: str
    started_at: float
    heartbeat_at: float
    slots: tuple[str, ...]
    machine: dict[str, Any]  # last reading: cpu %, memory, disk, GPUs
    code: str = ""  # digest of the sources it runs; "": of a version that did not say


class SearchState(StrEnum):
    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Nothing more is tried unless the user lets it go on."""
        return self in (SearchState.FINISHED, SearchState.FAILED, SearchState.STOPPED)

    @property
    def is_at_rest(self) -> bool:
        """Over or paused: no process works for it, and it may be changed."""
        return self.is_over or self is SearchState.PAUSED

    @property
    def has_process(self) -> bool:
        return self in (SearchState.STARTING, SearchState.RUNNING, SearchState.PAUSING, SearchState.STOPPING)


_S = SearchState
_ENDS = frozenset({_S.FINISHED, _S.FAILED, _S.STOPPED})
SEARCH_MOVES: dict[SearchState, frozenset[SearchState]] = {
    _S.QUEUED: frozenset({_S.STARTING, _S.PAUSED, _S.STOPPED, _S.FAILED}),
    _S.STARTING: _ENDS | {_S.RUNNING, _S.PAUSING, _S.PAUSED, _S.STOPPING, _S.INTERRUPTED},
    _S.RUNNING: _ENDS | {_S.PAUSING, _S.PAUSED, _S.STOPPING, _S.INTERRUPTED},
    _S.PAUSING: _ENDS | {_S.PAUSED, _S.STOPPING},
    _S.STOPPING: _ENDS,
    _S.INTERRUPTED: frozenset({_S.QUEUED, _S.PAUSED, _S.STOPPED, _S.FAILED}),
    _S.PAUSED: frozenset({_S.QUEUED, _S.STOPPED}),
    _S.FINISHED: frozenset({_S.QUEUED}),  # extended by some trials, or over a changed space
    _S.FAILED: frozenset({_S.QUEUED}),
    _S.STOPPED: frozenset({_S.QUEUED}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """One execution of a SearchSpec; its trials are the runs with its id as `search_id`."""

    id: str
    name: str
    state: SearchState
    spec: dict[str, Any]
    created_at: float
    dataset_id: str = ""
    num_trials: int = 0  # trials in all, the base run included
    attempt: int = 0  # how often its driver was launched
    tries: int = 0  # launches since the last trial that ended
    not_before: float = 0.0  # back-off: not launched earlier
    started_at: float | None = None  # first launched
    launched_at: float | None = None  # this attempt; None while no process works for it
    ended_at: float | None = None
    reason: str | None = None  # why it failed, stopped, or ended before its last trial: one sentence
    reason_code: str | None = None  # what that is made from
    advice: str | None = None
    slot: str | None = None  # "cpu", or GPU indices "0,1"
    device: str | None = None  # as the driver reported it
    phase: str | None = None  # "starting", "searching", ...
    message: str | None = None  # what it does now, in words
    max_concurrent: int | None = None  # trials side by side, as the driver settled it
    path: str | None = None  # how its trials are trained: "ray", or "heads": many at once as one computation
    spent_s: float = 0.0  # of earlier attempts: pauses do not count
    spent_gpu_s: float = 0.0
    metric: str = "val/accuracy"
    best_run_id: str | None = None
    best_value: float | None = None
    pid: int | None = None  # of the driver; with the next two its identity
    pid_started: float | None = None
    boot_id: str | None = None
    progress_at: float | None = None
    offset: int = 0  # bytes of events.jsonl already turned into rows

    @property
    def mode(self) -> str:
        """ "max" or "min": which end of the metric is best."""
        return mode_of(self.metric)

    @property
    def gpus(self) -> int:
        return 0 if self.slot in (None, "cpu") else len(str(self.slot).split(","))

    def worked_s(self, now: float | None = None) -> float:
        """Seconds in which processes worked for it."""
        return self.spent_s + self._lately_s(now)

    def worked_gpu_s(self, now: float | None = None) -> float:
        return self.spent_gpu_s + self._lately_s(now) * self.gpus

    def _lately_s(self, now: float | None) -> float:
        return max(0.0, (now or time.time()) - self.launched_at) if self.launched_at else 0.0
