"""A search whose processes are killed: finished trials stay as they are, all are accounted for, nothing is left.

Most are slow, so not in `make test`: `.venv/bin/pytest tests/faults/test_search_killed.py -m "slow or not slow"`.
"""

import json
import os
import random
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.protocol.driver_requests import Inbox, Stop
from tests.searches import Searched, wait_for

TRIALS = 4


def search_in(folder: Path) -> Searched:
    return Searched(folder, run={"epochs": 12}, trials=TRIALS, algorithm="optuna")


def over(search: Searched) -> dict[str, Any]:
    """Finished trials: their results and every line of their runs."""
    done = [one["run"] for one in search.trials() if one["state"] == "finished"]
    return {run: (search.best(run), search.run_lines(run)) for run in done}


def goes_on_to_its_end(search: Searched, before: dict[str, Any]) -> None:
    """Another driver, as the supervisor starts one: it runs what is left, and nothing twice."""
    assert search.run()["state"] == "finished", (search.folder / "log.txt").read_text()
    trials = search.trials()
    assert [(one["number"], one["state"]) for one in trials] == [(n, "finished") for n in range(1, TRIALS + 1)]
    assert {run: found for run, found in over(search).items() if run in before} == before
    for one in trials:
        epochs = [line["epoch"] for line in search.run_lines(one["run"], "metrics") if "val/accuracy" in line["values"]]
        assert epochs[-1] == 12 and sorted(set(epochs)) == list(range(1, 13))
    assert not search.left()


def ray_process(search: Searched, name: str) -> psutil.Process | None:
    return next((one for one in search.left() if name in " ".join(one.cmdline())), None)


@pytest.mark.slow
@pytest.mark.parametrize("moment", range(3))
def test_a_killed_driver(moment: int, tmp_path: Path) -> None:
    search = search_in(tmp_path)
    driver = search.start()
    steps = random.Random(moment).randrange(0, TRIALS * 10)  # of some trial: a moment that no clock decides
    wait_for(lambda: sum(len(search.run_lines(one["run"], "metrics")) for one in search.trials()) >= steps)
    driver.kill()
    driver.wait()
    wait_for(lambda: not search.left())
    goes_on_to_its_end(search, over(search))


@pytest.mark.slow
def test_a_killed_trial_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    search = Searched(tmp_path, run={"epochs": 40}, trials=2, algorithm="optuna")
    driver = search.start()
    run = wait_for(
        lambda: next((one["run"] for one in search.trials() if search.run_lines(one["run"], "checkpoint")), "")
    )
    os.kill(int(search.run_lines(run, "started")[0]["pid"]), signal.SIGKILL)
    assert driver.wait(120) == 0
    assert [line["text"] for line in search.lines("message") if "was killed; it goes on" in line["text"]]
    assert [one["state"] for one in search.trials()] == ["finished"] * 2
    assert [line["epoch"] > 0 for line in search.run_lines(run, "started")] == [False, True]
    assert not search.left()


@pytest.mark.slow
def test_a_killed_raylet_ends_the_driver_which_is_started_again(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    driver = search.start()
    wait_for(lambda: any(search.run_lines(one["run"], "checkpoint") for one in search.trials()))
    raylet = wait_for(lambda: ray_process(search, "/raylet/raylet"))
    raylet.send_signal(signal.SIGKILL)
    assert driver.wait(60) == 1
    assert search.lines("ended")[-1]["state"] == "interrupted"
    wait_for(lambda: not search.left())
    goes_on_to_its_end(search, over(search))
    assert not (tmp_path / "searches" / "s1" / "ray").exists()


def test_half_a_line_in_the_control_file_waits_for_the_rest(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    line = json.dumps({"kind": "stop"})
    (tmp_path / "control.jsonl").write_text(line[:5])
    assert not list(inbox.new_requests())
    (tmp_path / "control.jsonl").write_text(line + "\n")
    assert wait_for(lambda: [type(one) for one in inbox.new_requests()]) == [Stop]
