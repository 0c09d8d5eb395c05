"""When each stage of a network learns: a row a stage, the head on top, frozen until it thaws."""

from collections.abc import Mapping
from typing import Any

from pages.parts.figures.frame import Option
from pages.parts.palette import Palette

ROW_PX = 26


def thaw_plan(plan: Mapping[str, int | None], epochs: int, *, palette: Palette) -> Option:
    """`plan` as `RunSpec.thaw_plan`: from input to head, the epoch in which a stage thaws; None is never."""
    frozen = [epochs if thaws is None else min(thaws, epochs) for thaws in plan.values()]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 12, "top": 28, "bottom": 20, "containLabel": True},
        "legend": {
            "data": ["frozen", "learns"],
            "left": 0,
            "top": 0,
            "itemWidth": 12,
            "itemHeight": 8,
            "icon": "roundRect",
            "selectedMode": False,
            "textStyle": {"color": palette.muted, "fontSize": 11.5},
        },
        "tooltip": {"show": False},
        "xAxis": {
            "type": "value",
            "min": 0,
            "max": epochs,
            "minInterval": 1,
            "splitLine": {"lineStyle": {"color": palette.line}},
            "axisLabel": {"color": palette.muted, "fontSize": 11, "formatter": "{value}", "hideOverlap": True},
            "name": "epoch",
            "nameLocation": "middle",
            "nameGap": 22,
            "nameTextStyle": {"color": palette.muted, "fontSize": 11},
        },
        "yAxis": {
            "type": "category",
            "data": list(plan),
            "axisLine": {"show": False},
            "axisTick": {"show": False},
            "axisLabel": {"color": palette.text, "fontSize": 11.5, "interval": 0},
        },
        "series": [
            _bars("frozen", frozen, palette.line, palette),
            _bars("learns", [epochs - until for until in frozen], palette.train, palette, _starts(plan, epochs)),
        ],
    }


def height(plan: Mapping[str, int | None]) -> int:
    """Pixels that the figure needs."""
    return 84 + ROW_PX * len(plan)


def _starts(plan: Mapping[str, int | None], epochs: int) -> list[str]:
    """What stands in each stage's bar, where it begins to learn."""
    return [f"from epoch {thaws + 1}" if thaws is not None and 0 < thaws < epochs else "" for thaws in plan.values()]


def _bars(name: str, lengths: list[int], colour: str, palette: Palette, words: list[str] | None = None) -> Option:
    data: list[Any] = [
        {"value": length, "label": {"show": bool(text), "formatter": text}}
        for length, text in zip(lengths, words or [""] * len(lengths), strict=True)
    ]
    return {
        "type": "bar",
        "name": name,
        "stack": "epochs",
        "barWidth": ROW_PX - 10,
        "data": data,
        "itemStyle": {"color": colour, "borderRadius": 3},
        "label": {"position": "insideLeft", "color": palette.background, "fontSize": 11, "fontWeight": 600},
        "emphasis": {"disabled": True},
    }
