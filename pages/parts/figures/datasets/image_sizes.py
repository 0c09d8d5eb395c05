"""How large the images are: one bubble a size, its area the images that have it."""

from collections.abc import Sequence

from plotly.graph_objects import Figure

from pages.parts.figures.plain import still
from pages.parts.palette import Palette

LARGEST, SMALLEST = 34, 7  # pixels across


def image_sizes(sizes: Sequence[Sequence[int]], *, palette: Palette) -> Figure:
    """`sizes` are (width, height, images), in pixels; large bubbles are drawn first, small ones over them."""
    ordered = sorted(sizes, key=lambda one: -one[2])
    most = max((count for _, _, count in ordered), default=1)
    figure = Figure()
    figure.add_scatter(
        x=[width for width, _, _ in ordered],
        y=[height for _, height, _ in ordered],
        mode="markers",
        marker={
            "size": [max(SMALLEST, LARGEST * (count / most) ** 0.5) for _, _, count in ordered],
            "color": palette.train,
            "opacity": 0.55,
            "line": {"width": 1, "color": palette.background},
        },
        customdata=[count for _, _, count in ordered],
        hovertemplate="%{x} × %{y} px: %{customdata:,} images<extra></extra>",
    )
    still(figure, palette, height=260)
    figure.update_xaxes(title_text="width, px", tickformat=",d", nticks=6, rangemode="tozero")
    figure.update_yaxes(title_text="height, px", tickformat=",d", nticks=5, rangemode="tozero")
    return figure
