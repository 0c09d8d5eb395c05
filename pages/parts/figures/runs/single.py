"""One metric of one run over steps, whatever it is."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, band, curve, line, pairs
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series


def single(series: Series, *, palette: Palette, window: Window = EVERYTHING, marks: Sequence[Mark] = ()) -> Option:
    """The option of the chart.

    Args:
        series: The metric.
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    drawn = [line(series.name, pairs(series), palette.train), *band(series, palette.train)]
    return curve(drawn, palette=palette, window=window, marks=marks)
