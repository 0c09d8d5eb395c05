"""Where on the step axis something happened: checkpoints that are kept, attempts that began."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from pages.parts.figures.curve import Mark
from storage import Checkpoint, Event, Series

ATTEMPT = re.compile(r"\(attempt (\d+)\)")


def checkpoint_marks(checkpoints: Sequence[Checkpoint]) -> list[Mark]:
    return [Mark(step=one.step, text=f"e{one.epoch}") for one in checkpoints]


def thaw_marks(plan: Mapping[str, int | None], steps_per_epoch: float) -> list[Mark]:
    """Where a stage begins to learn after the start, by a plan as `RunSpec.thaw_plan`."""
    thawed: dict[int, list[str]] = {}
    for stage, epoch in plan.items():
        if epoch:
            thawed.setdefault(epoch, []).append(stage)
    return [
        Mark(step=round(epoch * steps_per_epoch) + 1, text=f"{', '.join(names)} thaws", strong=True)
        for epoch, names in sorted(thawed.items())
    ]


def attempt_marks(events: Sequence[Event], train: Series) -> list[Mark]:
    """Where a later attempt took over: at the first training point logged after its event."""
    marks = []
    for event in events:
        found = ATTEMPT.search(event.text)
        place = bisect_left(train.at, event.at) if found else len(train.at)
        if found and place < len(train.at):
            marks.append(Mark(step=train.steps[place], text=f"attempt {found[1]}", strong=True))
    return marks
