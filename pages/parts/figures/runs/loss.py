"""Loss over steps: training raw and smoothed, validation once an epoch."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, band, curve, line, pairs, smoothed
from pages.parts.figures.frame import Option
from pages.parts.palette import Palette
from storage import Series


def loss(
    train: Series,
    validation: Series,
    *,
    palette: Palette,
    smoothing: float = 0.9,
    window: Window = EVERYTHING,
    marks: Sequence[Mark] = (),
) -> Option:
    """The option of the chart.

    Args:
        train: Loss of the steps.
        validation: Loss after each epoch.
        palette: The theme's colours.
        smoothing: The weight of the past, 0 (raw only) to 0.99.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    raw = pairs(train)
    drawn = []
    if smoothing > 0:
        drawn += [
            line("train", smoothed(raw, smoothing), palette.train),
            line("train, raw", raw, palette.train, faint=True),
        ]
    else:
        drawn.append(line("train", raw, palette.train))
    drawn.append(line("validation", pairs(validation), palette.validation, dots=len(validation.steps) <= 60))
    drawn += band(train, palette.train)
    names = ["train", "validation", *(["train, raw"] if smoothing > 0 else [])]
    return curve(drawn, palette=palette, window=window, marks=marks, legend=names)
