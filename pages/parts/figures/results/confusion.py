"""A confusion matrix as tiles that can be clicked: what is right in one colour, what is wrong in another."""

from collections.abc import Sequence

import numpy as np

from pages.parts import formatting
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette, mixed

Cell = tuple[int, int]  # true class, guess

FAINT = 1 / 3  # where the fainter end of a colour stands between "nothing" 0 and the strongest 1
GRAVE = 0.1  # share of a class that is a strong mistake in any case: two images of forty are none
STRONG = 0.6  # share of the strongest tile from which its number is written in the ground's colour
PHONE = 420  # pixels
ROOM = {True: 96, False: 136}  # pixels that a class name may take, by whether it is a phone


def cells(matrix: np.ndarray, shown: Sequence[int]) -> list[Cell]:
    """Those of a matrix (classes, classes), int64, that hold images, in the order that a click tells them by."""
    return [(true, guess) for true in shown for guess in shown if matrix[true, guess]]


def confusion_map(
    matrix: np.ndarray,
    classes: Sequence[str],
    shown: Sequence[int],
    *,
    as_rates: bool,
    chosen: Cell | None,
    palette: Palette,
) -> Option:
    """Rows are true classes, the first on top; columns what they were taken for.

    Args:
        matrix: (classes, classes) int64; a row is a true class.
        classes: Their names.
        shown: Classes to draw, by position.
        as_rates: Shares of each true class in per cent; else images.
        chosen: The cell that wears a frame.
        palette: The theme's colours.
    """
    sums = matrix.sum(axis=1)
    held = cells(matrix, shown)
    values = {cell: 100 * matrix[cell] / sums[cell[0]] if as_rates else float(matrix[cell]) for cell in held}
    wrong = max((value for (true, guess), value in values.items() if true != guess), default=0)
    strongest = {
        True: max((value for (true, guess), value in values.items() if true == guess), default=1),
        False: max(wrong, GRAVE * (100 if as_rates else sums.max(initial=1))),
    }
    place = {label: at for at, label in enumerate(shown)}
    tiles = []
    for true, guess in held:
        value, is_right = values[true, guess], true == guess
        share = value / strongest[is_right]
        images, share_of_class = int(matrix[true, guess]), matrix[true, guess] / sums[true]
        amount = f"{formatting.count(images, 'image')}, {formatting.percent(share_of_class)}"
        name = f"{classes[true]}, {'recognised' if is_right else f'taken for {classes[guess]}'}: {amount} of its class"
        tiles.append(
            tile(
                place[guess],
                place[true],
                value=round(value, 2),
                tone=share if is_right else -share,
                text=_in_percent(value, len(shown)) if as_rates else _shortly(int(value), len(shown)),
                name=name,
                palette=palette,
            )
        )
    return tiled(tiles, matrix, shown, [classes[label] for label in shown], chosen=chosen, palette=palette)


def tile(x: int, y: int, *, value: float, tone: float, text: str, name: str, palette: Palette) -> Option:
    """One tile.

    Args:
        x: Its column.
        y: Its row.
        value: What it stands for.
        tone: 1 for the strongest good one, -1 for the strongest bad one.
        text: On the tile.
        name: In the tooltip.
        palette: The theme's colours.
    """
    shade = np.sign(tone) * (FAINT + (1 - FAINT) * abs(tone)) if tone else 0.0
    ink = palette.background if abs(tone) >= STRONG else palette.text
    return {
        "value": [x, y, value, round(float(shade), 4)],
        "name": name,
        "label": {"formatter": text, "color": ink},
    }


