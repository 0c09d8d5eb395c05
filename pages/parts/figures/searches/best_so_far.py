"""Every trial's best value, and the best of all so far as a staircase, over trials or over time."""

from collections.abc import Sequence

from pages.parts.analysis.trials import Trial
from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette


def staircase(trials: Sequence[Trial], *, lowest: bool, began: float | None) -> list[tuple[float, float]]:
    """(place, best value so far) for each trial with a value, in order; see `place`."""
    found: list[tuple[float, float]] = []
    best: float | None = None
    for at, value, _ in sorted(_points(trials, began), key=lambda one: one[0]):
        best = value if best is None else min(best, value) if lowest else max(best, value)
        found.append((at, best))
    return found


def best_so_far(
    trials: Sequence[Trial], *, lowest: bool, percent: bool, began: float | None, palette: Palette
) -> Option:
    """The option of the chart.

    Args:
        trials: Those without a value are left out.
        lowest: Whether the smallest value is the best one.
        percent: Whether values are shares, to be shown in per cent.
        began: Unix seconds; trials then lie over minutes since. None: over their numbers.
        palette: The theme's colours.
    """
    factor = 100 if percent else 1
    points = _points(trials, began)
    stairs = staircase(trials, lowest=lowest, began=began)
    name = "trial" if began is None else "minutes"
    whole = [one for one in points if not one[2].is_pruned]
    pruned = [one for one in points if one[2].is_pruned]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 22, "containLabel": True},
        "legend": frame.legend(["best so far", "trials", "pruned"], palette),
        "tooltip": frame.tooltip(palette) | {"trigger": "item"},
        "xAxis": frame.steps(palette, None, None)
        | {
            "minInterval": 1 if began is None else 0,
            "name": name,
            "nameLocation": "middle",
            "nameGap": 24,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": frame.values(palette, unit=" %" if percent else "", from_zero=False),
        "series": [
            {
                "type": "line",
                "name": "best so far",
                "step": "end",
                "data": [[_short(at), _short(factor * value)] for at, value in stairs],
                "showSymbol": False,
                "lineStyle": {"color": palette.validation, "width": 2},
                "itemStyle": {"color": palette.validation},
                "emphasis": {"disabled": True},
                "tooltip": {"show": False},
                "z": 2,
            },
            _dots("trials", whole, factor, palette.train, 0.85, 8),
            _dots("pruned", pruned, factor, palette.muted, 0.5, 6),
        ],
    }


def _points(trials: Sequence[Trial], began: float | None) -> list[tuple[float, float, Trial]]:
    """(place, value, trial): a trial stands at its number, or at the minute it ended or was last heard of."""
    found = []
    for trial in trials:
        if trial.value is None:
            continue
        at = trial.run.ended_at or trial.run.progress_at or trial.run.started_at or trial.run.created_at
        found.append((float(trial.number) if began is None else (at - began) / 60, trial.value, trial))
    return found


def _dots(
    name: str, points: Sequence[tuple[float, float, Trial]], factor: float, colour: str, opacity: float, size: int
) -> Option:
    return {
        "type": "scatter",
        "name": name,
        "data": [
            {"value": [_short(at), _short(factor * value)], "name": trial.label, "id": trial.run.id}
            for at, value, trial in points
        ],
        "symbolSize": size,
        "itemStyle": {"color": colour, "opacity": opacity},
        "tooltip": {"formatter": "{b}: {c}"},
        "z": 3,
    }


def _short(value: float) -> float:
    return float(f"{value:.6g}")
