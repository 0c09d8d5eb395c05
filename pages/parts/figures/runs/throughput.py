"""Images trained a second, over steps: of all, and of each rank where several train together."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, band, curve, line, pairs
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series


def throughput(
    speed: Series,
    ranks: Sequence[Series] = (),
    *,
    palette: Palette,
    window: Window = EVERYTHING,
    marks: Sequence[Mark] = (),
) -> Option:
    """The option of the chart.

    Args:
        speed: Of all of them.
        ranks: The series `rank0/images_per_s`, ..., in their order.
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    drawn = [line("images/s", pairs(speed), palette.train, filled=not ranks, tooltip="%,.0f images/s")]
    drawn += band(speed, palette.train)
    names = [one.name.partition("/")[0].replace("rank", "rank ") for one in ranks]
    for place, (name, one) in enumerate(zip(names, ranks, strict=True)):
        colour = palette.others[place % len(palette.others)]
        drawn.append(line(name, pairs(one), colour, tooltip="%,.0f images/s"))
    return curve(drawn, palette=palette, window=window, marks=marks, legend=["images/s", *names], from_zero=True)
