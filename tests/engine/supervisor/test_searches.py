"""The supervisor's care of searches, with a driver that follows a script: every trial is accounted for."""

import json
import signal
import time
from typing import Any

import pytest

from engine import api
from engine.machine import processes
from engine.supervisor import searches
from engine.supervisor.loop import Supervisor
from engine.supervisor.searches import Searching
from engine.worker import launchers
from storage import Store
from tests.engine.supervised import (
    RATE,
    R,
    S,
    done,
    is_training,
    no_process,
    start,
    states,
    trials,
    until,
    until_state,
)


def test_a_search_runs_to_its_last_trial(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("go on")
    search = until_state(supervisor, store, start(store), S.FINISHED)
    assert states(store, search) == [R.FINISHED] * 3
    found = trials(store, search)
    assert [run.trial for run in found] == [1, 2, 3]
    assert [run.assignment for run in found] == [{RATE: number / 100} for number in (1, 2, 3)]
    assert [run.spec["optimisation"]["learning_rate"] for run in found] == [0.01, 0.02, 0.03]
    assert [run.name for run in found] == ["rates 1", "rates 2", "rates 3"]
    assert (search.best_run_id, search.best_value) == (found[2].id, 0.53)
    assert (search.attempt, search.max_concurrent, search.device) == (1, 1, "cpu")
    assert (search.slot, search.launched_at) == (None, None)
    assert search.spent_s > 0
    assert no_process(store, search)
    assert supervisor._searching.is_idle
    texts = [event.text for event in store.events.list(search_id=search.id)]
    assert texts == ["Queued.", "Searching on cpu, 1 trial at a time.", "Finished."]


def test_what_a_driver_is_told(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("die", 1)
    search = until(supervisor, store, start(store, hours=2), lambda now: now.attempt == 2)
    told = json.loads((store.home.search(search.id) / "search.json").read_text())
    assert {"spec", "dataset", "device", "cache", "weights_paths", "runs", "wanted", "spent_s", "stop_asked"} <= set(
        told
    )
    assert (told["slots"], told["wanted"], told["attempt"], told["device"]) == (["cpu"], 3, 2, "cpu")
    first, second = told["trials"]
    assert (first["state"], first["value"], first["history"]) == ("finished", 0.51, [[1, 0.01], [2, 0.51]])
    assert (second["state"], second["number"], second["attempt"]) == ("interrupted", 2, 1)
    supervisor._searching.stop(search.id, grace_s=0)
    until_state(supervisor, store, search, S.STOPPED)


def test_a_driver_that_dies_goes_on_with_what_is_known(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("die", 1)
    search = start(store)
    until(supervisor, store, search, lambda now: len(trials(store, now)) >= 2)
    first = trials(store, search)[0]
    play("go on")
    search = until_state(supervisor, store, search, S.FINISHED)
    assert search.attempt >= 2
    assert states(store, search) == [R.FINISHED] * 3
    assert trials(store, search)[0] == first, "a finished trial is never run again"
    assert [run.trial for run in trials(store, search)] == [1, 2, 3]
    assert trials(store, search)[1].attempt >= 2


def test_a_driver_that_dies_in_vain_ends_the_search(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("die", 0)
    search = until_state(supervisor, store, start(store), S.FAILED)
    assert search.tries == 5
    assert "exit code 7" in (search.reason or "")
    assert "That happened 5 times" in (search.reason or "")
    assert "log.txt" in (search.advice or "")
    assert states(store, search) == [R.INTERRUPTED], "it goes on once the search is continued"
    play("go on")
    assert done(supervisor, store, api.continue_search(store, search.id)).state == "done"
    assert until_state(supervisor, store, search, S.FINISHED).reason is None
    assert set(states(store, search)) == {R.FINISHED}


def test_a_killed_driver_and_a_new_supervisor(store: Store, play: Any) -> None:
    play("wait", 1)
    first = Supervisor(store)
    search = until(first, store, start(store), is_training(store, 2))
    first.close()
    processes.send(processes.Identity.of(search.pid or 0), signal.SIGKILL)
    play("go on")
    second = Supervisor(store)
    search = until_state(second, store, search, S.FINISHED)
    second.close()
    assert (search.attempt, states(store, search)) == (2, [R.FINISHED] * 3)


def test_a_new_supervisor_follows_a_driver_that_lives(store: Store, play: Any) -> None:
    play("wait", 1)
    first = Supervisor(store)
    search = until(first, store, start(store), is_training(store, 2))
    first.close()
    store.searches.update(search.id, pid=None)  # as if it had died between launching and noting the pid
    second = Supervisor(store)
    run = trials(store, search)[1]
    assert done(second, store, api.stop_trial(store, run.id)).state == "done"
    again = until(second, store, search, is_training(store, 3))
    assert (again.attempt, again.pid) == (1, search.pid)
    done(second, store, api.stop_search(store, search.id))
    second.close()


def test_runs_and_searches_wait_in_one_queue(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 0)
    search = until(supervisor, store, start(store), is_training(store, 1))
    run = api.start_run(store, api.RunSpec.parse({"device": "cpu"}))
    later = start(store)
    for _ in range(3):
        supervisor.tick()
    assert (store.runs.get(run.id).state, store.searches.get(later.id).state) == (R.QUEUED, S.QUEUED)
    assert store.searches.get(later.id).name == "rates 2"
    store.runs.move(run.id, R.STOPPED)
    done(supervisor, store, api.stop_search(store, search.id))
    until(supervisor, store, later, is_training(store, 1))
    done(supervisor, store, api.stop_search(store, later.id))


def test_a_driver_that_hangs_is_started_again(
    store: Store, supervisor: Supervisor, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("hang", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    play("go on")
    monkeypatch.setattr(searches, "SILENT_S", 0.5)
    search = until(supervisor, store, search, lambda now: not now.state.has_process)
    monkeypatch.undo()
    play("go on")
    search = until_state(supervisor, store, search, S.FINISHED)
    assert search.attempt == 2
    assert any("made no progress" in event.text for event in store.events.list(search_id=search.id))


def test_lines_that_mean_nothing_are_left_out(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 0)
    search = until(supervisor, store, start(store), is_training(store, 1))
    alone = store.runs.add(name="alone", spec={}, dataset_id="digits", epochs=1, state=R.STOPPED)
    poison = [
        {"kind": "trial", "at": 1.0},
        {"kind": "trial", "at": 1.0, "run": alone.id, "number": 5, "config": {}},
        {"kind": "trial_ended", "at": 1.0, "run": trials(store, search)[0].id, "state": "nonsense"},
        {"kind": "ended", "at": 1.0, "state": 5},
        {"kind": "something new", "at": 1.0},
        {"kind": "trial_ended", "at": 1.0, "run": "deleted", "state": "finished"},
    ]
    processes.end_all(launchers.mark(store.home, search))
    play("go on")
    with (store.home.search(search.id) / "events.jsonl").open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in poison)
        file.write("no JSON\n")
    search = until_state(supervisor, store, search, S.FINISHED)
    assert states(store, search) == [R.FINISHED] * 3
    assert store.runs.get(alone.id) == alone
    texts = [event.text for event in store.events.list(search_id=search.id)]
    assert "Left out of its report, being unreadable: 5 lines." in texts


def test_a_driver_told_to_leave_by_the_system_goes_on(store: Store) -> None:
    search = start(store)
    store.home.search(search.id).mkdir(parents=True)
    Searching(store)
    store.searches.move(search.id, S.STARTING, attempt=1, launched_at=time.time())
    with (store.home.search(search.id) / "events.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "ended", "at": 1.0, "state": "paused"}) + "\n")
    Searching(store)._follow(store.searches.get(search.id))
    assert store.searches.get(search.id).state is S.INTERRUPTED