def tiled(
    tiles: list[Option],
    matrix: np.ndarray,
    shown: Sequence[int],
    names: Sequence[str],
    *,
    chosen: Cell | None,
    palette: Palette,
) -> Option:
    """The whole option: tiles, ground, and a frame around a chosen one.

    Args:
        tiles: As `tile` makes them.
        matrix: (classes, classes) int64; where it has none is ground.
        shown: Classes to draw, by position.
        names: Their labels on both axes.
        chosen: The cell that wears a frame.
        palette: The theme's colours.
    """
    number, place = len(names), {label: at for at, label in enumerate(shown)}
    empty = [[place[guess], place[true], 0] for true in shown for guess in shown if not matrix[true, guess]]
    framed = [[place[chosen[1]], place[chosen[0]], 0]] if chosen and {*chosen} <= {*shown} else []
    size = 13 if number <= 10 else 11 if number <= 20 else 9
    narrow = {"label": {"fontSize": 10 if number <= 6 else 8, "show": number <= 10}}
    return {
        "baseOption": {
            "animation": False,
            "grid": {"left": 2, "right": 6, "top": 6, "bottom": 2, "containLabel": True},
            "tooltip": _tooltip(palette),
            "xAxis": _axis(names, palette, is_upright=False),
            "yAxis": _axis(names, palette, is_upright=True),
            "visualMap": [_shades(palette), *_flat(palette)],
            "series": [
                _series(tiles, size, number, palette),
                _still(empty, _gaps(number, palette)),
                _still(framed, {**_gaps(number, palette), "borderColor": palette.text, "borderWidth": 2.5}, layer=1),
            ],
        },
        "media": [
            {
                "query": {"maxWidth": PHONE},
                "option": {"series": [narrow], "xAxis": _room(is_phone=True), "yAxis": _room(is_phone=True)},
            },
            {"option": {"xAxis": _room(is_phone=False), "yAxis": _room(is_phone=False)}},
        ],
    }


def height(number: int) -> int:
    """Pixels for a matrix of so many classes."""
    return 120 + number * (88 if number <= 3 else 46 if number <= 10 else 27 if number <= 20 else 22)


def _series(tiles: list[Option], size: int, number: int, palette: Palette) -> Option:
    return {
        "type": "heatmap",
        "name": "cells",
        "data": tiles,
        "selectedMode": "single",
        "cursor": "pointer",
        "label": {"show": True, "fontSize": size, "fontWeight": "normal"},
        "itemStyle": _gaps(number, palette),
        "emphasis": {"itemStyle": {"borderColor": palette.text, "borderWidth": 1}},
        # What is chosen stands in the address and wears the frame; what was clicked last must not look so too.
        "select": {"itemStyle": _gaps(number, palette)},
    }


def _still(data: list[list[int]], style: Option, *, layer: int = 0) -> Option:
    """Tiles that nobody can click; a clicked tile rises above all but a higher layer."""
    return {"type": "heatmap", "data": data, "silent": True, "itemStyle": style, "zlevel": layer}


def _shades(palette: Palette) -> Option:
    good, bad = palette.train, palette.bad
    colours = [bad, mixed(bad, palette.background, 0.84), mixed(good, palette.background, 0.84), good]
    return {"show": False, "seriesIndex": 0, "dimension": 3, "min": -1, "max": 1, "inRange": {"color": colours}}


def _flat(palette: Palette) -> list[Option]:
    """One colour for the ground, none inside the frame."""
    colours = {1: mixed(palette.line, palette.background, 0.58), 2: "rgba(0,0,0,0)"}
    return [
        {"show": False, "seriesIndex": of, "dimension": 2, "min": 0, "max": 1, "inRange": {"color": [colour, colour]}}
        for of, colour in colours.items()
    ]


def _gaps(number: int, palette: Palette) -> Option:
    return {
        "borderColor": palette.background,
        "borderWidth": 2 if number <= 20 else 1,
        "borderRadius": 4 if number <= 10 else 2,
    }


def _axis(names: Sequence[str], palette: Palette, *, is_upright: bool) -> Option:
    return {
        "type": "category",
        "data": list(names),
        "inverse": is_upright,
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {
            "color": palette.muted,
            "fontSize": 12 if len(names) <= 10 else 11 if len(names) <= 20 else 10,
            "interval": 0,
            "overflow": "truncate",
            "rotate": 0 if is_upright or _fits(names) else 45,
        },
    }


def _room(*, is_phone: bool) -> Option:
    return {"axisLabel": {"width": ROOM[is_phone]}}


def _fits(names: Sequence[str]) -> bool:
    """Whether the names stand side by side on a phone without being turned."""
    return max(map(len, names), default=0) * len(names) <= 24


def _tooltip(palette: Palette) -> Option:
    return {
        "formatter": "{b}",
        "confine": True,
        "backgroundColor": palette.background,
        "borderColor": palette.line,
        "textStyle": {"color": palette.text, "fontSize": 12},
        "extraCssText": "max-width: 300px; white-space: normal; overflow-wrap: anywhere;",
    }


def _in_percent(value: float, number: int) -> str:
    shown = "<1" if value < 0.5 else f"{min(value, 99.4 if value < 100 else 100):.0f}"
    return shown if number > 10 else f"{shown}%"


def _shortly(value: int, number: int) -> str:
    return f"{value / 1000:.1f}k" if value >= 1000 and number > 6 else f"{value:,}"
