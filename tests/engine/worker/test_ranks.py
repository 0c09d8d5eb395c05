"""Ranks that train together, and the last word of a run that they leave to their launcher."""

from typing import Any

import pytest

from engine.catalog.strategies import processes_of
from engine.faults import FAULTS
from engine.training.distributed.rank import last_word
from engine.training.failures import explain

FINISHED = {"state": "finished", "reason": None}
STOPPED = {"state": "stopped", "reason": "stopped at step 3."}
FAILED = {"state": "failed", "reason": "It ran out of memory."}
LOST = {"state": "failed", "reason": FAULTS["ranks"].reason}


@pytest.mark.parametrize(
    ("words", "last"),
    [
        ([FINISHED, FINISHED], FINISHED),
        ([STOPPED, STOPPED], STOPPED),
        ([LOST, FAILED], FAILED),  # who failed of its own tells why
        ([FAILED, LOST], FAILED),
        ([STOPPED, LOST], STOPPED),  # the first left before training began
        ([LOST, None], None),  # the second was killed: an interruption, and no end
        ([None, None], None),
        ([LOST, LOST], LOST),  # nobody was killed: the line between them failed
    ],
)
def test_the_last_word_is_that_of_who_knows_why(
    words: list[dict[str, Any] | None], last: dict[str, Any] | None
) -> None:
    assert last_word(words) == last


@pytest.mark.parametrize(
    "text",
    [
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:10222",
        "[Rank 0] Watchdog caught collective operation timeout",
        "NCCL communicator was aborted on rank 1",
    ],
)
def test_a_lost_rank_is_known_by_its_words(text: str) -> None:
    assert explain(RuntimeError(text)).reason.startswith(FAULTS["ranks"].reason)


def test_how_many_train_together() -> None:
    assert processes_of("single", 4, 0) == 1
    assert processes_of("ddp", 0, 0) == 2
    assert processes_of("ddp", 0, 4) == 4
    assert processes_of("ddp", 3, 0) == 3
