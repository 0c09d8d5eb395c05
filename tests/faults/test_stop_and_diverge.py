"""Stop works in every state; a loss that is NaN ends the run with advice; two starts make one run."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine import api
from engine.api import RunSpec
from engine.machine import processes
from engine.machine.processes import Identity
from engine.worker import launchers
from storage import Run, RunState, Store
from tests.cli import LONG, SOME, TINY, cli, queue, until, until_state


def gone(store: Store, run: Run) -> bool:
    return not processes.marked(launchers.mark(store.home, run))


def test_stop_while_starting(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, LONG)
    until_state(store, run.id, RunState.STARTING)
    api.request_stop(store, run.id)
    run = until_state(store, run.id, RunState.STOPPED, within_s=15)
    assert gone(store, run)


def test_stop_while_queued(store: Store, tmp_path: Path) -> None:
    first, second = queue(store, tmp_path, LONG), queue(store, tmp_path, LONG)
    until_state(store, first.id, RunState.RUNNING)
    assert cli("stop", second.id).returncode == 0
    second = store.runs.get(second.id)
    assert (second.state, second.attempt) == (RunState.STOPPED, 0)
    again = cli("stop", second.id)
    assert again.returncode == 2
    assert "it is stopped already" in again.stderr


def test_stop_while_running_saves_leaves_no_process_and_resumes_where_it_was(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, SOME)
    until(lambda: store.runs.get(run.id).epoch >= 1)
    assert cli("stop", run.id).returncode == 0
    run = store.runs.get(run.id)
    assert run.state is RunState.STOPPED
    assert gone(store, run)
    stood = store.checkpoints.get(run.id, "last").step
    assert stood == run.step  # nothing trained is lost
    assert cli("resume", run.id).returncode == 0
    run = until_state(store, run.id, RunState.FINISHED)
    assert store.metrics.count(run.id, "train/loss") == run.steps
    started = [event.text for event in store.events.list(run.id) if "going on" in event.text]
    assert len(started) == 1
    assert 0 < stood < (run.steps or 0)
    refused = cli("resume", run.id)
    assert refused.returncode == 2
    assert "a finished run never changes" in " ".join(refused.stderr.split())


def test_a_loss_that_is_nan_ends_the_run_with_advice(store: Store, tmp_path: Path) -> None:
    wild = TINY | {"epochs": 30, "optimisation": {"optimizer": "sgd", "learning_rate": 10, "momentum": 0.99}}
    run = queue(store, tmp_path, wild)
    run = until_state(store, run.id, RunState.FAILED, RunState.FINISHED)
    assert run.state is RunState.FAILED
    assert "diverged" in (run.reason or "")
    assert "learning rate" in (run.advice or "").lower()
    for one in store.checkpoints.list(run.id):  # what was kept is finite, and loads
        assert api.checkpoint_file(store, run.id, one.epoch)[0].exists()


def test_two_starts_with_one_key_make_one_run(store: Store) -> None:
    spec = RunSpec.parse(TINY)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: api.start_run(api.open_store(store.home), spec, key="tab").id, range(16)))
    assert len(set(made)) == 1
    assert len(store.runs.list()) == 1


def test_delete_stops_first_and_frees_the_disk(store: Store, tmp_path: Path) -> None:
    run = queue(store, tmp_path, LONG)
    run = until(lambda: store.checkpoints.list(run.id) and store.runs.get(run.id))
    leader = Identity(run.pid or 0, run.pid_started or 0, run.boot_id or "")
    assert cli("delete", run.id).returncode == 0
    assert not leader.is_alive
    assert store.runs.list() == []
    assert not store.home.run(run.id).exists()
    assert not list(store.home.trash.iterdir())
