"""A search on the command line, from its file to its best trial, with real digits and real processes."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.machine import processes
from engine.worker import launchers
from storage import SearchState, Store
from tests.cli import LONG, TINY, cli, spec_file, until
from tests.conftest import ROOT

RATE = "optimisation.learning_rate"
SMALL: dict[str, Any] = {
    "name": "small",
    "run": TINY,
    "space": {RATE: {"log": [0.001, 0.1]}, "epochs": {"integers": [1, 2]}},
    "algorithm": "random",
    "trials": 3,
}


def told(*arguments: str | Path, code: int = 0) -> Any:
    done = cli(*arguments)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_a_search_is_run_listed_extended_and_deleted(store: Store, tmp_path: Path) -> None:
    frozen = {**SMALL, "run": TINY | {"freeze": {"policy": "head"}}}  # heads alone: no wait for Ray
    done = cli("search", spec_file(tmp_path, frozen), "--wait", "--json")
    found = json.loads(done.stdout)
    assert [line[:14] for line in done.stderr.splitlines() if " of 3: trial " in line] == [
        f"{number} of 3: trial " for number in (1, 2, 3)
    ], "a line for each trial that ends, where no bar is seen"
    assert (found["state"], found["name"], found["num_trials"]) == ("finished", "small", 3)
    assert [one["state"] for one in found["trials"]] == ["finished"] * 3
    assert found["trials"][0]["config"] == {RATE: 0.01, "epochs": 2}, "the base run first"
    assert all(set(one["config"]) == {RATE, "epochs"} for one in found["trials"])
    values = {one["run"]: one["value"] for one in found["trials"]}
    assert found["best"]["value"] == max(values.values()) == values[found["best"]["run"]]
    assert {"run", "name", "value", "epoch", "config"} == set(found["best"])
    run = told("show", found["best"]["run"], "--json")
    assert (run["state"], run["best"]["value"]) == ("finished", found["best"]["value"])
    assert run["checkpoints"], "a trial is a run like any other"

    assert "use --trials 1" in cli("extend", found["id"], "1").stderr
    assert told("extend", found["id"], "--trials", "1", "--wait", "--json")["num_trials"] == 4
    more = told("show", "small", "--json")
    assert more["trials"][:3] == found["trials"]
    assert [one["state"] for one in more["trials"]] == ["finished"] * 4
    assert [one["id"] for one in told("searches", "--json")] == [found["id"]]
    for verb, words in (("stop", "there is nothing to stop"), ("pause", "to pause"), ("continue", "extend it by some")):
        refused = cli(verb, found["id"])
        assert refused.returncode == 2
        assert words in " ".join(refused.stderr.split())
    assert not processes.marked(launchers.mark(store.home, store.searches.get(found["id"])))
    assert cli("delete", found["id"]).returncode == 0
    assert told("searches", "--json") == told("list", "--json") == []


@pytest.mark.slow  # a minute: .venv/bin/pytest -m slow tests/flows/test_search_cli.py
def test_pause_continue_and_stop(store: Store, tmp_path: Path) -> None:
    found = told(
        "search", spec_file(tmp_path, {**SMALL, "run": LONG, "space": {RATE: {"log": [0.001, 0.1]}}}), "--json"
    )
    assert (found["state"], found["trials"]) == ("queued", [])

    def epochs() -> dict[str, int]:
        return {run.id: run.epoch for run in store.runs.trials(found["id"])}

    until(lambda: any(epochs().values()), within_s=120, why=epochs)
    assert told("pause", "small", "--json")["state"] == "paused"
    search = store.searches.get(found["id"])
    assert search.state is SearchState.PAUSED
    assert not processes.marked(launchers.mark(store.home, search))
    before = epochs()
    assert cli("continue", "small").returncode == 0
    until(lambda: max(epochs().values()) > max(before.values()), within_s=120, why=epochs)
    assert set(before) <= set(epochs())
    assert told("stop", found["id"], "--json")["state"] == "stopped"
    stopped = told("show", found["id"], "--json")
    assert stopped["state"] == "stopped"
    assert {one["state"] for one in stopped["trials"]} == {"stopped"}
    assert not processes.marked(launchers.mark(store.home, store.searches.get(found["id"])))


def test_what_cannot_work_is_refused_in_words(store: Store, tmp_path: Path) -> None:
    for change, words in (
        ({"algorithm": "bohb"}, "the algorithm bohb works only with bohb"),
        ({"algorithm": "grid"}, "grid needs choices, integers or a step"),
        ({"trials": 0}, "trials = 0: must be a whole number at least 1"),
    ):
        refused = cli("search", spec_file(tmp_path, {**SMALL, **change}))
        assert refused.returncode == 2
        assert words in " ".join(refused.stderr.split())
    refused = cli("search", spec_file(tmp_path, SMALL), "--set", "run.epochs=0")
    assert "run.epochs = 0" in refused.stderr
    assert cli("pause", "nothing").returncode == 2
    assert store.searches.list() == []


@pytest.mark.slow  # minutes: .venv/bin/pytest -m slow tests/flows/test_search_cli.py
def test_the_example_search_reaches_97_percent(store: Store) -> None:
    done = cli("search", ROOT / "examples" / "search_digits.yaml", "--wait", "--json", timeout_s=900)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["state"] == "finished"
    assert len(found["trials"]) == 10
    assert found["best"]["value"] >= 0.97
