"""Learning rate over steps, one line a group of weights."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, curve, line, pairs
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series


def learning_rate(
    groups: Sequence[Series], *, palette: Palette, window: Window = EVERYTHING, marks: Sequence[Mark] = ()
) -> Option:
    """The option of the chart.

    Args:
        groups: The rate of each group of weights.
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    colours = (palette.train, *palette.others)
    names = [one.name.removeprefix("lr/").replace("all", "learning rate") for one in groups]
    drawn = [
        line(name, pairs(one), colours[index % len(colours)], tooltip="%.3g")
        for index, (name, one) in enumerate(zip(names, groups, strict=True))
    ]
    return curve(drawn, palette=palette, window=window, marks=marks, legend=names, from_zero=True)
