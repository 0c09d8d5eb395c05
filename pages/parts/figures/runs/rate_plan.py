"""Learning rates before the start: what schedule, stages and thawing make of them, over epochs."""

from collections.abc import Mapping, Sequence

from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette

Rates = Mapping[str, Sequence[tuple[float, float]]]  # name -> (epoch, rate), from when it learns


def rate_plan(rates: Rates, epochs: int, *, palette: Palette) -> Option:
    """One line a rate; the axis of rates is linear from 0, for schedules fall to it."""
    colours = (palette.train, palette.validation, *palette.others)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 30, "bottom": 20, "containLabel": True},
        "legend": frame.legend(list(rates), palette) | {"type": "scroll", "right": 0},
        "tooltip": frame.tooltip(palette)
        | {
            "axisPointer": {
                "label": {"formatter": "epoch {value}", "precision": 1},
                "lineStyle": {"color": palette.muted},
            }
        },
        "xAxis": frame.steps(palette, 0, epochs)
        | {
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 22,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": frame.values(palette, unit="", from_zero=True),
        "series": [
            {
                "type": "line",
                "name": name,
                "data": [[round(epoch, 3), float(f"{rate:.4g}")] for epoch, rate in points],
                "showSymbol": False,
                "lineStyle": {"width": 2, "color": colours[place % len(colours)]},
                "itemStyle": {"color": colours[place % len(colours)]},
                "emphasis": {"disabled": True},
                "tooltip": {"valueFormatter": "%.3g"},
            }
            for place, (name, points) in enumerate(rates.items())
        ],
    }
