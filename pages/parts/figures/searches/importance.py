"""How much each searched setting moved the value: bars, the strongest on top."""

from collections.abc import Mapping

from plotly.graph_objects import Figure

from pages.parts.figures.plain import plain, still
from pages.parts.palette import Palette


def importance(shares: Mapping[str, float], *, palette: Palette) -> Figure:
    """`shares` by label, together 1; those of nothing are drawn too."""
    ordered = sorted(shares.items(), key=lambda one: one[1])
    figure = Figure()
    figure.add_bar(
        x=[share for _, share in ordered],
        y=[plain(label) for label, _ in ordered],
        orientation="h",
        marker_color=palette.train,
        text=[f"{100 * share:.0f} %" for _, share in ordered],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{text} of what moved the value<extra></extra>",
    )
    still(figure, palette, height=70 + 34 * max(1, len(ordered)))
    figure.update_layout(bargap=0.4, margin={"r": 44})
    figure.update_xaxes(tickformat=".0%", rangemode="tozero", nticks=6)
    figure.update_yaxes(showgrid=False)
    return figure
