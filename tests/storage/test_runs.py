"""States move only along MOVES, once each; one key makes one run; what belongs to a run goes with it."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from storage import MOVES, Checkpoint, MetricPoint, Run, RunState, Store

ROUTES = {  # a way from queued to every state
    RunState.QUEUED: [],
    RunState.STARTING: [RunState.STARTING],
    RunState.RUNNING: [RunState.STARTING, RunState.RUNNING],
    RunState.STOPPING: [RunState.STARTING, RunState.STOPPING],
    RunState.INTERRUPTED: [RunState.STARTING, RunState.INTERRUPTED],
    RunState.FINISHED: [RunState.STARTING, RunState.FINISHED],
    RunState.FAILED: [RunState.FAILED],
    RunState.STOPPED: [RunState.STOPPED],
}


def add(store: Store, name: str = "a run", key: str | None = None) -> Run:
    return store.runs.add(name=name, spec={"epochs": 3}, dataset_id="digits", epochs=3, key=key)


@pytest.mark.parametrize(("source", "target"), list(product(RunState, RunState)))
def test_a_run_moves_only_where_the_table_allows(store: Store, source: RunState, target: RunState) -> None:
    run = add(store)
    for state in ROUTES[source]:
        assert store.runs.move(run.id, state)
    assert store.runs.move(run.id, target) == (target in MOVES[source])
    now = store.runs.get(run.id)
    assert now.state is (target if target in MOVES[source] else source)
    assert (now.ended_at is not None) == now.state.is_over


def test_a_move_sets_its_values_or_nothing(store: Store) -> None:
    run = add(store)
    assert not store.runs.move(run.id, RunState.FINISHED, reason="never")
    assert store.runs.get(run.id).reason is None
    assert store.runs.move(run.id, RunState.FAILED, reason="no room", advice="delete something")
    assert store.runs.get(run.id).advice == "delete something"
    assert store.runs.move(run.id, RunState.QUEUED, expect={RunState.FAILED})
    assert store.runs.get(run.id).reason is None


def test_only_one_of_many_wins_a_move(store: Store) -> None:
    run = add(store)
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: store.runs.move(run.id, RunState.STARTING), range(8)))
    assert sorted(won) == [False] * 7 + [True]


def test_the_same_key_from_many_threads_makes_one_run(store: Store) -> None:
    for round_ in range(20):
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda key: add(store, key=key).id, [f"key {round_}"] * 6))
        assert len(set(made)) == 1
    assert len(store.runs.list()) == 20


def test_runs_are_found_by_id_its_beginning_and_name(store: Store) -> None:
    first, second = add(store, "고양이"), add(store, "twice")
    add(store, "twice")
    assert store.runs.find(first.id[:5]) == store.runs.find("고양이") == first
    assert store.runs.find(second.id) == second
    for text in ("twice", "nothing", ""):
        with pytest.raises(KeyError):
            store.runs.find(text)


def test_lists_are_filtered_and_newest_first(store: Store) -> None:
    names = [f"run {number}" for number in range(5)]
    runs = [add(store, name) for name in names]
    store.runs.move(runs[2].id, RunState.STOPPED)
    assert [run.name for run in store.runs.list()] == names[::-1]
    assert [run.name for run in store.runs.list(limit=2, offset=1)] == ["run 3", "run 2"]
    assert [run.name for run in store.runs.list(states=[RunState.STOPPED])] == ["run 2"]
    assert [run.name for run in store.runs.list(text="RUN 4")] == ["run 4"]
    assert [run.name for run in store.runs.queue()] == ["run 0", "run 1", "run 3", "run 4"]
    assert store.runs.count() == {RunState.QUEUED: 4, RunState.STOPPED: 1}


def test_unknown_columns_and_states_are_refused(store: Store) -> None:
    run = add(store)
    with pytest.raises(ValueError, match="no such column: colour"):
        store.runs.update(run.id, colour="red")
    with pytest.raises(ValueError, match="move"):
        store.runs.update(run.id, state="finished")


def test_deleting_a_run_takes_all_that_belongs_to_it(store: Store) -> None:
    run, other = add(store), add(store)
    for one in (run, other):
        store.metrics.add(
            one.id, [MetricPoint(name="loss", step=step, epoch=1, value=1.0, at=0.0) for step in range(9)]
        )
        store.checkpoints.add(
            Checkpoint(run_id=one.id, epoch=1, step=9, path="checkpoints/e0001", bytes=1, sha256="x", created_at=0.0)
        )
        store.events.add(one.id, "info", "hello")
    store.runs.delete(run.id)
    with store.reading() as db:
        left = {name: db[name].count for name in ("runs", "series", "metrics", "checkpoints", "events")}
    assert left == {"runs": 1, "series": 1, "metrics": 9, "checkpoints": 1, "events": 1}
    assert store.metrics.count(other.id, "loss") == 9


def test_a_transaction_commits_whole_or_not_at_all(store: Store) -> None:
    run = add(store)
    with pytest.raises(RuntimeError), store.transaction():
        store.runs.update(run.id, step=7)
        store.events.add(run.id, "info", "never")
        raise RuntimeError
    assert store.runs.get(run.id).step == 0
    assert store.events.list(run.id) == []
