"""The commands about searches, called as the command line calls them; with a closed pipe, as a process of its own."""

import io
import json
import subprocess
import sys
from typing import Any

import pytest
from rich.console import Console

from engine import api
from engine.cli import searches
from engine.cli.main import main
from engine.cli.progress import wait_for_search
from storage import RunState, Search, SearchState, Store
from tests.conftest import ROOT

NAME = "[bold]digits[/] [/x]"


@pytest.fixture
def search(store: Store) -> Search:
    spec = api.SearchSpec.parse({"space": {"optimisation.learning_rate": {"log": [0.001, 0.1]}}})
    values: dict[str, Any] = {"spec": spec.model_dump(mode="json"), "dataset_id": "digits", "num_trials": 3}
    found = store.searches.add(name=NAME, metric="val/accuracy", **values)
    store.searches.move(found.id, SearchState.STARTING)
    store.searches.move(found.id, SearchState.RUNNING)
    return store.searches.get(found.id)


@pytest.mark.parametrize("verb", ["pause", "stop", "extend"])
def test_what_is_asked_of_a_search_is_told_as_an_object(
    verb: str, store: Store, search: Search, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "request_done", lambda *_, quiet, **__: 0 if quiet else pytest.fail("words"))
    assert main([verb, search.id, "--json", *(["--trials", "2"] if verb == "extend" else [])]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["id"], told["state"], told["best"], told["trials"]) == (search.id, "running", None, [])


def test_epochs_for_a_search_are_refused_with_what_to_say(search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extend", search.id, "5"]) == 2
    assert "is a search: use --trials 5" in capsys.readouterr().err


def test_a_log_has_a_line_for_each_trial_and_the_name_letter_for_letter(store: Store, search: Search) -> None:
    for number, value in enumerate((0.5, 0.75), 1):
        told: dict[str, Any] = {"search_id": search.id, "trial": number, "metric": "val/accuracy"}
        run = store.runs.add(name=f"{number}", spec={}, dataset_id="digits", epochs=9, **told)
        store.runs.update(run.id, best_value=value, best_epoch=4)
        store.runs.move(run.id, RunState.STARTING)
        if number == 1:  # over before anybody waited
            store.runs.move(run.id, RunState.STOPPED)
    running = run.id

    bar, lines = Console(file=io.StringIO(), force_terminal=False, width=200), io.StringIO()

    def end(_: Store) -> None:
        store.runs.move(running, RunState.FINISHED)
        store.searches.move(search.id, SearchState.FINISHED)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.cli.progress._pass_time", end)
        wait_for_search(store, search.id, bar, Console(file=lines, width=200))
    assert lines.getvalue() == "2 of 3: trial 2 finished, val/accuracy 0.7500 at epoch 4\n"
    assert NAME in bar.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", [["--json"], []])
def test_who_reads_no_further_hears_no_complaint(search: Search, form: list[str]) -> None:
    command = [sys.executable, "-m", "engine", "searches", *form]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
