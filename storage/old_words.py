"""Codes of what rows and lines of before said in words alone.

THIS TABLE NEVER CHANGES: it is of sentences that were written long ago, however they are worded today.
"""

import re

REASONS = (  # how a reason began -> its code; of two beginnings that fit the first counts
    ("diverged", "diverged"),
    ("out of memory", "out_of_memory"),
    ("The machine ran out of memory and its system killed the process", "killed_for_memory"),
    ("Its process was killed, and again", "killed_again"),
    ("Its process was killed", "killed"),
    ("Its process crashed in native code", "crashed"),
    ("It made no progress", "hung"),
    ("disk full", "disk_full"),
    ("batches of a single image cannot be normalised by this backbone", "single_image"),
    ("cuDNN could not start, most often because other programs hold the GPU's memory", "cudnn"),
    ("the GPU stopped at an impossible index, most often a label beyond the number of classes", "device_assert"),
    ("the ranks lost each other: one hung, died or was cut off from the network", "lost_ranks"),
    ("a file has vanished", "file_vanished"),
    ("no permission", "no_permission"),
    ("These settings do not go together", "misfit"),
    ("It could not be launched", "not_launched"),
    ("Thaw could not read what it reported", "unreadable_report"),
    ("Its driver ended with exit code", "driver_exited"),
    ("Ray's own process was killed", "ray_gone"),
    ("Stopped before it started", "stopped_before_start"),
    ("Stopped while it waited to go on", "stopped_waiting"),
    ("Stopped while", "stopped_preparing"),
    ("Stopped before the first step", "stopped_before_step"),
    ("Stopped after epoch", "stopped_after_epoch"),
    ("Stopped at step", "stopped_at_step"),
    ("Stopped by its user", "stopped_by_user"),
    ("Stopped with its search:", "with_finished_search"),
    ("Stopped with its search", "with_search"),
    ("Stopped.", "stopped_by_force"),
    ("Pruned", "pruned"),
    ("Paused with its search", "paused_with_search"),
    ("Interrupted with its search", "interrupted_with_search"),
    ("It goes on with its search", "goes_on_with_search"),
    ("A trial reached the target", "target_reached"),
    ("Its time budget", "time_spent"),
    ("Its budget of", "gpu_time_spent"),
)
EVENTS = (  # how the text of an event began, where something goes by it
    ("Out of memory", "memory_short"),
    ("The machine ran out of memory", "killed_for_memory"),
    ("It made no progress and", "hung"),
    ("It made no progress", "stalled"),
    ("Its process was killed", "killed"),
)
ATTEMPT = re.compile(r"Training on .*\(attempt (\d+)\)")


def reason_code(reason: str | None) -> str | None:
    return next((code for words, code in REASONS if (reason or "").startswith(words)), None)


def event_code(text: str) -> str:
    if ATTEMPT.match(text):
        return "started_again"
    return next((code for words, code in EVENTS if text.startswith(words)), "")


def event_details(text: str) -> str:
    """JSON of what an event's sentence tells that something goes by."""
    found = ATTEMPT.match(text)
    return f'{{"attempt": {found[1]}}}' if found else "{}"
