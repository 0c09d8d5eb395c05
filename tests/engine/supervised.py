"""Searches under a real supervisor, with drivers that follow a script."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.api import SearchSpec
from engine.machine import processes
from engine.supervisor import searches
from engine.supervisor.loop import Supervisor
from engine.worker import launchers
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
    monkeypatch.setattr(searches, "BACK_OFF_S", (0.0,))

    def play_script(how: str, number: int = 0) -> None:
        def driver(folder: Path) -> list[str]:
            return [sys.executable, "-I", "-S", str(DRIVER), str(folder), how, str(number)]

        monkeypatch.setattr(launchers, "driver", driver)

    return play_script


def start(store: Store, **more: object) -> Search:
    return api.start_search(store, SearchSpec.parse({**SPEC, **more}))


def until(supervisor: Supervisor, store: Store, search: Search, what: Callable[[Search], Any]) -> Search:
    """Rounds of the supervisor until `what` holds for the search."""
    deadline = time.monotonic() + 30
    while not what(now := store.searches.get(search.id)):
        assert time.monotonic() < deadline, (now, store.runs.trials(search.id), log_of(store, search))
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
    return store.runs.trials(search.id)


def states(store: Store, search: Search) -> list[RunState]:
    return [run.state for run in trials(store, search)]


def no_process(store: Store, search: Search) -> bool:
    return not processes.marked(launchers.mark(store.home, store.searches.get(search.id)))


def is_training(store: Store, number: int) -> Callable[[Search], bool]:
    return lambda search: len(trials(store, search)) == number and trials(store, search)[-1].state is R.RUNNING
