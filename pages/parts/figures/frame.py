"""What stands around the lines of every live curve: legend, tooltip, brush and axes, as parts of an ECharts option."""

from collections.abc import Sequence
from typing import Any

from pages.parts.palette import Palette

Option = dict[str, Any]  # of ECharts: that of a whole chart, or a part of one


def legend(names: Sequence[str], palette: Palette) -> Option:
    return {
        "data": list(names),
        "show": len(names) > 1,
        "left": 0,
        "top": 0,
        "itemWidth": 12,
        "itemHeight": 8,
        "icon": "roundRect",
        "textStyle": {"color": palette.muted, "fontSize": 11.5},
    }


def tooltip(palette: Palette) -> Option:
    return {
        "trigger": "axis",
        "confine": True,
        "backgroundColor": palette.background,
        "borderColor": palette.line,
        "textStyle": {"color": palette.text, "fontSize": 12},
        "axisPointer": {
            "label": {"formatter": "step {value}", "precision": 0},
            "lineStyle": {"color": palette.muted},
        },
    }


def toolbox(palette: Palette) -> Option:
    return {
        "right": 0,
        "top": -4,
        "itemSize": 13,
        "iconStyle": {"borderColor": palette.muted},
        "feature": {"brush": {"type": ["lineX"], "title": {"lineX": "Drag over steps to zoom"}}},
    }


def brush(palette: Palette) -> Option:
    return {
        "xAxisIndex": "all",  # without an axis the brushed steps would not be told
        "brushStyle": {"color": palette.train + "22", "borderColor": palette.train, "borderWidth": 1},
        "outOfBrush": {"colorAlpha": 1},
    }


def steps(palette: Palette, first: int | None, last: int | None) -> Option:
    """The axis of training steps between `first` and `last`; its odd ends wear no number."""
    label = {**_label(palette), "showMinLabel": not first, "showMaxLabel": False}
    end = "dataMax" if last is None else last
    return {"type": "value", "min": first or 0, "max": end, "splitLine": {"show": False}, **_bare(), "axisLabel": label}


def values(palette: Palette, *, unit: str, from_zero: bool) -> Option:
    return {
        "type": "value",
        "scale": not from_zero,
        "splitNumber": 4,
        "splitLine": {"lineStyle": {"color": palette.line}},
        **_bare(),
        "axisLabel": {**_label(palette), "formatter": "{value}" + unit},
    }


def _bare() -> Option:
    return {"axisLine": {"show": False}, "axisTick": {"show": False}}


def _label(palette: Palette) -> Option:
    return {"color": palette.muted, "fontSize": 11, "hideOverlap": True}
