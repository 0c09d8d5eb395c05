"""Where on the step axis something happened: checkpoints that are kept, attempts that began."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from pages.parts.figures.curve import Mark
from storage import Checkpoint, Event, Series

# codes of events
MEMORY_SHORT = {"memory_short", "memory_short_norms"}  # a step was taken again in smaller parts
ANOTHER_ATTEMPT = {"started_again", "going_on_again"}


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
    begun = [event for event in events if event.code in ANOTHER_ATTEMPT]
    return _at_events([(event, f"attempt {event.details['attempt']}") for event in begun], train)


def memory_marks(events: Sequence[Event], train: Series) -> list[Mark]:
    """Where memory ran out, its cache was emptied and batches went on in smaller parts."""
    return _at_events([(event, "memory short") for event in events if event.code in MEMORY_SHORT], train)


def _at_events(events: Sequence[tuple[Event, str]], train: Series) -> list[Mark]:
    """At the first training point after each event; none for what came after the last point."""
    places = [(bisect_left(train.at, event.at), text) for event, text in events]
    return [Mark(step=train.steps[place], text=text, strong=True) for place, text in places if place < len(train.at)]
