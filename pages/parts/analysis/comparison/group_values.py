"""What the sentences of a comparison are about: groups with their values, and how names and values are set. Pure."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from pages.parts import formatting
from pages.parts.analysis.comparison.groups import Group
from pages.parts.analysis.comparison.settings_table import dot
from pages.parts.analysis.comparison.tables import values_of
from pages.parts.analysis.quantities import Quantity
from pages.parts.analysis.run_stats import RunStats
from pages.parts.palette import Palette


@dataclass(frozen=True, slots=True)
class Style:
    """How names are set in a kind of text."""

    strong: Callable[[str], str]
    soft: Callable[[str], str]


PLAIN = Style(str, str)


def painted(colours: Mapping[str, str], palette: Palette) -> Style:
    """For HTML: names beside the colours they wear."""
    return Style(
        lambda name: (
            f'<span style="white-space:nowrap">{dot(colours.get(name), palette)}</span><b>{html.escape(name)}</b>'
        ),
        lambda name: f"<i>{html.escape(name)}</i>",
    )


@dataclass(frozen=True, slots=True)
class GroupValues:
    """A group with its values, in the unit of its quantity."""

    group: Group
    values: list[float]

    @property
    def mean(self) -> float:
        return fmean(self.values)


def ranked(groups: Sequence[Group], stats: Mapping[str, RunStats], best: Quantity) -> list[GroupValues]:
    """Groups that have a value, the best mean first."""
    found = [GroupValues(group, values_of(group, stats, best)) for group in groups]
    return sorted((one for one in found if one.values), key=lambda one: one.mean, reverse=not best.lowest)


def gap_of(first: float, second: float, best: Quantity) -> str | None:
    """In words; None when there is none to speak of."""
    gap = abs(first - second)
    if best.text(first) == best.text(second):
        return None
    if best.unit == "%":
        return None if gap < 0.05 else f"{gap:.1f} {'point' if f'{gap:.1f}' == '1.0' else 'points'}"
    return None if gap < 1e-9 else formatting.number(float(f"{gap:.2g}"))


def shown(one: GroupValues, best: Quantity) -> str:
    if len(one.values) == 1:
        return best.text(one.values[0])
    low, high = best.text(min(one.values)), best.text(max(one.values))
    return f"{best.text(one.mean)} on average of {len(one.values)} runs ({low} to {high})"


def listed(parts: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
