"""Trials of a search, and the settings they were tried with. Pure: records in, plain data out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pages.parts import formatting, states
from storage import Run, RunState

Scale = Literal["linear", "log", "category"]
Value = float | int | str | bool | None
COSTS = {"epoch_s": "Seconds an epoch", "parameters": "Weights"}  # what a search may weigh its metric against
PRUNED = "pruned"  # the code of the reason for which a scheduler ends a trial


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: its run, and the values of the searched settings by field path."""

    run: Run
    number: int
    assignment: Mapping[str, Any]

    @classmethod
    def of(cls, run: Run) -> "Trial":
        return cls(run, run.trial or 0, run.assignment or {})

    @property
    def value(self) -> float | None:
        return self.run.best_value

    @property
    def is_pruned(self) -> bool:
        return self.run.state is RunState.STOPPED and self.run.reason_code == PRUNED

    @property
    def label(self) -> str:
        return f"Trial {self.number}"

    @property
    def state_word(self) -> str:
        return states.PRUNED.word if self.is_pruned else states.RUN_STATES[self.run.state].word


@dataclass(frozen=True, slots=True)
class Dimension:
    """A searched setting as an axis. `choices` are the words of a category axis, in order."""

    path: str
    label: str
    scale: Scale
    choices: tuple[str, ...] = ()

    def place(self, assignment: Mapping[str, Any]) -> float | str | None:
        """Where an assignment stands on it; None where the setting meant nothing to it."""
        if self.path not in assignment:
            return None
        value = assignment[self.path]
        if self.scale == "category":
            return value_text(value)
        return float(value) if self.scale == "linear" or value > 0 else None  # 0 is on no logarithmic axis


@dataclass(frozen=True, slots=True)
class Failure:
    """Trials that ended for one cause."""

    reason: str
    advice: str
    trials: tuple[Trial, ...]


def dimensions(
    space: Mapping[str, Mapping[str, Any]], labels: Mapping[str, str], trials: Iterable[Trial] = ()
) -> list[Dimension]:
    """The axes of a space as YAML has it, in its order; numbers to choose from are a category too.

    Values of `trials` outside of the space, as the first trial's may be, are on the axes all the same.
    """
    tried = list(trials)
    found = []
    for path, span in space.items():
        label = labels.get(path, path)
        if span.get("choices"):
            seen = [one.assignment[path] for one in tried if path in one.assignment]
            names = dict.fromkeys(value_text(one) for one in (*span["choices"], *seen))
            found.append(Dimension(path, label, "category", tuple(names)))
        else:
            found.append(Dimension(path, label, "log" if span.get("log") else "linear"))
    return found


def with_cost(
    trials: Sequence[Trial], dimensions: Sequence[Dimension], cost: str | None
) -> tuple[list[Trial], list[Dimension]]:
    """What a second goal came to as one more axis, and the trials with their place on it."""
    if cost not in COSTS:
        return list(trials), list(dimensions)
    placed = [replace(one, assignment={**one.assignment, cost: one.run.cost}) for one in trials]
    known = [after if one.run.cost is not None else one for one, after in zip(trials, placed, strict=True)]
    return known, [*dimensions, Dimension(cost, COSTS[cost], "linear")]


def value_text(value: Any) -> str:
    """A setting's value in a word: "yes", "0.001", "flip + rotate"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " + ".join(map(str, value)) or "none"
    if isinstance(value, float):
        return formatting.number(value)
    return str(value) if value not in ("", None) else formatting.DASH


def best_first(trials: Iterable[Trial], *, lowest: bool) -> list[Trial]:
    """By value; those without one last, by number. `lowest`: the smallest value is the best one."""

    def place(trial: Trial) -> tuple[bool, float, int]:
        value = trial.value
        return (value is None, 0.0 if value is None else value if lowest else -value, trial.number)

    return sorted(trials, key=place)


def failures(trials: Iterable[Trial]) -> list[Failure]:
    """Failed trials by cause, the most frequent first; numbers in a reason tell no causes apart."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.run.state is RunState.FAILED:
            cause = "".join("#" if letter.isdigit() else letter for letter in trial.run.reason or "It failed.")
            groups.setdefault(cause, []).append(trial)
    ordered = sorted(groups.values(), key=len, reverse=True)
    return [Failure(one[0].run.reason or "It failed.", one[0].run.advice or "", tuple(one)) for one in ordered]


def tally(trials: Iterable[Trial]) -> str:
    """12 finished · 5 pruned · 1 failed · 2 running."""
    kinds = Counter(_kind(trial) for trial in trials)
    order = ("finished", "pruned", "failed", "stopped", "running", "waiting")
    return " · ".join(f"{kinds[kind]:,} {kind}" for kind in order if kinds[kind])


def over(trials: Iterable[Trial]) -> int:
    """How many have ended, whichever way."""
    return sum(trial.run.state.is_over for trial in trials)


def lanes(trials: Sequence[Trial], now: float) -> dict[str, int]:
    """A row of the timeline for each trial's run id, as few as were at work at once."""
    free: list[float] = []
    found: dict[str, int] = {}
    started = [(one.run.started_at, one) for one in trials if one.run.started_at is not None]
    for begun, trial in sorted(started, key=lambda one: one[0]):
        ended = trial.run.ended_at or now
        lane = next((place for place, until in enumerate(free) if until <= begun + 1e-6), len(free))
        free[lane : lane + 1] = [ended]
        found[trial.run.id] = lane
    return found


def _kind(trial: Trial) -> str:
    if trial.is_pruned:
        return "pruned"
    if trial.run.state.is_over:
        return str(trial.run.state)
    return "waiting" if trial.run.state in (RunState.QUEUED, RunState.INTERRUPTED) else "running"
