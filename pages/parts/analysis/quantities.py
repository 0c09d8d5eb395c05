"""What a run can be measured by, one row each: columns of tables, axes of charts, words of the comparison."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pages.parts import formatting
from pages.parts.analysis.comparison.differences import Difference
from pages.parts.analysis.run_stats import RunStats
from storage import Run

MIB_IN_MB = 2**20 / 1e6


@dataclass(frozen=True, slots=True)
class Quantity:
    """`value` is in `unit`; `told` says it in words. `lowest`: less of it is better; None: neither end is.

    `among`: values are comparable only among runs of which this is alike.
    """

    key: str
    label: str
    unit: str
    value: Callable[[RunStats], float | None]
    text: Callable[[float | None], str]
    lowest: bool | None = False
    decimals: int = 1
    among: Callable[[RunStats], str | None] | None = None

    def is_alike(self, stats: Sequence[RunStats]) -> bool:
        """Whether the values of these can be compared, or make a mean."""
        return self.among is None or len({self.among(one) for one in stats}) < 2


def quantities(metric: str) -> dict[str, Quantity]:
    """All that is known of any run, by key; "best" and "last" are of `metric`."""
    percent = metric.endswith("/accuracy")
    factor, unit = (100, "%") if percent else (1, "")
    name, lowest = formatting.metric(metric), metric.endswith("loss")

    def text(value: float | None) -> str:
        return formatting.of_metric(metric, None if value is None else value / factor)

    rows = (
        Quantity("best", f"Best {name.lower()}", unit, _times(factor, "best"), text, lowest, 1 if percent else 4),
        Quantity("last", f"Last {name.lower()}", unit, _times(factor, "last"), text, lowest, 1 if percent else 4),
        Quantity("gap", "Gap (training above validation)", "points", _times(100, "gap"), _points, None),
        Quantity("seconds", "Time", "s", _times(1, "seconds"), formatting.duration, True, 0, _device),
        Quantity("images_per_s", "Images a second", "img/s", _times(1, "images_per_s"), _pace, False, 0, _device),
        Quantity("memory", "Peak memory", "MB", _times(MIB_IN_MB, "memory_mb"), _memory, True, 0, _memory_of),
        Quantity("parameters", "Parameters", "", _times(1, "parameters"), _count, True, 0),
        Quantity("learning", "Parameters that learn", "", _times(1, "learning_parameters"), _count, True, 0),
        Quantity("checkpoint", "Checkpoint size", "MB", _times(1e-6, "checkpoint_bytes"), _memory, True, 1),
        Quantity("epoch", "Best epoch", "", _times(1, "best_epoch"), _count, True, 0),
    )
    return {one.key: one for one in rows}


def of_settings(runs: Sequence[Run], apart: Sequence[Difference]) -> dict[str, Quantity]:
    """Settings that are numbers, as quantities of the runs, by path."""
    found = {}
    for one in apart:
        if are_numbers(one.raw):
            by_run = {run.id: value for run, value in zip(runs, one.raw, strict=True)}
            found[one.path] = Quantity(one.path, one.label, "", _setting(by_run), formatting.number, None, 6)
    return found


def are_numbers(values: Sequence[object]) -> bool:
    """Numbers or nothing, all of them; yes and no are no numbers."""
    return all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in values)


def known(rows: Sequence[Quantity], stats: Sequence[RunStats]) -> list[Quantity]:
    """Those of which two runs at least have a value."""
    return [row for row in rows if sum(row.value(one) is not None for one in stats) > 1]


def _times(factor: float, field: str) -> Callable[[RunStats], float | None]:
    def value(one: RunStats) -> float | None:
        found: float | None = getattr(one, field)
        return None if found is None else factor * found

    return value


def _setting(by_run: dict[str, float | None]) -> Callable[[RunStats], float | None]:
    return lambda one: by_run.get(one.run.id)


def _device(one: RunStats) -> str | None:
    return one.run.device


def _memory_of(one: RunStats) -> str:
    return one.memory_of


def _points(value: float | None) -> str:
    return formatting.DASH if value is None else f"{value:+.1f} points"


def _pace(value: float | None) -> str:
    return formatting.of_metric("speed/images_per_s", value)


def _memory(megabytes: float | None) -> str:
    return formatting.size(None if megabytes is None else megabytes * 1e6)


def _count(value: float | None) -> str:
    return formatting.DASH if value is None else formatting.millions(int(value))
