"""A trial without Ray: a run's training that stops after each epoch, is paused, takes weights, and leaves."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.protocol.driver_requests import LEAVE, StopRequest
from engine.protocol.reasons import Why
from engine.tuning.stepped_training import SteppedTraining
from tests.engine.digits_run import read_lines, write_run_file

TINY = {"data": {"dataset": "digits", "image_size": 8}}


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as one:
        yield one


def new_training(folder: Path, thread: ThreadPoolExecutor, name: str = "one", **values: object) -> SteppedTraining:
    run = folder / name
    if not run.exists():
        write_run_file(run, folder / "cache", **(TINY | values))
    return SteppedTraining(run, stop_file=folder / LEAVE, metric="val/accuracy", thread=thread)


def kinds(run: Path, kind: str) -> list[dict[str, object]]:
    return [line for line in read_lines(run) if line["kind"] == kind]


def test_each_step_is_an_epoch_and_the_last_carries_the_last_word(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trial = new_training(tmp_path, thread)
    results = [trial.step() for _ in range(3)]
    assert [one["epoch"] for one in results] == [1, 2, 3]
    assert [one["done"] for one in results] == [False, False, True]
    assert results[-1]["state"] == "finished" and results[-1]["parameters"] > 1000
    assert results[-1]["best"] == max(one["score"] for one in results)
    assert kinds(tmp_path / "one", "ended")[0]["state"] == "finished"


def test_put_aside_it_goes_on_from_where_it_was(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    whole = new_training(tmp_path, thread, "whole")
    expected = [whole.step()["score"] for _ in range(3)]
    trial = new_training(tmp_path, thread)
    first = trial.step()["score"]
    assert trial.checkpoint_name() == "e0001"
    trial.stop()
    assert not kinds(tmp_path / "one", "ended")  # put aside, not over
    again = new_training(tmp_path, thread)  # as in another process
    assert [first, again.step()["score"], again.step()["score"]] == expected
    assert [line["epoch"] for line in kinds(tmp_path / "one", "started")] == [0, 1]


@pytest.mark.parametrize("where", ["one", "."])
def test_a_request_to_stop_is_seen_within_an_epoch(where: str, tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trial = new_training(tmp_path, thread, epochs=1000)
    trial.step()
    StopRequest.of("interrupted", Why("paused_with_search", "Paused.")).write(tmp_path / where / LEAVE)
    result = trial.step()
    while not result["done"]:
        result = trial.step()
    assert (result["state"], result["reason"]) == ("interrupted", "Paused.")
    ended = kinds(tmp_path / "one", "ended")[0]
    assert (ended["state"], ended["needs_bytes"]) == ("interrupted", 0)
    assert list((tmp_path / "one" / "checkpoints").glob("e*"))


def test_ended_early_while_it_waits_its_run_says_why(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trial = new_training(tmp_path, thread)
    trial.step()
    StopRequest.of("stopped", Why("pruned", "Pruned by ASHA after epoch 1.")).write(tmp_path / "one" / LEAVE)
    trial.stop()
    assert [line["reason"] for line in kinds(tmp_path / "one", "ended")] == ["Pruned by ASHA after epoch 1."]


def test_a_failed_trial_reports_no_score_and_its_reason(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    trial = new_training(
        tmp_path, thread, optimisation={"optimizer": "sgd", "learning_rate": 10.0, "momentum": 0.99}, epochs=50
    )
    result = trial.step()
    while not result["done"]:
        result = trial.step()
    assert result["state"] == "failed" and "diverged" in result["reason"].lower() and not trial.needs_new_process
    missing = new_training(
        tmp_path,
        thread,
        "two",
        dataset={
            "id": "x",
            "name": "x",
            "kind": "folder",
            "path": "/none",
            "classes": ["a", "b"],
            "channels": 3,
            "fingerprint": "x",
        },
    )
    result = missing.step()
    assert result["done"] and result["state"] == "failed" and math.isnan(result["score"]) and result["parameters"] == 0


def test_a_trial_takes_over_anothers_weights_and_stays_its_run(tmp_path: Path, thread: ThreadPoolExecutor) -> None:
    better = new_training(tmp_path, thread, "better")
    for _ in range(2):
        best = better.step()
    pointer = better.checkpoint_name()
    better.stop()
    trial = new_training(tmp_path, thread, optimisation={"learning_rate": 2e-3, "batch_size": 64})
    trial.step()
    trial.continue_from(tmp_path / "better", pointer)
    result = trial.step()
    assert result["epoch"] == 3 and result["score"] > 0.8 * best["score"]
    run = tmp_path / "one"
    assert next(line["path"] for line in kinds(run, "checkpoint_deleted")) == "checkpoints/e0001"
    assert "checkpoints/e0002" in [line["path"] for line in kinds(run, "checkpoint")]
    assert "It goes on from the weights of test after epoch 2." in [line["text"] for line in kinds(run, "message")]
    assert [line["epoch"] for line in kinds(run, "started")] == [0, 2]
