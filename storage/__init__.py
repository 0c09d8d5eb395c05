"""The store: what runs, searches and data sets there are, and what they measured. Knows SQLite; nothing else does."""

from storage.home import Home
from storage.migrations import NewerDatabase, PendingMigrations
from storage.records import (
    MOVES,
    Checkpoint,
    Dataset,
    EngineStatus,
    Event,
    MetricPoint,
    Request,
    Run,
    RunState,
    Search,
    Series,
)
from storage.store import Store, StoreBusy

__all__ = [
    "MOVES",
    "Checkpoint",
    "Dataset",
    "EngineStatus",
    "Event",
    "Home",
    "MetricPoint",
    "NewerDatabase",
    "PendingMigrations",
    "Request",
    "Run",
    "RunState",
    "Search",
    "Series",
    "Store",
    "StoreBusy",
]
