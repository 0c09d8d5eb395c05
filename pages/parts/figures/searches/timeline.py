"""When each trial was at work: a bar a trial, in as few rows as there were at once."""

from collections.abc import Mapping, Sequence

from pages.parts.analysis.trials import Trial, lanes
from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette

ROW_PX = 30
KINDS = ("finished", "under way", "pruned", "failed", "stopped")


def timeline(trials: Sequence[Trial], *, began: float, now: float, palette: Palette) -> Option:
    """One thick line a kind of trial, with gaps between its bars.

    Args:
        trials: Those that have not begun are left out.
        began: Unix seconds from which minutes are counted.
        now: Unix seconds at which what is under way ends.
        palette: The theme's colours.
    """
    rows = lanes(trials, now)
    count = max(rows.values(), default=0) + 1
    shown = [trial for trial in trials if trial.run.id in rows]
    latest = max((trial.run.ended_at or now for trial in shown), default=now)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 22, "containLabel": True},
        "legend": frame.legend([kind for kind in KINDS if any(_kind(one) == kind for one in shown)], palette)
        | {"show": True},
        "tooltip": frame.tooltip(palette) | {"trigger": "item"},
        "xAxis": frame.steps(palette, None, None)
        | {
            "max": float(f"{max((latest - began) / 60, 0.1):.4g}"),
            "name": "minutes",
            "nameLocation": "middle",
            "nameGap": 24,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": {
            "type": "category",
            "data": [str(row + 1) for row in range(count)],
            "inverse": True,
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {"color": palette.muted, "fontSize": 11},
        },
        "series": [
            series
            for kind in KINDS
            if (members := [one for one in shown if _kind(one) == kind])
            for series in _bars(kind, members, rows, began, now, palette)
        ],
    }


def height(trials: Sequence[Trial], now: float) -> int:
    """Pixels that the figure needs."""
    return 92 + ROW_PX * min(16, max(lanes(trials, now).values(), default=0) + 1)


def _kind(trial: Trial) -> str:
    if trial.is_pruned:
        return "pruned"
    return str(trial.run.state) if trial.run.state.is_over else "under way"


def _bars(
    kind: str, members: Sequence[Trial], rows: Mapping[str, int], began: float, now: float, palette: Palette
) -> list[Option]:
    colour = {
        "finished": palette.train,
        "under way": palette.busy,
        "pruned": palette.waiting,
        "failed": palette.bad,
    }.get(kind, palette.validation)
    bars: list[list[float | None]] = []
    middles = []
    for trial in members:
        start, end = _minutes(trial.run.started_at or began, began), _minutes(trial.run.ended_at or now, began)
        lane = rows[trial.run.id]
        bars += [[start, lane], [end, lane], [None, None]]
        middles.append({"value": [round((start + end) / 2, 4), lane], "name": _label(trial, end - start)})
    shared: Option = {"name": kind, "itemStyle": {"color": colour}}
    return [
        shared
        | {
            "type": "line",
            "data": bars[:-1],
            "showSymbol": False,
            "connectNulls": False,
            "silent": True,
            "lineStyle": {"color": colour, "width": 14, "opacity": 0.45 if kind == "pruned" else 0.8, "cap": "butt"},
            "emphasis": {"disabled": True},
            "tooltip": {"show": False},
        },
        # a line tells nothing of its parts: an unseen mark in the middle of each bar does
        shared
        | {
            "type": "scatter",
            "data": middles,
            "symbol": "rect",
            "symbolSize": 14,
            "itemStyle": {"color": colour, "opacity": 0},
            "tooltip": {"formatter": "{b}"},
        },
    ]


def _label(trial: Trial, minutes: float) -> str:
    length = f"{60 * minutes:.0f} s" if minutes < 2 else f"{minutes:.1f} min"
    return f"{trial.label}: {trial.state_word}, {length}"


def _minutes(at: float, began: float) -> float:
    return round((at - began) / 60, 4)
