"""Pages driven without a browser, on a real store in a home of the test's own."""

from collections.abc import Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

HOME = None  # app.py's default page
RUNS = "pages/watch/runs.py"
COMPARE = "pages/watch/compare.py"
RUN = "pages/watch/run.py"
RESULTS = "pages/watch/results.py"
NEW_RUN = "pages/train/new_run.py"
DATASETS = "pages/data/datasets.py"
MACHINE = "pages/system/machine.py"
LAB = "pages/system/lab.py"
NEW_SEARCH = "pages/train/new_search.py"
SEARCHES = "pages/watch/searches.py"
SEARCH = "pages/watch/search.py"
EVERY = (HOME, RUNS, COMPARE, RUN, RESULTS, NEW_RUN, NEW_SEARCH, SEARCHES, SEARCH, DATASETS, MACHINE, LAB)


def opened(page: str | None, /, **query: str) -> AppTest:
    """The page of a new session, drawn once without an error."""
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    app.run()
    for name, value in query.items():
        app.query_params[name] = value
    if page is not None:
        app.switch_page(page)
    return fine(app.run())


def fine(app: AppTest) -> AppTest:
    assert not app.exception, [(one.value, one.stack_trace) for one in app.exception]
    return app


def texts(app: AppTest) -> str:
    """All that a person reads in running text."""
    kinds = (app.title, app.markdown, app.caption, app.error, app.warning, app.info, app.text)
    return "\n".join(str(one.value) for kind in kinds for one in kind)


def read(app: AppTest) -> str:
    """The same as it looks: without what keeps Markdown from being read as such."""
    return texts(app).replace("\\", "").replace("\u2060", "")


def keys(app: AppTest) -> set[str]:
    """Keys of all buttons."""
    return {one.key for one in app.button if one.key}


@pytest.fixture(autouse=True)
def fresh_store() -> Iterator[None]:
    """The pages keep their store for the life of a server: each test is a server of its own."""
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
