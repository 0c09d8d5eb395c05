"""What users ask of a search that waits, runs or rests: stop, pause, more trials, another space, delete."""

from typing import Any

import pytest

from engine import api
from engine.api import Refused, SearchSpec
from engine.supervisor.loop import Supervisor
from storage import Store
from tests.engine.supervised import (
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


def test_stop_leaves_no_process_and_no_open_trial(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    assert done(supervisor, store, api.stop_search(store, search.id)).state == "done"
    assert store.searches.get(search.id).state is S.STOPPED
    assert states(store, search) == [R.FINISHED, R.STOPPED]
    assert no_process(store, search)
    assert api.trials_left(store, search) == 2, "the one that was under way goes on with its search"
    with pytest.raises(Refused, match="it is stopped already; there is nothing to stop"):
        api.stop_search(store, search.id)


def test_pause_frees_the_machine_and_going_on_repeats_nothing(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    assert done(supervisor, store, api.pause_search(store, search.id)).state == "done"
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
    assert done(supervisor, store, api.continue_search(store, search.id)).state == "done"
    search = until_state(supervisor, store, search, S.FINISHED)
    assert states(store, search) == [R.FINISHED] * 3
    assert trials(store, search)[0] == first
    assert trials(store, search)[1].attempt == 2


def test_one_trial_stops_and_the_search_goes_on(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    run = trials(store, search)[1]
    assert done(supervisor, store, api.request_stop(store, run.id)).state == "done"
    assert store.runs.get(run.id).state is R.STOPPED
    until(supervisor, store, search, is_training(store, 3))
    with pytest.raises(Refused, match="it is a trial: its search trains it"):
        api.resume(store, run.id)
    done(supervisor, store, api.stop_search(store, search.id))


def test_a_trial_of_a_paused_search_stops_at_once(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    done(supervisor, store, api.pause_search(store, search.id))
    run = trials(store, search)[1]
    assert done(supervisor, store, api.stop_trial(store, run.id)).state == "done"
    assert store.runs.get(run.id).state is R.STOPPED


def test_more_trials_reach_a_driver_at_work_and_a_search_that_is_over(
    store: Store, supervisor: Supervisor, play: Any
) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store, trials=2), is_training(store, 2))
    done(supervisor, store, api.extend_search(store, search.id, 1))
    until(supervisor, store, search, is_training(store, 3))
    for _ in range(2):
        done(supervisor, store, api.extend_search(store, search.id, 1, key="k"))
    search = until(supervisor, store, search, is_training(store, 4))
    assert (search.attempt, search.num_trials, search.spec["trials"]) == (1, 4, 4), "the driver at work heard of both"
    done(supervisor, store, api.stop_search(store, search.id))
    play("go on")
    done(supervisor, store, api.extend_search(store, search.id, 2))
    search = until_state(supervisor, store, search, S.FINISHED)
    assert (search.attempt, states(store, search)) == (2, [R.FINISHED] * 6)
    assert [run.attempt for run in trials(store, search)] == [1, 1, 1, 2, 1, 1], "what was under way went on"
    with pytest.raises(Refused, match="all of its 6 trials were tried; extend it by some more"):
        api.continue_search(store, search.id)
    with pytest.raises(Refused, match="trials = 0: must be 1 to 9,994"):
        api.extend_search(store, search.id, 0)


def test_an_extension_that_the_driver_missed_starts_another(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("go on")
    search = start(store, trials=1)
    until(supervisor, store, search, lambda now: (store.home.search(now.id) / "events.jsonl").exists())
    store.searches.update(search.id, num_trials=2)  # after its last look at control.jsonl
    search = until_state(supervisor, store, search, S.FINISHED)
    assert len(trials(store, search)) == 2


def test_what_ended_a_search_does_not_end_it_again_at_once(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("go on")
    search = until_state(supervisor, store, start(store, trials=2, hours=1.0, target=0.5), S.FINISHED)
    store.searches.update(search.id, spent_s=5400.0, best_value=0.4)
    done(supervisor, store, api.extend_search(store, search.id, 1))
    search = store.searches.get(search.id)
    assert (search.spec["hours"], search.spec["target"], search.spec["trials"]) == (2.5, 0.5, 3)
    search = until_state(supervisor, store, search, S.FINISHED)
    store.searches.update(search.id, best_value=0.5)
    done(supervisor, store, api.extend_search(store, search.id, 1))
    assert store.searches.get(search.id).spec["target"] == 0
    told = [event.text for event in store.events.list(search_id=search.id)]
    assert told.count("Queued again, beyond the budget or target it met.") == 2


def test_another_space_at_rest_alone(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    space = {"epochs": {"integers": [1, 3]}}
    with pytest.raises(Refused, match="pause it before its space is changed"):
        api.change_space(store, search.id, space)
    done(supervisor, store, api.pause_search(store, search.id))
    with pytest.raises(Refused, match="must be a whole number"):
        api.change_space(store, search.id, {"epochs": {"integers": [0, 3]}})
    assert done(supervisor, store, api.change_space(store, search.id, space)).state == "done"
    assert list(SearchSpec.parse(store.searches.get(search.id).spec).space) == ["epochs"]


def test_a_queued_search_stops_and_pauses_without_a_process(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 0)
    until(supervisor, store, start(store), is_training(store, 1))
    second, third = start(store), start(store)
    done(supervisor, store, api.stop_search(store, second.id))
    done(supervisor, store, api.pause_search(store, third.id))
    assert store.searches.get(second.id).reason == "Stopped before it started."
    assert store.searches.get(third.id).state is S.PAUSED
    with pytest.raises(Refused, match="there is nothing to pause"):
        api.pause_search(store, third.id)
    supervisor._shut_down(api.shut_down(store))
    first = store.searches.list()[-1]
    until_state(supervisor, store, first, S.PAUSED)


def test_a_deleted_search_leaves_nothing(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    folders = [store.home.run(run.id) for run in trials(store, search)] + [store.home.search(search.id)]
    assert all(folder.exists() for folder in folders)
    assert done(supervisor, store, api.delete_search(store, search.id)).state == "done"
    assert not any(folder.exists() for folder in folders)
    assert store.runs.list() == store.searches.list() == []


def test_a_deleted_trial_troubles_nobody(store: Store, supervisor: Supervisor, play: Any) -> None:
    play("wait", 1)
    search = until(supervisor, store, start(store), is_training(store, 2))
    done(supervisor, store, api.delete_run(store, trials(store, search)[1].id))
    until(supervisor, store, search, lambda now: [run.trial for run in trials(store, now)] == [1, 3])
    done(supervisor, store, api.stop_search(store, search.id))
    warnings = [event for event in store.events.list(search_id=search.id) if event.level == "warning"]
    assert warnings == []
