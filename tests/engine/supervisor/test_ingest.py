"""Event lines become rows once each, in order; torn and foreign ones harm nobody."""

import json
from pathlib import Path
from typing import Any

from engine.supervisor.ingest import ingest
from storage import Run, RunState, Store

STARTED = {"kind": "started", "attempt": 1, "device": "cpu", "epoch": 0, "step": 0, "epochs": 2, "steps": 20}


def running(store: Store) -> Run:
    run = store.runs.add(name="a", spec={}, dataset_id="digits", epochs=2)
    store.runs.move(run.id, RunState.STARTING, attempt=1)
    store.home.run(run.id).mkdir(parents=True)
    return store.runs.get(run.id)


def say(store: Store, run: Run, *lines: dict[str, Any] | str, end: str = "\n") -> None:
    with (store.home.run(run.id) / "events.jsonl").open("a") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps({"at": 1.0, **line})) + end)


def loss(step: int, value: float | None = 0.5) -> dict[str, Any]:
    return {"kind": "metrics", "step": step, "epoch": 1, "values": {"train/loss": value}}


def accuracy(step: int, epoch: int, value: float) -> dict[str, Any]:
    return {"kind": "metrics", "step": step, "epoch": epoch, "values": {"val/accuracy": value}}


def take(store: Store, run: Run, *, gone: bool = False) -> Run:
    ingest(store, store.runs.get(run.id), gone=gone)
    return store.runs.get(run.id)


def test_each_line_counts_once(store: Store) -> None:
    run = running(store)
    say(store, run, STARTED, loss(1), loss(2))
    assert take(store, run).state is RunState.RUNNING
    offset = take(store, run).offset
    say(store, run, loss(3))
    run = take(store, take(store, run))
    assert run.offset > offset == take(store, run).offset - len(json.dumps({"at": 1.0, **loss(3)})) - 1
    assert store.metrics.series(run.id, "train/loss").steps == [1, 2, 3]


def test_half_a_line_waits_for_its_rest(store: Store) -> None:
    run = running(store)
    whole = json.dumps({"at": 1.0, **loss(1)})
    say(store, run, whole[:20], end="")
    assert take(store, run).offset == 0
    say(store, run, whole[20:])
    take(store, run)
    assert store.metrics.count(run.id, "train/loss") == 1


POISON: list[dict[str, Any] | str] = [
    "{torn",
    "[]",
    '"text"',
    "[" * 100_000,
    {"kind": "metrics", "step": "one", "epoch": 1, "values": {"train/loss": 1}},
    {"kind": "metrics", "step": 10**20, "epoch": 1, "values": {"train/loss": 1}},
    {"kind": "metrics", "step": 1, "epoch": 1, "values": {"\ud800": 1}},
    '{"kind": "metrics", "at": 1, "step": 1e999, "epoch": 1, "values": {"train/loss": 1}}',
    {"kind": "metrics", "at": "x", "step": 1, "epoch": 1, "values": {"train/loss": 1}},
    {"kind": "started"},
    {"kind": "started", "attempt": 2, "step": 0, "epoch": 0, "epochs": 2, "steps": 20, "device": 7},
    {"kind": "progress", "phase": ["x"]},
    {"kind": "progress", "phase": "\ud800"},
    {"kind": "checkpoint", "path": "p", "epoch": 1, "step": 1, "bytes": "x", "sha256": "", "metrics": {}, "best": True},
    {"kind": "message", "level": "info"},
    {"kind": ["unhashable"]},
]


def test_unreadable_lines_are_left_out_whole_and_told(store: Store) -> None:
    run = running(store)
    say(store, run, STARTED, loss(1), *POISON, {"kind": "new"}, loss(2))
    take(store, run)
    assert store.metrics.series(run.id, "train/loss").steps == [1, 2]  # no bad `started` has rewound them
    assert store.checkpoints.list(run.id) == []
    assert any(f"unreadable: {len(POISON)} lines" in event.text for event in store.events.list(run.id))


def test_the_last_word_waits_until_the_process_is_gone(store: Store) -> None:
    run = running(store)
    say(store, run, STARTED, {"kind": "ended", "state": "failed", "reason": "no room", "advice": "make some"})
    run = take(store, run)
    assert run.state is RunState.RUNNING
    assert ingest(store, run, gone=False)  # it waits
    run = take(store, run, gone=True)
    assert (run.state, run.reason, run.advice) == (RunState.FAILED, "no room", "make some")


def test_a_new_attempt_rewinds_to_where_it_goes_on(store: Store) -> None:
    run = running(store)
    say(store, run, STARTED, accuracy(10, 1, 0.6), accuracy(20, 2, 0.9), *map(loss, range(1, 15)))
    assert take(store, run).best_epoch == 2
    say(store, run, STARTED | {"step": 10, "epoch": 1, "attempt": 2, "going_on_from": "checkpoints/e0001"}, loss(11))
    run = take(store, run)
    assert store.metrics.series(run.id, "train/loss").steps == list(range(1, 12))
    assert (run.best_value, run.best_epoch, run.step) == (0.6, 1, 10)


def test_checkpoints_come_and_go(store: Store) -> None:
    run = running(store)
    store.runs.update(run.id, tries=3)
    kept = {"kind": "checkpoint", "epoch": 1, "step": 10, "bytes": 5, "sha256": "x", "metrics": {"val/accuracy": None}}
    say(store, run, kept | {"path": "checkpoints/e0001", "best": True})
    say(store, run, kept | {"path": "checkpoints/e0002", "best": False, "epoch": 2})
    assert take(store, run).tries == 0
    say(store, run, {"kind": "checkpoint_deleted", "path": "checkpoints/e0002"})
    take(store, run)
    assert [(one.epoch, one.is_best, one.is_last) for one in store.checkpoints.list(run.id)] == [(1, True, True)]


def test_a_nan_is_stored_as_a_gap(store: Store) -> None:
    run = running(store)
    say(store, run, STARTED, loss(1, None))
    take(store, run)
    assert store.metrics.series(run.id, "train/loss").values == [None]


def test_no_file_is_no_news(store: Store, tmp_path: Path) -> None:
    run = running(store)
    assert not ingest(store, run, gone=False)
