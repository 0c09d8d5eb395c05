"""Caches are seen with their size and limit, and cleared without harm to who reads or makes them."""

import fcntl
from pathlib import Path

import numpy as np
import pytest

from engine import api
from engine.caches.limits import features_bytes
from engine.supervisor.cleanup import remove_leftovers
from storage import Store


def laid(store: Store) -> Path:
    folder = store.home.cache / "features"
    folder.mkdir(parents=True)
    np.save(folder / "a.npy", np.arange(1000, dtype=np.int64))
    (folder / "b.tmp").write_bytes(b"being made")
    (folder / "b.lock").touch()
    made = store.home.cache / "previews" / "abc"
    made.mkdir(parents=True)
    (made / "result.json").write_text("{}")
    return folder


def test_sizes_counts_and_the_limit_of_features(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_FEATURES_GB", "0.5")
    laid(store)
    found = {one.key: one for one in api.list_caches(store)}
    assert (found["features"].bytes, found["features"].count) == (8128, 1)
    assert found["features"].limit == features_bytes() == 500_000_000
    assert (found["images"].count, found["images"].limit) == (0, None)
    assert found["previews"].bytes == 2


def test_clearing_leaves_what_is_being_made_and_who_reads_reads_on(store: Store) -> None:
    folder = laid(store)
    reading = np.load(folder / "a.npy", mmap_mode="r")
    assert api.clear_cache(store, "features") == 8128
    assert sorted(path.name for path in folder.iterdir()) == ["b.lock", "b.tmp"]
    assert reading[999] == 999
    assert api.clear_cache(store, "previews") == 2
    assert not list((store.home.cache / "previews").iterdir())


def test_what_nobody_makes_any_more_is_removed(store: Store) -> None:
    folder = laid(store)
    with (folder / "b.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_leftovers(store)
        assert (folder / "b.tmp").exists()
    remove_leftovers(store)
    assert sorted(path.name for path in folder.iterdir()) == ["a.npy", "b.lock"]


def test_an_unknown_cache_is_no_folder(store: Store) -> None:
    with pytest.raises(KeyError):
        api.clear_cache(store, "../runs")
