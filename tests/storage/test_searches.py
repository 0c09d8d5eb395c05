"""Searches and their trials as rows: states move along their own table, trials come in any order."""

from itertools import product

import pytest

from storage import ORDERS, SEARCH_MOVES, MetricPoint, RunState, Search, SearchState, Store

S = SearchState


def add(store: Store, **more: object) -> Search:
    values = {"name": "a search", "spec": {"trials": 3}, "dataset_id": "digits", "num_trials": 3}
    return store.searches.add(**{**values, **more})


def add_trial(store: Store, search: Search, number: int, value: float | None, **more: object) -> str:
    run = store.runs.add(
        name=f"{search.name} {number}",
        spec={},
        dataset_id="digits",
        epochs=2,
        search_id=search.id,
        run_id=f"trial{number}",
        state=RunState.STARTING,
        trial=number,
        assignment={"epochs": number},
        best_value=value,
        **more,
    )
    return run.id


def test_what_is_kept_is_read_back(store: Store) -> None:
    search = add(store, spec={"space": {"epochs": {"integers": [1, 3]}}}, metric="val/loss")
    assert store.searches.get(search.id) == search
    assert (search.state, search.mode, search.num_trials, search.worked_s()) == (S.QUEUED, "min", 3, 0)
    trial = store.runs.get(add_trial(store, search, 1, 0.5))
    assert (trial.trial, trial.assignment, trial.search_id, trial.state) == (1, {"epochs": 1}, search.id, "starting")
    alone = store.runs.add(name="alone", spec={}, dataset_id="digits", epochs=1)
    assert (alone.trial, alone.assignment, alone.search_id) == (None, None, None)


def test_the_same_key_twice_is_one_search(store: Store) -> None:
    first = add(store, key="k")
    assert add(store, key="k", name="other") == first
    assert add(store).id != add(store).id


def test_a_search_is_found_by_id_name_and_the_beginning_of_an_id(store: Store) -> None:
    search = add(store)
    assert store.searches.find(search.id).id == store.searches.find("a search").id == search.id
    assert store.searches.find(search.id[:6]).id == search.id
    add(store)
    with pytest.raises(KeyError, match="Several searches are meant by 'a search'"):
        store.searches.find("a search")
    for text in ("", "nothing"):
        with pytest.raises(KeyError, match="There is no search"):
            store.searches.find(text)
    with pytest.raises(KeyError, match="There is no search"):
        store.searches.get("nothing")


@pytest.mark.parametrize(("before", "to"), [*product(SearchState, SearchState)])
def test_states_move_along_the_table_alone(store: Store, before: SearchState, to: SearchState) -> None:
    search = add(store)
    with store.transaction() as db:
        db.execute("UPDATE searches SET state = ? WHERE id = ?", [before, search.id])
    assert store.searches.move(search.id, to, phase="x") is (to in SEARCH_MOVES[before])
    now = store.searches.get(search.id)
    assert now.state is (to if to in SEARCH_MOVES[before] else before)
    assert (now.ended_at is not None) is (now.state.is_over and to in SEARCH_MOVES[before])


def test_a_state_that_was_not_expected_stays(store: Store) -> None:
    search = add(store)
    assert not store.searches.move(search.id, S.STARTING, expect={S.PAUSED})
    assert store.searches.move(search.id, S.STARTING, expect={S.QUEUED, S.PAUSED})
    with pytest.raises(ValueError, match="move"):
        store.searches.update(search.id, state=S.FINISHED)
    with pytest.raises(ValueError, match="no such column"):
        store.searches.update(search.id, nonsense=1)


def test_going_on_forgets_why_it_ended(store: Store) -> None:
    search = add(store)
    store.searches.move(search.id, S.FAILED, reason="All failed.", advice="Change it.", slot="cpu")
    assert store.searches.move(search.id, S.QUEUED)
    now = store.searches.get(search.id)
    assert (now.reason, now.advice, now.ended_at, now.slot) == (None, None, None, None)
    assert store.searches.queue() == [now]


@pytest.mark.parametrize(("metric", "best"), [("val/accuracy", [2, 1, 3, 4]), ("val/loss", [3, 1, 2, 4])])
def test_trials_come_in_any_order_by_pages(store: Store, metric: str, best: list[int]) -> None:
    search = add(store, metric=metric)
    add(store, name="another")
    for number, value in ((3, 0.2), (1, 0.5), (4, None), (2, 0.9)):
        add_trial(store, search, number, value, metric=metric)
    store.runs.move("trial2", RunState.FINISHED)

    def numbers(**more: object) -> list[int | None]:
        return [run.trial for run in store.runs.trials(search.id, **more)]

    assert numbers() == [1, 2, 3, 4]
    assert numbers(order="best") == best
    assert numbers(order="best", limit=2, offset=1) == best[1:3]
    assert numbers(states=[RunState.FINISHED]) == [2]
    assert store.runs.trial_counts(search.id) == {RunState.FINISHED: 1, RunState.STARTING: 3}
    for order in ORDERS:
        assert sorted(numbers(order=order)) == [1, 2, 3, 4]


def test_histories_are_those_of_the_metric(store: Store) -> None:
    search = add(store)
    for number in (1, 2):
        run_id = add_trial(store, search, number, None)
        for name, sign in (("val/accuracy", 1), ("val/loss", -1)):
            points = [
                MetricPoint(name=name, step=10 * epoch, epoch=epoch, value=sign * number * epoch, at=0.0)
                for epoch in (1, 2)
            ]
            store.metrics.add(run_id, points)
    add_trial(store, search, 3, None)
    assert store.runs.trial_histories(search.id) == {"trial1": [(1, 1.0), (2, 2.0)], "trial2": [(1, 2.0), (2, 4.0)]}


def test_trials_are_no_runs_of_the_queue(store: Store) -> None:
    search = add(store)
    run = store.runs.get(add_trial(store, search, 1, None))
    store.runs.move(run.id, RunState.INTERRUPTED)
    store.runs.move(run.id, RunState.QUEUED)
    alone = store.runs.add(name="alone", spec={}, dataset_id="digits", epochs=1)
    assert store.runs.queue() == store.runs.list(alone=True) == [alone]
    assert store.runs.count(alone=True) == {RunState.QUEUED: 1}
    assert store.runs.count() == {RunState.QUEUED: 2}


def test_its_lines_are_its_own(store: Store) -> None:
    search = add(store)
    run_id = add_trial(store, search, 1, None)
    store.events.add(None, "info", "Queued.", search_id=search.id)
    store.events.add(run_id, "info", "of the trial")
    assert [one.text for one in store.events.list(search_id=search.id)] == ["Queued."]
    assert [one.text for one in store.events.list(run_id)] == ["of the trial"]
    store.searches.delete(search.id)
    assert store.events.list() == []
    assert store.runs.list() == []


def test_time_worked_leaves_pauses_out(store: Store) -> None:
    search = add(store, slot="0,1", spent_s=10.0, spent_gpu_s=20.0, launched_at=100.0)
    assert (search.worked_s(130.0), search.worked_gpu_s(130.0)) == (40.0, 80.0)
    store.searches.update(search.id, launched_at=None)
    assert store.searches.get(search.id).worked_s(1e9) == 10.0
