"""What the benchmarks measure pages with: clients that speak Streamlit's protocol get whole pages, and their news."""

import asyncio

from benchmarks.fill import add_run, add_runs
from benchmarks.scale import Training
from benchmarks.viewer import Viewer
from storage import Home, RunState, Store
from tests.pages.seed import awake
from tests.server import serving


def test_viewers_get_whole_pages_and_what_is_new_in_them(home: Home, store: Store) -> None:
    awake(store)
    add_runs(store, 20, steps=20)
    training = Training(store, add_run(store, steps=100, name="live", state=RunState.RUNNING))

    async def view_page(port: int) -> None:
        listed, watched = Viewer(port, "runs"), Viewer(port, "run", f"run={training.run.id}")
        await listed.open()
        assert listed.received > 5_000
        await watched.open()
        assert len(await watched.refresh()) >= 4  # the engine's card, progress and numbers, charts, what happened
        before = watched.received
        training.goes_on()
        await watched.watch(3.5)
        assert watched.refreshes_s and watched.received > before
        assert not listed.problems + watched.problems
        await listed.close()
        await watched.close()

    with serving(home) as server:
        asyncio.run(view_page(server.port))
