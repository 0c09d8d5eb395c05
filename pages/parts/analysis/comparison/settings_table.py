"""Configurations side by side as HTML: a row a setting, a column a run. The same on the page and in reports."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from pages.parts.analysis.comparison.differences import Difference
from pages.parts.palette import Palette


@dataclass(frozen=True, slots=True)
class Column:
    """A run: its name, the colour it wears, and its place among the values of each setting."""

    name: str
    colour: str | None
    place: int


def settings_table(settings: Sequence[Difference], columns: Sequence[Column], palette: Palette) -> str:
    """Values that are not those of the first column are set off. Names and values are shown letter for letter."""
    style = f"{_cell(palette)};text-align:left;font-weight:600;white-space:nowrap"
    head = "".join(f'<th style="{style}">{dot(one.colour, palette)}{html.escape(one.name)}</th>' for one in columns)
    rows = "".join(_row(one, columns, palette) for one in settings)
    corner = f'<th style="{_cell(palette)};{_stays(palette)}"></th>'
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;width:100%;font-size:0.9rem">'
        f"<thead><tr>{corner}{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def dot(colour: str | None, palette: Palette) -> str:
    """A disc in the colour of a run; hollow for one that has none of its own."""
    ground = f"background:{colour}" if colour else f"border:1.5px solid {palette.muted}"
    size = "width:0.6em;height:0.6em" if colour else "width:0.4em;height:0.4em"
    return f'<span style="display:inline-block;{size};border-radius:50%;margin-right:0.45em;{ground}"></span>'


def legend(names: Sequence[tuple[str, str | None]], palette: Palette, *, more: str = "") -> str:
    """Names beside the colours they wear, on as many lines as it takes."""
    parts = [
        f'<span style="white-space:nowrap">{dot(colour, palette)}{html.escape(name)}</span>' for name, colour in names
    ]
    parts += [f'<span style="color:{palette.muted}">{html.escape(more)}</span>'] if more else []
    return f'<div style="display:flex;flex-wrap:wrap;gap:0.3rem 1.1rem;font-size:0.9rem">{"".join(parts)}</div>'


def _row(setting: Difference, columns: Sequence[Column], palette: Palette) -> str:
    values = [setting.values[column.place] for column in columns]
    cells = "".join(
        f'<td style="{_cell(palette)}{_set_off(value != values[0], palette)}">{html.escape(value)}</td>'
        for value in values
    )
    style = f"{_cell(palette)};{_stays(palette)};text-align:left;font-weight:400;color:{palette.muted}"
    return f'<tr><th scope="row" style="{style}">{html.escape(setting.label)}</th>{cells}</tr>'


def _cell(palette: Palette) -> str:
    return f"padding:0.35rem 0.8rem 0.35rem 0;border-bottom:1px solid {palette.line};vertical-align:top"


def _stays(palette: Palette) -> str:
    """For the first column, when the others are scrolled under it."""
    return f"position:sticky;left:0;background:{palette.background};white-space:nowrap"


def _set_off(differs: bool, palette: Palette) -> str:
    return f";font-weight:600;color:{palette.text}" if differs else ""
