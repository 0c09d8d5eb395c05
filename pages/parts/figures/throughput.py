"""Images trained a second, over steps."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Option, Window, band, curve, line, pairs
from pages.parts.figures.palette import Palette
from storage import Series


def throughput(speed: Series, *, palette: Palette, window: Window = EVERYTHING, marks: Sequence[Mark] = ()) -> Option:
    drawn = [line("images/s", pairs(speed), palette.train, filled=True, tooltip="%,.0f images/s")]
    drawn += band(speed, palette.train)
    return curve(drawn, palette=palette, window=window, marks=marks, legend=["images/s"], from_zero=True)
