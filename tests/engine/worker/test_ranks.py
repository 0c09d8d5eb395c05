"""Ranks that train together, and the last word of a run that they leave to their launcher."""

import pytest

from engine.catalog.strategies import processes_of
from engine.protocol.reasons import Reason
from engine.protocol.run_lines import Ended
from engine.training.distributed.rank import common_ending
from engine.training.failures import explain


def ending(state: str, reason: str | None = None, code: str = "") -> Ended:
    return Ended(at=1.0, state=state, reason=reason, advice=None, detail=None, code=code)


FINISHED = ending("finished")
STOPPED = ending("stopped", "stopped at step 3.")
FAILED = ending("failed", "It ran out of memory.")
LOST = ending("failed", "All are gone.", Reason.LOST_RANKS)


@pytest.mark.parametrize(
    ("endings", "common"),
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
def test_the_ending_is_that_of_who_knows_why(endings: list[Ended | None], common: Ended | None) -> None:
    assert common_ending(endings) == common


@pytest.mark.parametrize(
    "text",
    [
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:10222",
        "[Rank 0] Watchdog caught collective operation timeout",
        "NCCL communicator was aborted on rank 1",
    ],
)
def test_a_lost_rank_is_known_by_its_words(text: str) -> None:
    assert explain(RuntimeError(text)).code == Reason.LOST_RANKS


def test_how_many_train_together() -> None:
    assert processes_of("single", 4, 0) == 1
    assert processes_of("ddp", 0, 0) == 2
    assert processes_of("ddp", 0, 4) == 4
    assert processes_of("ddp", 3, 0) == 3
