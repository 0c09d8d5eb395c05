"""The colours of charts, literal because a chart's canvas knows no theme. Equal to `.streamlit/config.toml`."""

from dataclasses import dataclass
from functools import cache
from typing import Literal
from zlib import crc32

BadgeColour = Literal["blue", "green", "orange", "violet", "red", "gray"]  # by Streamlit's names
TAG_COLOURS: tuple[BadgeColour, ...] = ("blue", "green", "orange", "violet", "red", "gray")


@dataclass(frozen=True, slots=True)
class Palette:
    name: str
    background: str
    text: str
    muted: str  # axis labels, marks
    line: str  # grid lines, borders
    train: str  # the same two on every chart
    validation: str
    others: tuple[str, ...]
    good: str
    bad: str
    busy: str
    waiting: str
    tags: tuple[str, ...]  # TAG_COLOURS, as the theme has them


LIGHT = Palette(
    name="light",
    background="#FFFFFF",
    text="#15191E",
    muted="#64707D",
    line="#E3E7EB",
    train="#0F766E",
    validation="#D97706",
    others=("#4F46E5", "#DB2777", "#65A30D", "#0284C7", "#7C3AED", "#57534E"),
    good="#15803D",
    bad="#C81E3A",
    busy="#2563EB",
    waiting="#64707D",
    tags=("#2563EB", "#15803D", "#C2570C", "#6D4AE8", "#C81E3A", "#64707D"),
)

DARK = Palette(
    name="dark",
    background="#0D1117",
    text="#E6EAEF",
    muted="#94A3B3",
    line="#28313C",
    train="#2DD4BF",
    validation="#FBBF24",
    others=("#818CF8", "#F472B6", "#A3E635", "#38BDF8", "#C084FC", "#A8A29E"),
    good="#4ADE80",
    bad="#FB7185",
    busy="#60A5FA",
    waiting="#94A3B3",
    tags=("#60A5FA", "#4ADE80", "#FDBA74", "#A78BFA", "#FB7185", "#94A3B3"),
)


def tag_place(tag: str) -> int:
    """Its colour's place among TAG_COLOURS: by its letters alone, so the same everywhere and for good."""
    return crc32(tag.casefold().encode()) % len(TAG_COLOURS)


@cache
def line_colours(palette: Palette) -> tuple[str, ...]:
    """24 colours to tell lines apart: the theme's eight, then those nearer to its text, then nearer to its ground."""
    own = (palette.train, palette.validation, *palette.others)
    nearer = [tuple(mixed(colour, to, share) for colour in own) for to, share in _VARIANTS[palette.name]]
    return own + nearer[0] + nearer[1]


_VARIANTS = {
    "light": (("#000000", 0.42), ("#FFFFFF", 0.42)),
    "dark": (("#FFFFFF", 0.5), ("#000000", 0.42)),
}


def mixed(colour: str, to: str, share: float) -> str:
    """A colour nearer to another: 0 is the colour itself, 1 the other."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(to[1:]), strict=True)
    return "#" + bytes(round(own + share * (other - own)) for own, other in pairs).hex().upper()


def clear(colour: str, opacity: float) -> str:
    """A colour that lets through, as Plotly takes it."""
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgba({red}, {green}, {blue}, {opacity})"


def palette_of(theme: str | None) -> Palette:
    return DARK if theme == "dark" else LIGHT
