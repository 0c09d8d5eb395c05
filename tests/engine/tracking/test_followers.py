"""Runs logged to TensorBoard and Weights & Biases: what arrives there is what the store has, and no run is touched."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorboard", reason="logging to TensorBoard needs requirements-extra.txt")

from engine import api
from engine.api import Refused, Unavailable
from engine.api.event_files import read_scalars
from engine.cli.main import main
from engine.tracking.follower import Follower
from engine.tracking.tensorboard_log import TensorBoardLog
from storage import Checkpoint, MetricPoint, Run, RunState, Store
from tests.conftest import ROOT


class Broken:
    """A tracker that cannot be reached."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*values: Any) -> None:
            raise ConnectionError("No API key configured.")

        return fail


def begun(store: Store, name: str = "고양이: 1/2") -> Run:
    run = store.runs.add(name=name, spec={"epochs": 3}, dataset_id="digits", epochs=3)
    store.home.run(run.id).mkdir(parents=True)
    store.runs.move(run.id, RunState.STARTING, attempt=1, started_at=time.time())
    store.runs.move(run.id, RunState.RUNNING)
    return store.runs.get(run.id)


def measure(store: Store, run: Run, *steps: int, value: float = 0.5) -> None:
    points = [
        MetricPoint(name=name, step=step, epoch=1, value=None if step == 3 else value, at=1e9 + step)
        for step in steps
        for name in ("train/loss", "val/accuracy")
    ]
    store.metrics.add(run.id, points)


def logged(store: Store, run: Run) -> dict[str, list[tuple[int, float]]]:
    """Metric -> (step, value) in the run's folder of event files."""
    (folder,) = (store.home.trackers / "tensorboard").glob(f"* {run.id}")
    return {name: [(step, value) for step, _, value in of] for name, of in read_scalars(folder).metrics.items()}


@pytest.fixture
def chosen(store: Store) -> Store:
    api.set_trackers(store, ["tensorboard"])
    (store.home.trackers / "tensorboard").mkdir(parents=True)
    return store


def follower(store: Store) -> Follower:
    return Follower(store, "tensorboard", TensorBoardLog(store.home.trackers / "tensorboard"))


def test_points_arrive_once_also_after_a_kill(chosen: Store) -> None:
    run = begun(chosen)
    measure(chosen, run, 1, 2, 3)
    first = follower(chosen)
    assert first.tick()
    measure(chosen, run, 4)
    assert first.tick()
    del first  # killed: nothing is closed
    measure(chosen, run, 5)
    chosen.runs.move(run.id, RunState.FINISHED)
    second = follower(chosen)
    second.tick()
    assert not second.tick()
    values = logged(chosen, run)
    assert [step for step, _ in values["train/loss"]] == [1, 2, 3, 4, 5]
    assert [value for step, value in values["val/accuracy"] if step != 3] == [0.5] * 4
    assert sum(event.text.startswith("Logged to TensorBoard") for event in chosen.events.list(run.id)) == 1


def test_what_a_resumed_run_takes_back_is_taken_back_there(chosen: Store) -> None:
    run = begun(chosen)
    measure(chosen, run, 1, 2, 4, 5, value=9.0)
    chosen.checkpoints.add(
        Checkpoint(
            run_id=run.id, epoch=1, step=2, path="checkpoints/e0001", bytes=1, sha256="", created_at=0.0
        )
    )  # fmt: skip
    one = follower(chosen)
    one.tick()
    chosen.runs.move(run.id, RunState.STOPPED)
    one.tick()
    chosen.runs.move(run.id, RunState.QUEUED)
    chosen.runs.move(run.id, RunState.STARTING, attempt=2, resume_from="checkpoints/e0001")
    one.tick()  # the points of before are still there: nothing is passed on yet
    chosen.metrics.rewind(run.id, 2)
    chosen.runs.move(run.id, RunState.RUNNING)
    measure(chosen, run, 4, value=0.25)
    one.tick()
    assert logged(chosen, run)["train/loss"] == [(1, 9.0), (2, 9.0), (4, 0.25)]


def test_runs_that_are_over_before_anyone_looks_are_logged_too(chosen: Store) -> None:
    one = follower(chosen)
    one.tick()
    run = begun(chosen)
    measure(chosen, run, 1)
    chosen.runs.move(run.id, RunState.FINISHED)
    one.tick()
    assert logged(chosen, run)["train/loss"] == [(1, 0.5)]


def test_runs_of_before_the_choice_and_those_read_in_are_left_alone(store: Store) -> None:
    old = begun(store, "old")
    measure(store, old, 1)
    store.runs.move(old.id, RunState.FINISHED)
    time.sleep(0.01)
    api.set_trackers(store, ["tensorboard"])
    store.runs.add(name="foreign", spec={}, dataset_id="", epochs=1, state=RunState.FINISHED, source="TensorBoard: x")
    (store.home.trackers / "tensorboard").mkdir(parents=True)
    assert not follower(store).tick()
    assert list((store.home.trackers / "tensorboard").iterdir()) == []


def test_failing_to_log_is_told_once_and_fails_no_run(chosen: Store) -> None:
    run = begun(chosen)
    measure(chosen, run, 1)
    one = Follower(chosen, "tensorboard", Broken())
    one.tick(), one.tick()
    events = [event for event in chosen.events.list(run.id) if event.level == "warning"]
    assert [event.text for event in events] == [
        "It is not logged to TensorBoard: No API key configured. This does not touch its training."
    ]
    now = chosen.runs.get(run.id)
    assert (now.state, replace(now, step=run.step)) == (RunState.RUNNING, run)
    Follower(chosen, "tensorboard", Broken()).tick()  # started once more
    assert len(chosen.events.list(run.id)) == 1


