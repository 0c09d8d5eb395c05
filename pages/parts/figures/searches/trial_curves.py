"""Validation of all trials over epochs in five lines at most, however many trials."""

from collections.abc import Mapping, Sequence

from pages.parts.analysis.trials import Trial
from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette

Curve = Sequence[tuple[float, float | None]]  # (epoch, value)
GAP = [None, None]


def trial_curves(
    trials: Sequence[Trial], curves: Mapping[str, Curve], *, best: str | None, percent: bool, palette: Palette
) -> Option:
    """Those that ended early are dimmed.

    Args:
        trials: Those without a curve are left out.
        curves: By run id.
        best: The run id of the one that stands out.
        percent: Whether values are shares, to be shown in per cent.
        palette: The theme's colours.
    """
    groups: dict[str, list[Trial]] = {"pruned": [], "stopped or failed": [], "trials": [], "under way": [], "best": []}
    for trial in trials:
        if curves.get(trial.run.id):
            groups[_group(trial, best)].append(trial)
    styles = {
        "pruned": (palette.muted, 1.0, 0.22),
        "stopped or failed": (palette.muted, 1.0, 0.4),
        "trials": (palette.train, 1.2, min(0.5, 0.08 + 20 / max(1, len(groups["trials"])))),
        "under way": (palette.busy, 1.8, 0.95),
        "best": (palette.validation, 2.8, 1.0),
    }
    factor = 100 if percent else 1
    # a few points each need marks: a trial pruned after its first epoch is a point and no line
    dots = sum(len(curves[trial.run.id]) for group in groups.values() for trial in group) <= 400
    shown = [name for name, members in groups.items() if members]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 34, "bottom": 22, "containLabel": True},
        "legend": frame.legend(shown[::-1], palette),
        "tooltip": {"show": False},
        "xAxis": frame.steps(palette, None, None)
        | {
            "minInterval": 1,
            "min": "dataMin",
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 24,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": frame.values(palette, unit=" %" if percent else "", from_zero=False),
        "series": [
            _line(name, [curves[trial.run.id] for trial in groups[name]], factor, *styles[name], place, dots=dots)
            for place, name in enumerate(groups)
            if groups[name]
        ],
    }


def _group(trial: Trial, best: str | None) -> str:
    if trial.run.id == best:
        return "best"
    if not trial.run.state.is_over:
        return "under way"
    if trial.is_pruned:
        return "pruned"
    return "trials" if str(trial.run.state) == "finished" else "stopped or failed"


def _line(
    name: str,
    members: Sequence[Curve],
    factor: float,
    colour: str,
    width: float,
    opacity: float,
    place: int,
    *,
    dots: bool,
) -> Option:
    data: list[list[float | None]] = []
    for curve in members:
        data += [[x, None if y is None else float(f"{factor * y:.6g}")] for x, y in curve]
        data.append(list(GAP))
    return {
        "type": "line",
        "name": name,
        "data": data[:-1],
        "showSymbol": dots,
        "symbol": "circle",
        "symbolSize": 4 if name != "best" else 6,
        "connectNulls": False,
        "lineStyle": {"color": colour, "width": width, "opacity": opacity},
        "itemStyle": {"color": colour, "opacity": opacity},
        "emphasis": {"disabled": True},
        "silent": True,
        "z": 2 + place,
    }
