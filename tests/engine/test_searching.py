"""The supervisor's care of searches, with a driver that follows a script: every trial is accounted for."""

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import engine
from engine import Refused, SearchSpec, launchers, processes, searching
from engine.searching import Searching
from engine.supervisor import Supervisor
from storage import Request, Run, RunState, Search, SearchState, Store

DRIVER = Path(__file__).with_name("scripted_driver.py")
S, R = SearchState, RunState
RATE = "optimisation.learning_rate"
SPEC = {"name": "rates", "space": {RATE: {"log": [1e-4, 1]}}, "run": {"device": "cpu", "epochs": 2}, "trials": 3}


@pytest.fixture
def supervisor(store: Store) -> Iterator[Supervisor]:
    made = Supervisor(store)
    yield made
    made.close()


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """What drivers do from now on."""
    monkeypatch.setattr(searching, "BACK_OFF_S", (0.0,))

    def told(how: str, number: int = 0) -> None:
        def driver(folder: Path) -> list[str]:
            return [sys.executable, "-I", "-S", str(DRIVER), str(folder), how, str(number)]

        monkeypatch.setattr(launchers, "driver", driver)

    return told


def start(store: Store, **more: object) -> Search:
    return engine.start_search(store, SearchSpec.parse({**SPEC, **more}))


def until(supervisor: Supervisor, store: Store, search: Search, what: Callable[[Search], Any]) -> Search:
    """Rounds of the supervisor until `what` holds for the search."""
    deadline = time.monotonic() + 30
    while not what(now := store.searches.get(search.id)):
        assert time.monotonic() < deadline, (now, store.searches.trials(search.id), log_of(store, search))
        supervisor.tick()
        time.sleep(0.02)
    return now


def until_state(supervisor: Supervisor, store: Store, search: Search, state: SearchState) -> Search:
    return until(supervisor, store, search, lambda now: now.state is state)


def done(supervisor: Supervisor, store: Store, request: Request) -> Request:
    deadline = time.monotonic() + 30
    while (now := store.requests.get(request.id)).state == "pending":
        assert time.monotonic() < deadline, now
        supervisor.tick()
        time.sleep(0.02)
    return now


def log_of(store: Store, search: Search) -> str:
    log = store.home.search(search.id) / "log.txt"
    return log.read_text() if log.exists() else ""


def trials(store: Store, search: Search) -> list[Run]:
    return store.searches.trials(search.id)


def states(store: Store, search: Search) -> list[RunState]:
    return [run.state for run in trials(store, search)]


def no_process(store: Store, search: Search) -> bool:
    return not processes.marked(launchers.mark(store.home, store.searches.get(search.id)))


def is_training(store: Store, number: int) -> Callable[[Search], bool]:
    return lambda search: len(trials(store, search)) == number and trials(store, search)[-1].state is R.RUNNING


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
    assert (search.attempt, search.at_once, search.device, search.slot, search.launched_at) == (1, 1, "cpu", None, None)
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
    assert states(store, search) == [R.STOPPED]
    play("go on")
    assert done(supervisor, store, engine.continue_search(store, search.id)).state == "done"
    assert until_state(supervisor, store, search, S.FINISHED).reason is None


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
    assert done(second, store, engine.stop_trial(store, run.id)).state == "done"
    again = until(second, store, search, is_training(store, 3))
    assert (again.attempt, again.pid) == (1, search.pid)
    done(second, store, engine.stop_search(store, search.id))
    second.close()