def test_what_was_given_up_is_tried_again_by_the_next_attempt(chosen: Store) -> None:
    run = begun(chosen)
    measure(chosen, run, 1)
    Follower(chosen, "tensorboard", Broken()).tick()
    chosen.runs.move(run.id, RunState.STOPPED)
    one = follower(chosen)
    one.tick()
    assert not list((chosen.home.trackers / "tensorboard").iterdir())
    chosen.runs.move(run.id, RunState.QUEUED)
    chosen.runs.move(run.id, RunState.STARTING, attempt=2)
    chosen.metrics.rewind(run.id, -1)
    chosen.runs.move(run.id, RunState.RUNNING)
    measure(chosen, run, 2)
    one.tick()
    assert logged(chosen, run)["train/loss"] == [(2, 0.5)]
    assert [event.level for event in chosen.events.list(run.id)] == ["warning", "info"]


@pytest.mark.parametrize("left", ["", "\0\0\0"])
def test_a_state_that_a_lost_power_left_empty_ends_no_follower(chosen: Store, left: str) -> None:
    broken, sound = begun(chosen, "broken"), begun(chosen, "sound")
    for run in (broken, sound):
        measure(chosen, run, 1)
        chosen.runs.move(run.id, RunState.FINISHED)
    (chosen.home.run(broken.id) / "tensorboard.json").write_text(left)
    (chosen.home.trackers / "tensorboard.json").write_text(left)
    follower(chosen).tick()
    for run in (broken, sound):
        assert logged(chosen, run)["train/loss"] == [(1, 0.5)]


def test_the_longest_name_in_hangul_is_logged(chosen: Store) -> None:
    run = begun(chosen, "가" * 200)
    measure(chosen, run, 1)
    follower(chosen).tick()
    assert logged(chosen, run)["train/loss"] == [(1, 0.5)]
    (folder,) = (chosen.home.trackers / "tensorboard").iterdir()
    assert folder.name == f"{'가' * 66} {run.id}"


def test_a_run_that_is_deleted_on_the_way_stops_nobody(chosen: Store) -> None:
    gone, stays = begun(chosen, "gone"), begun(chosen, "stays")
    one = follower(chosen)
    one.tick()
    chosen.runs.delete(gone.id)
    measure(chosen, stays, 1)
    one.tick()
    assert logged(chosen, stays)["train/loss"] == [(1, 0.5)]


def test_weights_and_biases_keeps_runs_offline(store: Store) -> None:
    pytest.importorskip("wandb", reason="logging to Weights & Biases needs requirements-extra.txt")
    api.set_trackers(store, ["wandb"])
    run = begun(store)
    measure(store, run, 1, 2)
    store.runs.move(run.id, RunState.FINISHED)
    code = (  # in a process of its own, as it is used: the package starts another, and threads
        "from storage import Home, Store\n"
        "from engine.tracking.follower import Follower\n"
        "from engine.tracking.wandb_log import WandbLog\n"
        "store = Store.open(Home.find())\n"
        "(store.home.trackers / 'wandb').mkdir(parents=True)\n"
        "logger = WandbLog(store.home.trackers / 'wandb')\n"
        "Follower(store, 'wandb', logger).tick(); logger.close()\n"
    )
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_PROJECT": "thaw-tests"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    (folder,) = (store.home.trackers / "wandb").glob(f"offline-run-*-{run.id}")
    raw = (folder / f"run-{run.id}.wandb").read_bytes()
    for text in (b"train/loss", b"val/accuracy", b"thaw-tests", run.name.encode()):
        assert text in raw
    assert not any(event.level == "warning" for event in store.events.list(run.id))


def test_what_is_chosen_is_checked_at_the_door(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="must be one of tensorboard, wandb"):
        api.set_trackers(store, ["mlflow"])
    assert main(["trackers", "tensorboard"]) == 0
    assert "tensorboard  on" in capsys.readouterr().out
    since = api.trackers(store)["tensorboard"]
    api.set_trackers(store, ["tensorboard", "wandb"])
    assert api.trackers(store)["tensorboard"] == since
    assert main(["trackers", "none"]) == 0
    assert api.trackers(store) == {}
    monkeypatch.setattr("engine.tracking.choice.find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=r"needs its package wandb: pip install -r requirements-extra\.txt"):
        api.set_trackers(store, ["wandb"])


def test_the_supervisor_keeps_a_follower_while_something_trains(chosen: Store, tmp_path: Path) -> None:
    from engine.supervisor.trackers import Tracking

    care = Tracking(chosen)
    care.tick()
    assert not care._followers
    run = begun(chosen)
    measure(chosen, run, 1)
    care.tick()
    deadline = time.monotonic() + 30
    while not list((chosen.home.trackers / "tensorboard").glob(f"* {run.id}/*")):
        assert time.monotonic() < deadline, (chosen.home.trackers / "tensorboard.log").read_text()
        time.sleep(0.1)
    measure(chosen, run, 2)
    chosen.runs.move(run.id, RunState.FINISHED)
    leader = care._followers["tensorboard"]
    care.close()  # what is left is passed on first
    while leader.is_alive:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert [step for step, _ in logged(chosen, run)["train/loss"]] == [1, 2]
