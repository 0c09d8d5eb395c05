"""Two ranks train as one process does: the same losses, bit-equal when resumed, all of them stopped at one step."""

from pathlib import Path

import pytest

from engine.machine import processes
from engine.worker import launchers
from storage import RunState, Store
from tests.cli import cli, queue, until
from tests.ranks import DDP, PLAIN, Trained, assert_same_predictions, finished

TOLERANCE = 1e-4  # of a loss of about 2: sums in another order, and what two epochs of steps make of it


def test_copies_and_ranks_reach_the_losses_of_one_process(store: Store, tmp_path: Path) -> None:
    """Without a GPU there is one copy: this shows that strategy's own way through the loop, not several GPUs."""
    alone, copied, together = (
        finished(store, queue(store, tmp_path, PLAIN | {"strategy": strategy}))
        for strategy in ("single", "data_parallel", "ddp")
    )
    for name in ("train/loss", "val/loss", "val/accuracy", "train/accuracy"):
        expected = store.metrics.series(alone.id, name).values
        assert len(expected) >= 2
        for run in (copied, together):
            assert store.metrics.series(run.id, name).values == pytest.approx(expected, abs=TOLERANCE)
    assert_same_predictions(store, together, alone)
    assert not processes.marked(launchers.mark(store.home, together))
    assert "training on cpu" in (store.home.run(together.id) / "log.rank1.txt").read_text()


@pytest.mark.slow  # a killed one is among the faults of every test run
def test_stopped_ranks_leave_together_and_go_on_bit_equal(store: Store, tmp_path: Path, undisturbed: Trained) -> None:
    run = queue(store, tmp_path, DDP)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    run = store.runs.get(run.id)
    assert run.state is RunState.STOPPED
    assert store.checkpoints.get(run.id, "last").step == run.step  # nothing trained is lost
    assert not processes.marked(launchers.mark(store.home, run))
    assert cli("resume", run.id).returncode == 0
    run = finished(store, run)
    assert Trained.by(store, run).equals(undisturbed)
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