def test_stop_leaves_no_process_and_no_open_trial(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    assert done(supervisor, store, engine.stop_search(store, search.id)).state == "done"
    assert store.searches.get(search.id).state is S.STOPPED
    assert states(store, search) == [R.FINISHED, R.STOPPED]
    assert no_process(store, search)
    with pytest.raises(Refused, match="it is stopped already; there is nothing to stop"):
        engine.stop_search(store, search.id)


def test_pause_frees_the_machine_and_going_on_repeats_nothing(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    assert done(supervisor, store, engine.pause_search(store, search.id)).state == "done"
    paused = store.searches.get(search.id)
    assert (paused.state, paused.slot, paused.launched_at) == (S.PAUSED, None, None)
    assert no_process(store, search)
    assert states(store, search) == [R.FINISHED, R.INTERRUPTED]
    assert supervisor._searching.is_idle
    for _ in range(3):
        supervisor.tick()
    assert store.searches.get(search.id).state is S.PAUSED
    first = trials(store, search)[0]
    play("go on")
    assert done(supervisor, store, engine.continue_search(store, search.id)).state == "done"
    search = until_state(supervisor, store, search, S.FINISHED)
    assert states(store, search) == [R.FINISHED] * 3
    assert trials(store, search)[0] == first
    assert trials(store, search)[1].attempt == 2


def test_one_trial_stops_and_the_search_goes_on(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    run = trials(store, search)[1]
    assert done(supervisor, store, engine.request_stop(store, run.id)).state == "done"
    assert store.runs.get(run.id).state is R.STOPPED
    until(supervisor, store, search, is_training(store, 3))
    with pytest.raises(Refused, match="it is a trial: its search trains it"):
        engine.resume(store, run.id)
    done(supervisor, store, engine.stop_search(store, search.id))


def test_a_trial_of_a_paused_search_stops_at_once(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    done(supervisor, store, engine.pause_search(store, search.id))
    run = trials(store, search)[1]
    assert done(supervisor, store, engine.stop_trial(store, run.id)).state == "done"
    assert store.runs.get(run.id).state is R.STOPPED


def test_more_trials_reach_a_driver_at_work_and_a_search_that_is_over(
    store: Store, supervisor: Supervisor, play: Any
) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store, trials=2), is_training(store, 2))
    done(supervisor, store, engine.extend_search(store, search.id, 1))
    until(supervisor, store, search, is_training(store, 3))
    for _ in range(2):
        done(supervisor, store, engine.extend_search(store, search.id, 1, key="k"))
    search = until(supervisor, store, search, is_training(store, 4))
    assert (search.attempt, search.wanted, search.spec["trials"]) == (1, 4, 4), "the driver at work heard of both"
    done(supervisor, store, engine.stop_search(store, search.id))
    with pytest.raises(Refused, match="all of its 4 trials were tried; extend it by some more"):
        engine.continue_search(store, search.id)
    play("go on")
    done(supervisor, store, engine.extend_search(store, search.id, 2))
    search = until_state(supervisor, store, search, S.FINISHED)
    assert (search.attempt, states(store, search)) == (2, [*[R.FINISHED] * 3, R.STOPPED, R.FINISHED, R.FINISHED])
    with pytest.raises(Refused, match="trials = 0: must be 1 to 9,994"):
        engine.extend_search(store, search.id, 0)


def test_an_extension_that_the_driver_missed_starts_another(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("go on")
    search = start(store, trials=1)
    until(supervisor, store, search, lambda now: (store.home.search(now.id) / "events.jsonl").exists())
    store.searches.update(search.id, wanted=2)  # after its last look at control.jsonl
    search = until_state(supervisor, store, search, S.FINISHED)
    assert len(trials(store, search)) == 2


def test_another_space_at_rest_alone(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    space = {"epochs": {"integers": [1, 3]}}
    with pytest.raises(Refused, match="pause it before its space is changed"):
        engine.change_space(store, search.id, space)
    done(supervisor, store, engine.pause_search(store, search.id))
    with pytest.raises(Refused, match="must be a whole number"):
        engine.change_space(store, search.id, {"epochs": {"integers": [0, 3]}})
    assert done(supervisor, store, engine.change_space(store, search.id, space)).state == "done"
    assert list(SearchSpec.parse(store.searches.get(search.id).spec).space) == ["epochs"]


def test_runs_and_searches_wait_in_one_queue(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 0)
    search = until(supervisor, store, start(store), is_training(store, 1))
    run = engine.start_run(store, engine.RunSpec.parse({"device": "cpu"}))
    later = start(store)
    for _ in range(3):
        supervisor.tick()
    assert (store.runs.get(run.id).state, store.searches.get(later.id).state) == (R.QUEUED, S.QUEUED)
    assert store.searches.get(later.id).name == "rates 2"
    store.runs.move(run.id, R.STOPPED)
    done(supervisor, store, engine.stop_search(store, search.id))
    until(supervisor, store, later, is_training(store, 1))
    done(supervisor, store, engine.stop_search(store, later.id))


def test_a_queued_search_stops_and_pauses_without_a_process(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 0)
    until(supervisor, store, start(store), is_training(store, 1))
    second, third = start(store), start(store)
    done(supervisor, store, engine.stop_search(store, second.id))
    done(supervisor, store, engine.pause_search(store, third.id))
    assert store.searches.get(second.id).reason == "Stopped before it started."
    assert store.searches.get(third.id).state is S.PAUSED
    with pytest.raises(Refused, match="there is nothing to pause"):
        engine.pause_search(store, third.id)
    supervisor._shut_down(engine.shut_down(store))
    first = store.searches.list()[-1]
    until_state(supervisor, store, first, S.PAUSED)


def test_a_deleted_search_leaves_nothing(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    folders = [store.home.run(run.id) for run in trials(store, search)] + [store.home.search(search.id)]
    assert all(folder.exists() for folder in folders)
    assert done(supervisor, store, engine.delete_search(store, search.id)).state == "done"
    assert not any(folder.exists() for folder in folders)
    assert store.runs.list() == store.searches.list() == []


def test_a_deleted_trial_troubles_nobody(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    done(supervisor, store, engine.delete_run(store, trials(store, search)[1].id))
    until(supervisor, store, search, lambda now: [run.trial for run in trials(store, now)] == [1, 3])
    done(supervisor, store, engine.stop_search(store, search.id))
    warnings = [event for event in store.events.list(search_id=search.id) if event.level == "warning"]
    assert warnings == []


def test_a_driver_that_hangs_is_started_again(
    store: Store, supervisor: Supervisor, play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("hang", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    play("go on")
    monkeypatch.setattr(searching, "SILENT_S", 0.5)
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
    assert "Left out of the search's report, being unreadable: 5 lines." in texts


def test_a_driver_told_to_leave_by_the_system_goes_on(store: Store) -> None:
    search = start(store)
    store.home.search(search.id).mkdir(parents=True)
    Searching(store)
    store.searches.move(search.id, S.STARTING, attempt=1, launched_at=time.time())
    with (store.home.search(search.id) / "events.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "ended", "at": 1.0, "state": "paused"}) + "\n")
    Searching(store)._follow(store.searches.get(search.id))
    assert store.searches.get(search.id).state is S.INTERRUPTED
