"""Loss over the learning rate, as the range test found it, with the rate to take over."""

from collections.abc import Sequence

from pages.parts.figures import frame
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette


def rate_finder(rates: Sequence[float], losses: Sequence[float], suggestion: float, *, palette: Palette) -> Option:
    """The rates' axis is logarithmic; a dashed line marks the suggestion.

    Args:
        rates: Learning rates that were tried, rising.
        losses: What each came to.
        suggestion: The rate to take over.
        palette: The theme's colours.
    """
    return {
        "animation": False,
        "grid": {"left": 4, "right": 14, "top": 24, "bottom": 20, "containLabel": True},
        "tooltip": {"show": False},
        "xAxis": {
            "type": "log",
            "min": rates[0],
            "max": rates[-1],
            "splitLine": {"show": False},
            "axisLabel": {"color": palette.muted, "fontSize": 11, "hideOverlap": True},
            "name": "learning rate",
            "nameLocation": "middle",
            "nameGap": 22,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": frame.values(palette, unit="", from_zero=False),
        "series": [
            {
                "type": "line",
                "name": "loss",
                "data": [[rate, float(f"{loss:.4g}")] for rate, loss in zip(rates, losses, strict=True)],
                "showSymbol": False,
                "lineStyle": {"width": 2, "color": palette.train},
                "itemStyle": {"color": palette.train},
                "emphasis": {"disabled": True},
            },
            {
                "type": "line",
                "name": "suggestion",
                "data": [[suggestion, min(losses)], [suggestion, max(losses)]],
                "symbol": "none",
                "lineStyle": {"width": 1.5, "color": palette.validation, "type": "dashed"},
                "endLabel": {"show": True, "formatter": f"{suggestion:g}", "color": palette.validation},
                "emphasis": {"disabled": True},
            },
        ],
    }
