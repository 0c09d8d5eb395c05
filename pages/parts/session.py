"""What a page shares with this server: the store, the run in the URL, the theme's colours, the address of a file."""

import hashlib

import streamlit as st

from engine import api
from engine.api import RunSpec, SearchSpec
from pages.parts.palette import Palette, palette_of
from storage import Checkpoint, Run, Store

RUN_PAGE = "pages/watch/run.py"
RESULTS_PAGE = "pages/watch/results.py"
NEW_RUN_PAGE = "pages/train/new_run.py"
COMPARE_PAGE = "pages/watch/compare.py"
RUNS_PAGE = "pages/watch/runs.py"
DATASETS_PAGE = "pages/data/datasets.py"
SEARCH_PAGE = "pages/watch/search.py"
SEARCHES_PAGE = "pages/watch/searches.py"
NEW_SEARCH_PAGE = "pages/train/new_search.py"


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The one store of this server."""
    return api.open_store()


def selected_run() -> str | None:
    """The id that `?run=` names; without one that of the run last looked at here, put back into the address."""
    named = st.query_params.get("run") or st.session_state.get("selected_run")
    if named:
        st.session_state["selected_run"] = named
        if st.query_params.get("run") != named:
            st.query_params["run"] = named
    return named


def open_run(run_id: str) -> None:
    """Leave this page for the run's own."""
    st.session_state["selected_run"] = run_id
    st.switch_page(RUN_PAGE, query_params={"run": run_id})


def selected_search() -> str | None:
    """As `selected_run`, for `?search=`."""
    named = st.query_params.get("search") or st.session_state.get("selected_search")
    if named:
        st.session_state["selected_search"] = named
        if st.query_params.get("search") != named:
            st.query_params["search"] = named
    return named


def open_search(search_id: str) -> None:
    """Leave this page for the search's own."""
    st.session_state["selected_search"] = search_id
    st.switch_page(SEARCH_PAGE, query_params={"search": search_id})


def palette() -> Palette:
    return palette_of(st.context.theme.type)


def wake_engine() -> None:
    """Start the supervisor if it is gone; say so when that fails."""
    try:
        api.ensure_supervisor(store().home)
    except api.Unavailable as error:
        st.error(str(error), icon=":material/power_off:")


def newest_run() -> str:
    """The id of the newest run when a Start button was drawn; see `start_key`."""
    return next((run.id for run in store().runs.list(archived=True, limit=1)), "none")


def newest_search() -> str:
    """As `newest_run`, of searches."""
    return next((search.id for search in store().searches.list(limit=1)), "none")


def start_key(spec: RunSpec | SearchSpec, drawn_on: str) -> str:
    """Pressing one Start button twice, or the same in two tabs, makes one run: the key is the same.

    Once the form is drawn again with a newer run (`drawn_on`) in the list, the same spec can be started once more.
    """
    return hashlib.sha256(f"{drawn_on}\n{spec.to_yaml(all_fields=True)}".encode()).hexdigest()


def base_url() -> str:
    """What addresses on this server begin with: "" unless it is served below a path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def download_link(checkpoint: Checkpoint) -> str:
    return f"{base_url()}/api/runs/{checkpoint.run_id}/checkpoints/{checkpoint.name}"


def run_link(run: Run) -> str:
    return f"{base_url()}/run?run={run.id}"


def search_link(search_id: str) -> str:
    return f"{base_url()}/search?search={search_id}"


def log_link(run: Run) -> str:
    return f"{base_url()}/api/runs/{run.id}/log"
