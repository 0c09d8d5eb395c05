"""Searches driven by Ray in processes of their own, on real digits.

The whole table of pairs is slow: `.venv/bin/pytest tests/engine/tuning/test_driver.py -m "slow or not slow"`.
"""

import re
import signal
from itertools import product
from pathlib import Path

import pytest

from engine.catalog import ALGORITHMS, SCHEDULERS
from engine.errors import Refused
from tests.searches import FEW, NUMBERS, Searched, wait_for

QUICK = {"epochs": 2, "data": {"dataset": "digits", "image_size": 8}}
FAST = {("optuna", "asha")}  # in `make test`; all the others take minutes


def pairs() -> list[object]:
    found = []
    for pair in product(ALGORITHMS, SCHEDULERS):
        found.append(pytest.param(*pair, marks=() if pair in FAST or not goes(*pair) else pytest.mark.slow))
    return found


def goes(algorithm: str, scheduler: str) -> bool:
    """As the tables have it."""
    row, ends = ALGORITHMS[algorithm], SCHEDULERS[scheduler]
    return scheduler in (row.schedulers or [scheduler]) and algorithm in (ends.algorithms or [algorithm])


@pytest.mark.parametrize(("algorithm", "scheduler"), pairs())
def test_every_pair_runs_or_is_refused_with_a_reason(algorithm: str, scheduler: str, tmp_path: Path) -> None:
    space = FEW if algorithm == "grid" else NUMBERS
    settings = {"algorithm": algorithm, "scheduler": scheduler, "space": space, "trials": 6}
    options = {"perturb_epochs": 1, "grace_epochs": 1, "reduction": 2}
    if not goes(algorithm, scheduler):
        with pytest.raises(Refused, match="works only with"):
            Searched(tmp_path, **settings)
        return
    search = Searched(tmp_path, run=QUICK | {"epochs": 3}, **settings, **options)
    assert search.run()["state"] == "finished", (search.folder / "log.txt").read_text()
    trials = search.trials()
    assert [trial["number"] for trial in trials] == [1, 2, 3, 4, 5, 6]
    for trial in trials:
        assert trial["value"] > 0.1
        last = search.run_lines(trial["run"])[-1]  # nothing comes after a run's last word
        assert (last["kind"], last["state"], last["reason"]) == ("ended", trial["state"], trial["reason"])
        assert trial["state"] == "finished" or trial["reason"].startswith("Pruned by ")
        assert list((tmp_path / "runs" / trial["run"] / "checkpoints").glob("e*"))
    assert any(trial["state"] == "finished" for trial in trials)
    if scheduler == "none":
        assert all(trial["state"] == "finished" for trial in trials)
    if scheduler in ("hyperband", "bohb"):  # the first round is cut, whatever its trials are like
        assert any(trial["state"] == "stopped" for trial in trials)
    assert not search.left()


def test_pausing_frees_every_process_and_going_on_repeats_no_trial(tmp_path: Path) -> None:
    search = Searched(tmp_path, run={"epochs": 16}, trials=4, algorithm="hyperopt")
    driver = search.start()
    wait_for(lambda: any(one["value"] for one in search.trials()))
    search.control("extend", trials=3)
    first = search.trials()[0]["run"]
    search.control("stop_trial", run=first)
    wait_for(lambda: [line for line in search.lines("trial_ended") if line["run"] == first])
    wait_for(lambda: len([one for one in search.trials() if one["value"]]) >= 2)
    listening = {
        one.laddr.ip for process in search.left() for one in process.net_connections("inet") if one.status == "LISTEN"
    }
    driver.send_signal(signal.SIGTERM)
    driver.wait(60)
    assert search.lines("ended")[-1]["state"] == "paused"
    assert not search.left() and listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
    trials = search.trials()
    assert trials[0]["state"] == "stopped" and "interrupted" in {one["state"] for one in trials}
    assert all(search.run_lines(one["run"])[-1]["state"] == one["state"] for one in trials)

    search.file["wanted"] = 3
    before = {one["run"]: search.run_lines(one["run"]) for one in trials if one["state"] != "interrupted"}
    assert search.run() | {"at": 0} == {
        "kind": "ended",
        "at": 0,
        "state": "finished",
        "reason": None,
        "advice": None,
        "wanted": 3,
    }
    assert {run: search.run_lines(run) for run in before} == before
    assert [one["number"] for one in search.trials()] == [1, 2, 3]
    for one in trials:
        if one["state"] == "interrupted" and one["value"]:
            assert search.run_lines(one["run"], "started")[-1]["step"] > 0
    assert not search.left()


@pytest.mark.slow
def test_a_space_that_always_fails_ends_with_one_reason(tmp_path: Path) -> None:
    search = Searched(tmp_path, run={"optimisation": {"optimizer": "sgd"}}, trials=20)
    search.file["dataset"] = {**search.file["dataset"], "kind": "folder", "path": str(tmp_path / "gone")}
    ended = search.run()
    # five are enough; one that trained beside the fifth is waited for
    assert re.match(r"All of its first [56] trials failed in the same way:", ended["reason"])
    assert ended["state"] == "failed"
    assert len(search.trials()) <= 7 and not search.left()


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [30, 1])
def test_a_target_ends_the_search(epochs: int, tmp_path: Path) -> None:
    search = Searched(tmp_path, run={"epochs": epochs}, trials=20, target=0.5 if epochs > 1 else 0.05)
    ended = search.run()
    assert (
        ended["state"] == "finished"
        and ended["reason"] == f"A trial reached the target of {search.file['spec']['target']:g}."
    )
    assert len(search.trials()) < 20
    assert not search.left()
