"""States move only along MOVES, once each; one key makes one run; what belongs to a run goes with it."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import product

import pytest

from storage import MOVES, Checkpoint, MetricPoint, Run, RunState, Store
from storage.connections import Connections

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


def test_runs_are_found_by_id_name_and_beginning_of_an_id(store: Store) -> None:
    first, second = add(store, "고양이"), add(store, "twice")
    add(store, "twice")
    assert store.runs.find(first.id[:7]) == store.runs.find("고양이") == first
    assert store.runs.find(second.id) == second
    named_like_it = add(store, first.id[:3])
    assert store.runs.find(first.id[:3]) == named_like_it
    for text in ("nothing", "", "%", "~", first.id + "2"):
        with pytest.raises(KeyError, match="There is no run"):
            store.runs.find(text)
    with pytest.raises(KeyError, match=f"Several runs.*{second.id}"):
        store.runs.find("twice")


def test_what_a_runs_page_asks_scans_no_table(store: Store) -> None:
    """It opens as fast among 10,000 runs as among 10: every query is answered from an index."""
    run = add(store)
    store.metrics.add(run.id, [MetricPoint(name="loss", step=1, epoch=1, value=1.0, at=0.0)])
    plans: list[str] = []
    connect = store._transactions._connections._open

    def explaining() -> sqlite3.Connection:
        connection = connect()

        def explain(sql: str) -> None:
            if sql.lstrip().startswith("SELECT"):
                with closing(connect()) as other:
                    plans.extend(row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {sql}"))

        connection.set_trace_callback(explain)
        return connection

    store._transactions._connections = Connections(store.home.database)
    store._transactions._connections._open = explaining  # type: ignore[method-assign]
    store.runs.get(run.id)
    store.runs.find(run.id[:6])
    store.runs.list(limit=50)
    store.runs.list(states=[RunState.RUNNING])
    store.metrics.names(run.id)
    store.metrics.last(run.id)
    store.metrics.series(run.id, "loss")
    store.metrics.best(run.id, "loss")
    store.checkpoints.list(run.id)
    store.events.list(run.id)
    store.events.warning_codes({run.id})
    store.runs.list(alone=True)
    store.runs.children(run.id)
    store.runs.count()
    store.runs.count(alone=True)
    store.runs.tags()
    store.requests.open()
    assert len(plans) >= 10
    scans = [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan]
    harmless = ("VIRTUAL TABLE", "(subquery")  # the tags in a run's column; points counted up to a limit
    assert [plan for plan in scans if not any(one in plan for one in harmless)] == []


def test_lists_are_filtered_and_newest_first(store: Store) -> None:
    names = [f"run {number}" for number in range(5)]
    runs = [add(store, name) for name in names]
    store.runs.move(runs[2].id, RunState.STOPPED)
    assert [run.name for run in store.runs.list()] == names[::-1]
    assert [run.name for run in store.runs.list(limit=2, offset=1)] == ["run 3", "run 2"]
    assert [run.name for run in store.runs.list(states=[RunState.STOPPED])] == ["run 2"]
    assert [run.name for run in store.runs.list(text="RUN 4")] == ["run 4"]
    store.runs.update(runs[1].id, tags=("발표", "paper"))
    store.runs.update(runs[3].id, tags=("paper",), archived_at=1.0)
    assert [run.name for run in store.runs.list(text="발표")] == ["run 1"]
    assert [run.name for run in store.runs.list(tags=["paper"])] == ["run 1"]
    assert [run.name for run in store.runs.list(tags=["paper"], archived=True)] == ["run 3", "run 1"]
    assert [run.name for run in store.runs.list(tags=["paper", "발표"], archived=True)] == ["run 1"]
    assert store.runs.list(tags=["pap"]) == []
    assert store.runs.list(dataset_id="cats") == []
    assert store.runs.list(text="[") == store.runs.list(text='"') == store.runs.list(text=",") == []  # no JSON
    store.runs.update(runs[4].id, name="ÉCOLE", tags=("Straße",))
    assert [run.name for run in store.runs.list(text="école")] == ["ÉCOLE"]
    assert [run.name for run in store.runs.list(text="STRASSE")] == ["ÉCOLE"]
    store.runs.update(runs[4].id, name="run 4")
    store.runs.update(runs[3].id, archived_at=None)
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


def test_a_search_takes_its_runs_with_it(store: Store) -> None:
    search = store.searches.add(name="a search", spec={"trials": 2})
    trials = [
        store.runs.add(name=name, spec={}, dataset_id="digits", epochs=1, search_id=search.id) for name in ("1", "2")
    ]
    add(store)
    assert store.runs.list(search_id=search.id) == trials[::-1]
    assert [one.id for one in store.searches.list()] == [search.id]
    store.searches.delete(search.id)
    assert [run.name for run in store.runs.list()] == ["a run"]
    with pytest.raises(KeyError):
        store.searches.get(search.id)


def test_a_transaction_inside_another_joins_it(store: Store) -> None:
    run = add(store)
    with store.transaction():
        store.runs.update(run.id, step=1)
        with pytest.raises(sqlite3.IntegrityError), store.transaction():
            store.events.add("no such run", "info", "refused")
        assert store.runs.get(run.id).step == 1  # its own writes are seen inside
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(store.runs.get, run.id).result().step == 0  # and by nobody else
    assert store.runs.get(run.id).step == 1


def test_a_transaction_commits_whole_or_not_at_all(store: Store) -> None:
    run = add(store)
    with pytest.raises(RuntimeError), store.transaction():
        store.runs.update(run.id, step=7)
        store.events.add(run.id, "info", "never")
        raise RuntimeError
    assert store.runs.get(run.id).step == 0
    assert store.events.list(run.id) == []
