"""Alternating measurement of several ways to do one thing: what one machine's noise does to one, it does to all."""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """Milliseconds over repeated rounds; `ratio` is this median over the first way's."""

    what: str
    way: str
    median_ms: float
    low_ms: float
    high_ms: float
    rounds: int
    ratio: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def alternate(what: str, ways: dict[str, Callable[[], object]], *, rounds: int) -> list[Figure]:
    """Time each way once a round, one after the other, after one round that does not count."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for round_ in range(rounds + 1):
        for way, do in ways.items():
            began = time.perf_counter()
            do()
            if round_:
                times[way].append((time.perf_counter() - began) * 1000)
    first = statistics.median(next(iter(times.values())))
    return [
        Figure(what, way, statistics.median(taken), min(taken), max(taken), rounds, statistics.median(taken) / first)
        for way, taken in times.items()
    ]


def print_table(figures: list[Figure]) -> None:
    """As Markdown, for docs/performance.md."""
    print("| what | way | median ms | lowest to highest | ratio |\n|---|---|---|---|---|")
    for one in figures:
        spread = f"{one.low_ms:.1f} to {one.high_ms:.1f}"
        print(f"| {one.what} | {one.way} | {one.median_ms:.1f} | {spread} | {one.ratio:.2f} |")
