"""Where on the step axis something happened: checkpoints that are kept, attempts that began."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from pages.parts.figures.curve import Mark
from storage import Checkpoint, Event, Series

MEMORY_SHORT = "Out of memory"  # as the events of a step begin that was taken again in smaller parts
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
    found = [(event, ATTEMPT.search(event.text)) for event in events]
    return _at_events([(event, f"attempt {match[1]}") for event, match in found if match], train)


def memory_marks(events: Sequence[Event], train: Series) -> list[Mark]:
    """Where memory ran out, its cache was emptied and batches went on in smaller parts."""
    return _at_events([(event, "memory short") for event in events if event.text.startswith(MEMORY_SHORT)], train)


def _at_events(events: Sequence[tuple[Event, str]], train: Series) -> list[Mark]:
    """At the first training point after each event; none for what came after the last point."""
    places = [(bisect_left(train.at, event.at), text) for event, text in events]
    return [Mark(step=train.steps[place], text=text, strong=True) for place, text in places if place < len(train.at)]
