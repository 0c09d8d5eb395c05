"""Pages at size, on a real server: what a browser's connection waits for, and what ten of them cost."""

import asyncio
import os
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.fill import add_run, add_runs, point
from benchmarks.measure import Figure
from benchmarks.viewer import Viewer
from engine import api
from storage import Home, Run, RunState, Store
from tests.pages.seed import awake
from tests.server import Server, serving

RUNS, COMPARED, POINTS = 1_000, 50, 10_000
SIZES = (10, 100, 1_000, 10_000)  # runs in the store
VIEWERS, WINDOW_S, WINDOWS = 10, 10.0, 6
STEPS_S = 20  # of the live run, told once a second as the supervisor does
ROUNDS = 9
CURVES = "compare_look=Curves&compare_metric=Training%20loss&compare_axis=Steps"


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        home = _home(Path(folder) / "large")
        store = api.open_store(home)
        awake(store)
        add_runs(store, RUNS - COMPARED - 1)
        compared = _compared(store)
        live = Training(store, add_run(store, steps=2_000, name="live", state=RunState.RUNNING))
        at_once = Training(store, compared[-1])
        named = f"runs={','.join(run.id for run in compared)}"
        pages = (
            (f"Runs page, {RUNS:,} runs", "runs", "", live),
            (f"Compare page, {COMPARED} runs, what made a difference", "compare", named, at_once),
            (f"Compare page, {COMPARED} curves of {POINTS:,} points", "compare", f"{named}&{CURVES}", at_once),
            (f"run page, {RUNS:,} runs", "run", f"run={live.run.id}", live),
        )
        with serving(home) as server:
            figures = [one for page in pages for one in asyncio.run(_opened(server, *page))]
            figures.append(asyncio.run(_watched(server, live)))
        return figures + _growth(Path(folder))


def _compared(store: Store) -> list[Run]:
    """Of unlike settings, so that each is a line of its own; one still trains, so that the page refreshes itself."""
    states = [RunState.FINISHED] * (COMPARED - 1) + [RunState.RUNNING]
    return [
        add_run(store, steps=POINTS, name=f"long {number}", state=state, optimisation={"learning_rate": 1e-4 * number})
        for number, state in enumerate(states, start=1)
    ]


class Training:
    """A run that trains: new points come once a second, as when the supervisor takes them in."""

    def __init__(self, store: Store, run: Run) -> None:
        self.run = run
        self._store, self._step, self._began, self._chance = store, run.step, time.time(), random.Random(1)

    def goes_on(self) -> None:
        steps = range(self._step + 1, self._step + STEPS_S + 1)
        self._step += STEPS_S
        summary = [("train/loss", step) for step in steps]
        summary += [(name, self._step) for name in ("speed/images_per_s", "memory/rss_mb")]
        points = [point(name, step, 100_000, 100, self._began, self._chance.random()) for name, step in summary]
        with self._store.transaction():
            self._store.metrics.add(self.run.id, points)
            done = {"step": self._step, "steps": 100_000, "offset": self._step, "eta_s": 60.0}
            self._store.runs.update(self.run.id, **done, progress_at=time.time())

    async def goes_on_and_on(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.goes_on()


async def _opened(server: Server, what: str, page: str, query: str, training: Training) -> list[Figure]:
    """First view by a new session of a server that is warm, and one refresh of all its parts once there is news."""
    first, refreshed = [], []
    for round_ in range(ROUNDS + 1):
        viewer = Viewer(server.port, page, query)
        opened = await viewer.open()
        training.goes_on()
        parts = await viewer.refresh()
        await viewer.close()
        assert parts and not viewer.problems, viewer.problems
        if round_:
            first.append(1000 * opened)
            refreshed.append(1000 * sum(parts))
    return [_figure(what, "first view", first), _figure(what, "refresh of all its parts", refreshed)]


async def _watched(server: Server, training: Training) -> Figure:
    """Processor time of the server for each second in which viewers watch a run that trains."""
    viewers = [Viewer(server.port, "run", f"run={training.run.id}") for _ in range(VIEWERS)]
    for viewer in viewers:
        await viewer.open()
    going_on = asyncio.create_task(training.goes_on_and_on())
    shares = []
    for _ in range(WINDOWS):
        before, began = _cpu_s(server), time.monotonic()
        await asyncio.gather(*(viewer.watch(WINDOW_S) for viewer in viewers))
        shares.append(1000 * (_cpu_s(server) - before) / (time.monotonic() - began))
    going_on.cancel()
    for viewer in viewers:
        assert viewer.refreshes_s and not viewer.problems, viewer.problems
        await viewer.close()
    return _figure(f"{VIEWERS} viewers of a live run", "processor time a second", shares)


def _growth(folder: Path) -> list[Figure]:
    """Opening the same run's page in homes of all sizes, taking turns."""
    with ExitStack() as stack:
        pages = {}
        for size in SIZES:
            home = _home(folder / str(size))
            store = api.open_store(home)
            awake(store)
            add_runs(store, size - 1, steps=40)
            run = add_run(store, steps=1_000)
            pages[f"{size:,} runs"] = stack.enter_context(serving(home)), f"run={run.id}"
        return asyncio.run(_take_turns("opening a run's page", pages))


async def _take_turns(what: str, pages: dict[str, tuple[Server, str]]) -> list[Figure]:
    times: dict[str, list[float]] = {way: [] for way in pages}
    for round_ in range(ROUNDS + 1):
        for way, (server, query) in pages.items():
            viewer = Viewer(server.port, "run", query)
            opened = await viewer.open()
            await viewer.close()
            if round_:
                times[way].append(1000 * opened)
    first = statistics.median(next(iter(times.values())))
    return [_figure(what, way, taken, first) for way, taken in times.items()]


def _figure(what: str, way: str, taken: list[float], first: float | None = None) -> Figure:
    median = statistics.median(taken)
    return Figure(what, way, median, min(taken), max(taken), len(taken), median / (first or median))


def _home(folder: Path) -> Home:
    os.environ["THAW_HOME"] = str(folder)
    return Home.find(folder)


def _cpu_s(server: Server) -> float:
    times = server.process.cpu_times()
    return float(times.user + times.system)
