"""Every page test gets a server's caches of its own, and a home that is calm or full."""

import pytest

from storage import Dataset, Run, Store
from tests.pages import seed, seed_datasets
from tests.pages.pages import fresh_store

__all__ = ["fresh_store"]


@pytest.fixture
def runs(store: Store) -> dict[str, Run]:
    return seed.full_home(store)


@pytest.fixture
def calm(store: Store) -> Store:
    """A home without runs, its engine awake."""
    seed.awake(store)
    return store


@pytest.fixture
def shapes(calm: Store) -> Dataset:
    return seed_datasets.shapes(calm)
