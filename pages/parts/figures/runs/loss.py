"""Loss over steps: training raw and smoothed, validation once an epoch."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Option, Window, band, curve, line, pairs, smoothed
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
    """`smoothing` is the weight of the past, 0 (raw only) to 0.99."""
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
