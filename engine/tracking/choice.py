"""Which trackers the home logs to: a choice for the home, not of a run, and no part of what a run is asked for."""

import time
from collections.abc import Collection
from importlib.util import find_spec

from engine.catalog.trackers import TRACKERS
from engine.errors import Problem, Refused, Unavailable
from engine.extras import EXTRA
from storage import Store

SETTING = "trackers"


def trackers(store: Store) -> dict[str, float]:
    """The trackers that are logged to, each with the time since when."""
    chosen: dict[str, float] = store.settings.get(SETTING, {})
    return {name: since for name, since in chosen.items() if name in TRACKERS}


def set_trackers(store: Store, names: Collection[str]) -> None:
    """Log runs to these from now on, those under way too; an empty choice ends it.

    Raises:
        Refused: There is no such tracker.
        Unavailable: Its package is not installed.
    """
    if unknown := [name for name in names if name not in TRACKERS]:
        allowed = f"must be one of {', '.join(TRACKERS)}"
        raise Refused([Problem("tracker", name, allowed) for name in unknown])
    for name in names:
        if not tracker_installed(name):
            raise Unavailable(f"{TRACKERS[name].label} needs its package {TRACKERS[name].package}: {EXTRA}")
    with store.transaction():
        before = trackers(store)
        store.settings.put(SETTING, {name: before.get(name, time.time()) for name in TRACKERS if name in names})


def tracker_installed(name: str) -> bool:
    return find_spec(TRACKERS[name].package) is not None
