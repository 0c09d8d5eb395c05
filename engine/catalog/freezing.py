"""Freeze policies: which stages learn, and from when. A new policy is a function and its row.

A plan maps each stage, from input to head, to the epoch in which it thaws: 0 is from the start, None is never.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Plan = dict[str, int | None]
HEAD = "head"


class FreezeSettings(Protocol):
    """The fields of `engine.specs.Freeze` that policies read."""

    @property
    def last_stages(self) -> int: ...
    @property
    def stages(self) -> tuple[str, ...]: ...
    @property
    def every_epochs(self) -> int: ...


@dataclass(frozen=True, slots=True)
class FreezePolicy:
    label: str
    note: str
    # stages without the head -> those that learn, and when
    thaws: Callable[[Sequence[str], FreezeSettings], Mapping[str, int]]
    takes: tuple[str, ...] = ()  # fields of Freeze that it reads


def plan(policy: str, stages: Sequence[str], freeze: FreezeSettings) -> Plan:
    """The epoch in which each stage thaws, in order from input to head; the head always learns from the start."""
    thaws = FREEZE_POLICIES[policy].thaws(stages, freeze)
    return {**{stage: thaws.get(stage) for stage in stages}, HEAD: 0}


FREEZE_POLICIES: dict[str, FreezePolicy] = {
    "none": FreezePolicy(
        "Train everything",
        "All weights learn from the start. For many images, or from scratch.",
        lambda stages, freeze: dict.fromkeys(stages, 0),
    ),
    "head": FreezePolicy(
        "Head only",
        "The backbone stays as it is (feature extraction). For few images: quick, and hard to overfit.",
        lambda stages, freeze: {},
    ),
    "last": FreezePolicy(
        "Last stages",
        "The head and the stages next to it learn; early ones, which see edges and colours, stay.",
        lambda stages, freeze: dict.fromkeys(stages[-freeze.last_stages :], 0),
        takes=("last_stages",),
    ),
    "stages": FreezePolicy(
        "Chosen stages",
        "You say which stages learn beside the head.",
        lambda stages, freeze: dict.fromkeys(freeze.stages, 0),
        takes=("stages",),
    ),
    "gradual": FreezePolicy(
        "Gradual unfreezing",
        "First the head alone, then stage after stage thaws towards the input (Howard and Ruder 2018).",
        lambda stages, freeze: {
            stage: number * freeze.every_epochs for number, stage in enumerate(reversed(stages), 1)
        },
        takes=("every_epochs",),
    ),
}
