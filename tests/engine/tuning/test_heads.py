"""Searches among heads: their trials train together in the driver itself, and are runs like any other."""

import errno
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor

from engine.protocol.search_reporter import SearchReporter
from engine.specs import heads_alone
from engine.training import head_ensemble
from engine.tuning import heads
from engine.tuning.job import SearchJob
from engine.tuning.lifecycle import ActiveSearch, SearchEnding, SearchLifecycle
from tests.searches import Searched, wait_for

HEAD = {"freeze": {"policy": "head"}, "epochs": 3}
SPACE: dict[str, Any] = {
    "optimisation.learning_rate": {"log": [1e-4, 1e-2]},
    "optimisation.batch_size": {"choices": [64, 128]},
    "epochs": {"integers": [2, 4]},
}


def curve(search: Searched, run: str, name: str = "val/accuracy") -> list[float]:
    return [line["values"][name] for line in search.run_lines(run, "metrics") if name in line["values"]]


def test_every_trial_is_a_whole_run(tmp_path: Path) -> None:
    search = Searched(tmp_path, run=HEAD, space=SPACE, trials=8)
    assert search.run()["state"] == "finished"
    assert search.lines("started")[-1]["path"] == "heads"
    assert any("heads train at once" in line["text"] for line in search.lines("message"))
    trials = search.trials()
    assert [one["number"] for one in trials] == list(range(1, 9))
    for one in trials:
        assert one["state"] == "finished"
        epochs = one["config"]["epochs"]
        assert len(curve(search, one["run"])) == epochs
        saved = sorted(path.name for path in (tmp_path / "runs" / one["run"] / "checkpoints").iterdir())
        assert saved[-1] == f"e{epochs:04d}"
        weights = load_file(tmp_path / "runs" / one["run"] / "checkpoints" / saved[-1] / "weights.safetensors")
        assert weights["19.weight"].shape == (10, 64)
        assert len(weights) > 10  # the frozen stages are there too
    assert not search.left()


def test_a_search_that_learns_asks_for_some_at_a_time(tmp_path: Path) -> None:
    search = Searched(tmp_path, run=HEAD, trials=10, algorithm="optuna", max_concurrent=4)
    assert search.run()["state"] == "finished"
    lines = [line for line in search.lines() if line["kind"] in ("trial", "trial_ended")]
    assert [line["kind"] for line in lines[:8]] == ["trial"] * 4 + ["trial_ended"] * 4
    assert len(search.trials()) == 10


def test_paused_heads_go_on_where_they_were(tmp_path: Path) -> None:
    long = {"freeze": {"policy": "head"}, "epochs": 40}
    search = Searched(tmp_path, run=long, trials=3)
    driver = search.start()
    wait_for(lambda: [one for one in search.trials() if len(curve(search, one["run"])) >= 2])
    search.control("pause")
    driver.wait(60)
    assert search.lines("ended")[-1]["state"] == "paused"
    assert not search.left()
    before = {one["run"]: len(curve(search, one["run"])) for one in search.trials()}
    assert {one["state"] for one in search.trials()} == {"interrupted"}
    assert search.run()["state"] == "finished"
    for run, epochs in before.items():
        assert epochs < 40
        assert search.run_lines(run, "started")[-1]["epoch"] >= epochs - 1
        assert len(curve(search, run)) >= 40
    assert len(search.trials()) == 3


def test_paused_before_they_begin_they_train_together_later(tmp_path: Path) -> None:
    large = {"freeze": {"policy": "head"}, "epochs": 2, "data": {"dataset": "digits", "image_size": 96}}
    search = Searched(tmp_path, run=large | {"model": {"backbone": "resnet18"}}, trials=4)
    driver = search.start()
    wait_for(lambda: any(line["phase"] == "computing features" for line in search.lines("progress")))
    search.control("pause")
    driver.wait(60)
    assert search.lines("ended")[-1]["state"] == "paused"
    assert {one["state"] for one in search.trials()} <= {"interrupted"}
    assert search.run()["state"] == "finished"
    assert {one["state"] for one in search.trials()} == {"finished"}
    assert any("4 heads train at once" in line["text"] for line in search.lines("message"))


def test_too_many_heads_for_the_memory_go_on_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Searched(tmp_path, run=HEAD, trials=6)
    search.lay()
    together = head_ensemble._Heads.__call__

    def short(heads: head_ensemble._Heads, features: Tensor) -> Tensor:
        if heads.count > 2:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return together(heads, features)

    monkeypatch.setattr(head_ensemble._Heads, "__call__", short)
    monkeypatch.setattr("engine.tuning.heads.BLOCK", 4)
    ending = run_driver(search, monkeypatch)
    assert ending.state == "finished"
    assert [one["state"] for one in search.trials()] == ["finished"] * 6
    assert any("go on one by one" in line["text"] for line in search.lines("message"))


def test_a_full_disk_interrupts_and_fails_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search = Searched(tmp_path, run=HEAD, trials=4)
    search.lay()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("engine.training.retention.checkpoint.write", full)
    ending = run_driver(search, monkeypatch)
    assert ending.state == "interrupted"
    assert ending.why and ending.why.code == "disk_full"
    assert {one["state"] for one in search.trials()} == {"interrupted"}


def run_driver(search: Searched, monkeypatch: pytest.MonkeyPatch) -> SearchEnding:
    """A driver in this very process, to its end."""
    monkeypatch.setattr(SearchLifecycle, "handle_signals", lambda self: None)  # its signals are left alone
    reporter = SearchReporter(search.folder)
    active = ActiveSearch.of(SearchJob.read(search.folder), reporter)
    heads.train(active)
    reporter.close()
    return active.lifecycle.conclude()


def test_one_trial_is_stopped_and_the_others_go_on(tmp_path: Path) -> None:
    search = Searched(tmp_path, run=HEAD | {"epochs": 30}, trials=3)
    driver = search.start()
    second = wait_for(lambda: [one for one in search.trials() if one["number"] == 2 and curve(search, one["run"])])[0]
    search.control("stop_trial", run=second["run"])
    driver.wait(120)
    states = {one["number"]: one["state"] for one in search.trials()}
    assert states == {1: "finished", 2: "stopped", 3: "finished"}
    assert "user" in search.run_lines(second["run"], "ended")[-1]["reason"]


@pytest.mark.parametrize(
    ("other", "space"),
    [
        ({"freeze": {"policy": "none"}}, {}),
        (HEAD, {"data.image_size": {"choices": [8, 16]}}),
        (HEAD | {"data": {"dataset": "digits", "image_size": 16, "augmentations": ["shift"]}}, {}),
    ],
)
def test_what_differs_in_more_than_its_head_is_not_taken(
    tmp_path: Path, other: dict[str, Any], space: dict[str, Any]
) -> None:
    search = Searched(tmp_path, run=other, space={"optimisation.learning_rate": {"log": [1e-4, 1e-2]}} | space)
    search.lay()
    assert not heads_alone(SearchJob.read(search.folder).spec)
