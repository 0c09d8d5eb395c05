"""What the Compare page shows parts of: the runs, what they came to, what sets them apart, who wears which colour."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pages.parts.analysis.comparison.differences import Difference
from pages.parts.analysis.comparison.groups import EACH, Group
from pages.parts.analysis.quantities import Quantity
from pages.parts.analysis.run_stats import RunStats
from pages.parts.palette import Palette, line_colours
from storage import Run

MOST_LINES = 24  # groups that are drawn in a colour of their own
DASHES = ("solid", "dashed", "dotted")  # for the theme's own colours, then those made of them
OF_MORE = 12  # of more than those, the best few


@dataclass(frozen=True, slots=True)
class Compared:
    """`groups` are lines and sides of the comparison; grouped by nothing, each run is one."""

    runs: tuple[Run, ...]
    names: Mapping[str, str]  # by run id; each stands for one run
    metric: str
    rows: Mapping[str, Quantity]
    apart: tuple[Difference, ...]
    stats: Mapping[str, RunStats]  # by run id
    setups: Mapping[str, int]  # by run id: the same for runs that differ in nothing but luck
    sources: Mapping[str, str | None]  # by run id: fingerprint of its images before any was excluded, where it matters
    by: str
    groups: tuple[Group, ...]
    token: Hashable  # another one: something is new

    @property
    def is_grouped(self) -> bool:
        return self.by != EACH

    def groups_of(self, runs: Iterable[Run]) -> list[Group]:
        """Those that any of these runs is in."""
        ids = {run.id for run in runs}
        return [group for group in self.groups if any(run.id in ids for run in group.runs)]

    def best_first(self, runs: Sequence[Run]) -> list[Run]:
        """Those without a value last."""
        best = self.rows["best"]

        def place(run: Run) -> tuple[bool, float]:
            value = best.value(self.stats[run.id])
            return value is None, 0.0 if value is None else value if best.lowest else -value

        return sorted(runs, key=place)


@dataclass(frozen=True, slots=True)
class Focus:
    """Who wears which colour, and which groups are drawn in theirs just now, all others behind them."""

    groups: tuple[Group, ...]
    colours: Mapping[str, str]  # by the key of a group
    of_runs: Mapping[str, str]  # by run id
    dashes: Mapping[str, str]  # by the key of a group
    is_chosen: bool  # by ticking rows, not as the best of too many


def focused(
    compared: Compared, shown: Sequence[Run], ticked: Sequence[str], worn: dict[str, int], palette: Palette
) -> Focus:
    """The groups of ticked runs are in focus, else those of all `shown`; of too many the best.

    Args:
        worn: Places of the colours that groups wear, by key, kept from one time to the next; changed here
            where two would wear the same.
    """
    marked = set(ticked)
    usual, chosen = _few(compared, shown), _few(compared, [run for run in compared.runs if run.id in marked])
    dressed = list({group.key: group for group in (*chosen, *usual)}.values())[:MOST_LINES]
    colours = line_colours(palette)
    dress([group.key for group in dressed], worn, len(colours))
    by_key = {group.key: colours[worn[group.key]] for group in dressed}
    of_runs = {run.id: by_key[group.key] for group in dressed for run in group.runs}
    dashes = {group.key: DASHES[worn[group.key] * len(DASHES) // len(colours)] for group in dressed}
    return Focus(tuple(chosen or usual), by_key, of_runs, dashes, bool(chosen))


def _few(compared: Compared, runs: Sequence[Run]) -> list[Group]:
    """The groups of these runs; of more than can be told apart the best."""
    groups = compared.groups_of(runs)
    if len(groups) <= MOST_LINES:
        return groups
    order = {run.id: place for place, run in enumerate(compared.best_first(compared.runs))}
    ranked = sorted(groups, key=lambda group: min(order[run.id] for run in group.runs))
    best = {group.key for group in ranked[:OF_MORE]}
    return [group for group in groups if group.key in best]


def dress(keys: Sequence[str], worn: dict[str, int], count: int) -> None:
    """Give each one of `count` colours: the one it wore, or the first that no other of them wears."""
    taken: set[int] = set()
    late = []
    for name in keys:
        if name in worn and worn[name] < count and worn[name] not in taken:
            taken.add(worn[name])
        else:
            late.append(name)
    for name in late:
        free = (place for place in range(count) if place not in taken)
        worn[name] = next(free, len(taken) % count)
        taken.add(worn[name])
