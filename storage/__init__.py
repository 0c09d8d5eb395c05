"""The store: what runs, searches and data sets there are, and what they measured. Knows SQLite; nothing else does."""

from storage.durations import duration_text
from storage.home import Home
from storage.migrations import NewerDatabase, PendingMigrations
from storage.records import (
    MOVES,
    SEARCH_MOVES,
    Checkpoint,
    Dataset,
    EngineStatus,
    Event,
    Extent,
    MetricPoint,
    Request,
    Run,
    RunState,
    Search,
    SearchState,
    Series,
    mode_of,
)
from storage.runs import ORDERS
from storage.store import Store, StoreBusy

__all__ = [
    "MOVES",
    "ORDERS",
    "SEARCH_MOVES",
    "Checkpoint",
    "Dataset",
    "EngineStatus",
    "Event",
    "Extent",
    "Home",
    "MetricPoint",
    "NewerDatabase",
    "PendingMigrations",
    "Request",
    "Run",
    "RunState",
    "Search",
    "SearchState",
    "Series",
    "Store",
    "StoreBusy",
    "duration_text",
    "mode_of",
]
