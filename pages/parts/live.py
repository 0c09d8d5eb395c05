"""Parts of a page that move while something moves, and rest when nothing does."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import streamlit as st

from pages.parts.session import store
from storage import Run

Made = TypeVar("Made")

FAST_S = 2.0  # progress, numbers
CHARTS_S = 3.0
MOST_FIGURES = 200  # of all viewers together


def live(body: Callable[[], None], *, every_s: float | None) -> None:
    """Draw `body` now, and again every `every_s` seconds while a browser looks; None draws it once."""
    st.fragment(body, run_every=every_s)()


def pace(run: Run, every_s: float = FAST_S) -> float | None:
    """How often a run's page looks for news: never once the run is over and nothing more is asked of it."""
    is_awaited = any(request.target == run.id for request in store().requests.open())
    return None if run.state.is_over and not is_awaited else every_s


def for_all(key: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gave for this very key, to whichever viewer first: ten who watch one run cost little more than one.

    The key tells all that it is made of; what is made belongs to all, and nobody changes it.
    """
    made: Made = _made(key, make)
    return made


@st.cache_resource(max_entries=MOST_FIGURES, show_spinner=False)
def _made(key: Hashable, _make: Callable[[], Any]) -> Any:
    return _make()


def unless_new(key: str, token: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` gave last, made again only when `token` differs: the same figure leaves the browser's as it is."""
    held = st.session_state.get(key)
    if held is None or held[0] != token:
        held = (token, make())
        st.session_state[key] = held
    made: Made = held[1]
    return made
