"""A search as the store hands it out, its states and the only moves between them."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storage.records import mode_of


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
    wanted: int = 0  # trials in all, the base run included
    attempt: int = 0  # how often its driver was launched
    tries: int = 0  # launches since the last trial that ended
    not_before: float = 0.0  # back-off: not launched earlier
    started_at: float | None = None  # first launched
    launched_at: float | None = None  # this attempt; None while no process works for it
    ended_at: float | None = None
    reason: str | None = None  # why it failed, stopped, or ended before its last trial: one sentence
    advice: str | None = None
    slot: str | None = None  # "cpu", or GPU indices "0,1"
    device: str | None = None  # as the driver reported it
    phase: str | None = None  # "starting", "searching", ...
    message: str | None = None  # what it does now, in words
    at_once: int | None = None  # trials side by side, as the driver settled it
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
