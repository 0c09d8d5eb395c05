"""A run's page with 100,000 logged steps against one with 1,000: its data, and the whole page on the server."""

import os
import tempfile
from functools import partial
from pathlib import Path

from streamlit.testing.v1 import AppTest

from benchmarks.fill import add_run
from benchmarks.measure import Figure, alternate
from engine import api
from storage import Home, Run

APP = Path(__file__).parent.parent / "app.py"
SIZES = (1_000, 10_000, 100_000)


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["THAW_HOME"] = folder
        store = api.open_store(Home.find(folder))
        runs = {f"{steps:,} steps": add_run(store, steps=steps) for steps in SIZES}

        def read(run: Run) -> None:
            for name in store.metrics.names(run.id):
                store.metrics.series(run.id, name)
            store.metrics.last(run.id)

        figures = alternate(
            "reading all its metrics", {way: partial(read, run) for way, run in runs.items()}, rounds=15
        )
        pages = {way: _page(run) for way, run in runs.items()}
        figures += alternate("opening", {way: partial(_page, run) for way, run in runs.items()}, rounds=7)
        figures += alternate("refreshing", {way: page.run for way, page in pages.items()}, rounds=15)
        if api.engine_alive(store):  # a page has woken one in this home
            api.wait_for_request(store, api.shut_down(store).id)
    return figures


def _page(run: Run) -> AppTest:
    """The run's page, drawn by Streamlit without a browser."""
    page = AppTest.from_file(str(APP), default_timeout=60)
    page.query_params["run"] = run.id
    page.switch_page("pages/watch/run.py").run()
    assert not page.exception, page.exception
    return page
