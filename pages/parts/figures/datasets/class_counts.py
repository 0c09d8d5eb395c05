"""Images a class, stacked by part: a Plotly figure, because it does not tick."""

from collections.abc import Mapping, Sequence

from plotly.graph_objects import Figure

from pages.parts.figures.plain import plain, still
from pages.parts.formatting import shortened
from pages.parts.palette import Palette

PART_ORDER = ("all", "train", "validation", "test")
MOST_COLUMNS = 24


def class_counts(classes: Sequence[str], counts: Mapping[str, Mapping[str, int]], *, palette: Palette) -> Figure:
    """Horizontal bars of `counts` (part -> class -> images), first class on top.

    Long class names are cut on the axis and whole in the tooltip.
    """
    colours = {"train": palette.train, "validation": palette.validation, "test": palette.others[0]}
    figure = Figure()
    for part in sorted(counts, key=lambda name: PART_ORDER.index(name) if name in PART_ORDER else len(PART_ORDER)):
        figure.add_bar(
            x=[counts[part].get(name, 0) for name in classes],
            y=list(range(len(classes))),
            orientation="h",
            name="images" if part == "all" else part,
            marker_color=colours.get(part, palette.train),
            customdata=[plain(name) for name in classes],
            hovertemplate="%{customdata}: %{x:,} images<extra>" + ("" if part == "all" else part) + "</extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.35)
    still(figure, palette, height=max(160, 60 + 24 * len(classes)), top=8 if len(counts) == 1 else 30)
    figure.update_yaxes(
        range=[len(classes) - 0.5, -0.5],
        tickvals=list(range(len(classes))),
        ticktext=[plain(shortened(name, MOST_COLUMNS)) for name in classes],
        showgrid=False,
    )
    figure.update_xaxes(tickformat=",d", nticks=6, rangemode="tozero")
    return figure
