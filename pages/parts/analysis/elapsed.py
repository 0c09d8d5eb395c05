"""The time that a run spent, without that in which it lay still. Pure: records in, plain data out."""

from dataclasses import replace

import numpy as np

from storage import Run, Series

EPOCH_S = "speed/epoch_s"


def is_by_epochs(run: Run) -> bool:
    """Whether its epochs tell what it took, for its start and end do not.

    It may have lain still in between, or begun with the curves of another run, whose epochs count as its own then.
    """
    return run.attempt > 1 or run.search_id is not None or run.parent_id is not None


def moving(run: Run, line: Series, epochs: Series | None) -> Series:
    """The line with times as if all that the run ever did were epochs, by how long they took (a line of `EPOCH_S`).

    Within an epoch time goes with steps: the same point stands at the same time at any level of detail. The epoch
    under way goes at the pace of the one before until it is over.
    """
    if epochs is None:
        return line
    known = [
        (step, epoch, value) for step, epoch, value in zip(epochs.steps, epochs.epochs, epochs.values, strict=True)
    ]
    steps, ends, took = np.asarray([one for one in known if one[2] is not None], dtype=np.float64).reshape(-1, 3).T
    if not steps.size:
        return line
    clock = np.cumsum(took * np.diff(ends, prepend=0))  # a bucket is the mean of the epochs since the one before
    steps, clock = np.append(0, steps), np.append(0, clock)
    at_steps = np.asarray(line.steps, dtype=np.float64)
    pace = (clock[-1] - clock[-2]) / max(1.0, steps[-1] - steps[-2])
    seconds = np.interp(at_steps, steps, clock) + pace * np.maximum(0, at_steps - steps[-1])
    begun = run.started_at or run.created_at
    return replace(line, at=[begun + one for one in seconds.tolist()])
