"""Learning-rate schedules: the share of the learning rate at each moment. A new one is a function and its row.

The functions know neither torch nor steps, so that a page can draw them before anything starts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import Protocol


class ScheduleSettings(Protocol):
    """The fields of `engine.specs.Optimisation` that schedules read."""

    @property
    def step_epochs(self) -> int: ...
    @property
    def step_factor(self) -> float: ...
    @property
    def final_share(self) -> float: ...
    @property
    def warmup_epochs(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Schedule:
    label: str
    note: str
    # (epochs done, with a fraction; epochs in all; settings) -> 0 to 1
    share: Callable[[float, float, ScheduleSettings], float]
    takes: tuple[str, ...] = ()  # fields of Optimisation that it reads
    rises: bool = False  # by itself: a warm-up before it would rise twice
    follows: bool = False  # the rate also follows how validation goes, known only while training


def share_at(name: str, epoch: float, epochs: float, settings: ScheduleSettings) -> float:
    """The share of the learning rate, 0 to 1, at a moment of the training: warm-up first, then the schedule.

    Args:
        name: A key of SCHEDULES.
        epoch: Epochs done, with a fraction.
        epochs: Epochs in all.
        settings: How long warm-up and steps are.
    """
    warmup = 0.0 if SCHEDULES[name].rises else min(settings.warmup_epochs, epochs)
    if epoch < warmup:
        return max(epoch / warmup, 1e-3)
    return SCHEDULES[name].share(epoch - warmup, max(epochs - warmup, 1e-9), settings)


def _cosine(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + cos(pi * min(max(done, 0.0), 1.0))) / 2


def _one_cycle(epoch: float, epochs: float, settings: ScheduleSettings) -> float:
    rise = 0.3 * epochs
    return _cosine(1 / 25, 1, epoch / rise) if epoch < rise else _cosine(1, 1e-4, (epoch - rise) / (epochs - rise))


SCHEDULES: dict[str, Schedule] = {
    "constant": Schedule("Constant", "The same rate to the end. For short runs.", lambda epoch, epochs, settings: 1.0),
    "step": Schedule(
        "Step",
        "Drops by a factor every so many epochs; the classic of course notes.",
        lambda epoch, epochs, settings: settings.step_factor ** int(epoch // settings.step_epochs),
        takes=("step_epochs", "step_factor"),
    ),
    "cosine": Schedule(
        "Cosine",
        "Falls smoothly to nearly nothing: a good choice for most runs (Loshchilov and Hutter 2017).",
        lambda epoch, epochs, settings: _cosine(1, settings.final_share, epoch / epochs),
        takes=("final_share",),
    ),
    "one_cycle": Schedule(
        "One cycle",
        "Rises for 30 %, then falls: quick training at high rates; has no use for a warm-up (Smith and Topin 2018).",
        _one_cycle,
        rises=True,
    ),
    "plateau": Schedule(
        "Plateau",
        "Drops by a factor when validation accuracy has not risen for some epochs.",
        lambda epoch, epochs, settings: 1.0,
        takes=("step_factor", "plateau_epochs"),
        follows=True,
    ),
}
