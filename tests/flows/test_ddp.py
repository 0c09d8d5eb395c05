"""Two ranks train as one process does: the same losses, bit-equal when resumed, all of them stopped at one step."""

from pathlib import Path

import pytest

from engine import launchers, processes
from storage import RunState, Store
from tests.cli import cli, queue, until, until_state
from tests.ranks import DDP, PLAIN, finished, same_weights

TOLERANCE = 1e-4  # of a loss of about 2: sums in another order, and what two epochs of steps make of it


def test_copies_on_every_gpu_reach_the_losses_of_one_process(store: Store, tmp_path: Path) -> None:
    """Without a GPU there is one copy: this shows the strategy's own way through the loop, not several GPUs."""
    alone = finished(store, queue(store, tmp_path, PLAIN))
    copied = finished(store, queue(store, tmp_path, PLAIN | {"strategy": "data_parallel"}))
    for name in ("train/loss", "val/loss"):
        expected = store.metrics.series(alone.id, name).values
        assert store.metrics.series(copied.id, name).values == pytest.approx(expected, abs=TOLERANCE)


def test_ranks_reach_the_losses_of_one_process(store: Store, tmp_path: Path) -> None:
    alone = finished(store, queue(store, tmp_path, PLAIN))
    together = finished(store, queue(store, tmp_path, PLAIN | {"strategy": "ddp"}))
    for name in ("train/loss", "val/loss", "val/accuracy", "train/accuracy"):
        expected = store.metrics.series(alone.id, name).values
        assert len(expected) >= 2
        assert store.metrics.series(together.id, name).values == pytest.approx(expected, abs=TOLERANCE)
    assert not processes.marked(launchers.mark(store.home, together))
    assert "training on cpu" in (store.home.run(together.id) / "log.rank1.txt").read_text()


def test_stopped_ranks_leave_together_and_go_on_bit_equal(store: Store, tmp_path: Path) -> None:
    whole = finished(store, queue(store, tmp_path, DDP))
    run = queue(store, tmp_path, DDP)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    run = store.runs.get(run.id)
    assert run.state is RunState.STOPPED
    assert store.checkpoints.get(run.id, "last").step == run.step  # nothing trained is lost
    assert not processes.marked(launchers.mark(store.home, run))
    assert cli("resume", run.id).returncode == 0
    run = finished(store, run)
    assert same_weights(store, run, whole)
    curve = store.metrics.series(whole.id, "val/loss").values
    assert store.metrics.series(run.id, "val/loss").values == curve
    assert {"rank0/rss_mb", "rank1/rss_mb", "rank1/images_per_s"} <= set(store.metrics.names(run.id))


@pytest.mark.slow
def test_on_another_number_of_processes_it_goes_on_and_says_so(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, DDP)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    store.runs.update(run.id, spec=store.runs.get(run.id).spec | {"strategy": "single"})
    assert cli("resume", run.id).returncode == 0
    finished(store, run)
    said = [event.text for event in store.events.list(run.id) if event.level == "warning"]
    assert any("2 processes so far and goes on with one process" in text for text in said)


def test_a_batch_too_small_to_share_is_refused_in_words(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, DDP | {"optimisation": {"batch_size": 2}, "compute": {"processes": 3}})
    run = until_state(store, run.id, RunState.FAILED)
    assert run.reason == "A batch of 2 cannot be shared by 3 processes."
    assert "Make it larger" in (run.advice or "")
