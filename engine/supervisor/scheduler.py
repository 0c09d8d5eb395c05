"""Whose turn it is: runs and searches wait in one queue, and each takes the slots that it needs once they are free."""

import time
from math import ceil
from typing import Any

from engine.catalog.strategies import STRATEGIES, processes_of
from engine.specs.search import on_a_gpu
from engine.supervisor.runs import ACTIVE, Running
from engine.supervisor.searches import WORKING, Searching
from storage import Run, Search, Store


class Scheduler:
    def __init__(self, store: Store, running: Running, searching: Searching) -> None:
        self._store, self._running, self._searching = store, running, searching

    def tick(self) -> None:
        """Launch what waits, oldest first, on slots that nothing takes."""
        waiting: list[Run | Search] = [*self._store.runs.queue(), *self._store.searches.queue()]
        if not waiting:
            return
        taken: list[Run | Search] = [
            *self._store.runs.list(states=ACTIVE, alone=True, limit=-1),
            *self._store.searches.list(states=WORKING, limit=-1),
        ]
        busy = {slot for one in taken for slot in (one.slot or "").split(",")}
        for one in sorted(waiting, key=lambda one: one.created_at):
            usable = _usable(one, self._running.slots)
            free = [slot for slot in usable if slot not in busy]
            least, most = _slots_needed(one, usable)
            if not usable or time.time() < one.not_before:
                continue
            if len(free) >= least:
                self._launch(one, ",".join(free[:most]))
            busy.update(free[:most])  # also those that wait for more: smaller ones would pass a large one for ever

    def _launch(self, one: Run | Search, slot: str) -> None:
        if isinstance(one, Search):
            self._searching.launch(one, slot)
        else:
            self._running.launch(one, slot)


def _usable(one: Run | Search, slots: tuple[str, ...]) -> list[str]:
    gpus = [slot for slot in slots if slot != "cpu"]
    match _spec(one)["device"]:
        case "cuda":
            return gpus
        case "auto" if gpus:
            return gpus
        case _:
            return ["cpu"]


def _slots_needed(one: Run | Search, usable: list[str]) -> tuple[int, int]:
    """(fewest, most) of the slots that it can use which it takes at once. A search makes do with what is free."""
    if isinstance(one, Search):
        at_once = one.spec["max_concurrent"] or one.num_trials
        return 1, max(1, min(len(usable), ceil(at_once / on_a_gpu(one.spec["gpus"]))))
    processes, row = one.spec["compute"]["processes"], STRATEGIES[one.spec["strategy"]]
    if usable == ["cpu"] or not row.every_gpu:
        return 1, 1
    takes_all = "processes" not in row.takes
    number = len(usable) if takes_all else min(len(usable), processes_of(one.spec["strategy"], processes, len(usable)))
    return number, number


def _spec(one: Run | Search) -> dict[str, Any]:
    spec: dict[str, Any] = one.spec["run"] if isinstance(one, Search) else one.spec
    return spec
