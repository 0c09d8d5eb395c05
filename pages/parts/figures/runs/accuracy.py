"""Accuracy over steps in per cent, one point an epoch; the best validation epoch wears a star."""

from collections.abc import Sequence

from pages.parts.figures.curve import EVERYTHING, Mark, Window, band, curve, line, pairs, starred
from pages.parts.figures.frame import Option
from pages.parts.formatting import percent
from pages.parts.palette import Palette
from storage import MetricPoint, Series


def accuracy(
    train: Series,
    validation: Series,
    best: MetricPoint | None,
    *,
    palette: Palette,
    window: Window = EVERYTHING,
    marks: Sequence[Mark] = (),
) -> Option:
    """The option of the chart.

    Args:
        train: Accuracy while training.
        validation: Accuracy after each epoch.
        best: The point that wears the star.
        palette: The theme's colours.
        window: Steps in view.
        marks: Vertical lines across the chart.
    """
    dots = len(validation.steps) <= 60
    validated = line("validation", pairs(validation, factor=100), palette.validation, dots=dots, tooltip="%.2f %%")
    if best is not None and best.value is not None and window.holds(best.step):
        label = f"best {percent(best.value)}, epoch {best.epoch}"
        validated = starred(validated, best.step, 100 * best.value, label, palette)
    trained = line("train", pairs(train, factor=100), palette.train, dots=dots, tooltip="%.2f %%")
    drawn = [trained, validated, *band(validation, palette.validation, factor=100)]
    return curve(drawn, palette=palette, window=window, marks=marks, unit=" %", legend=["train", "validation"])
