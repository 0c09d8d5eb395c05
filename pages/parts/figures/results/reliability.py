"""How often it is right where it is so sure: bars against the diagonal, and below how many images are so sure."""

import numpy as np
from plotly.graph_objects import Figure
from plotly.subplots import make_subplots

from pages.parts.figures.plain import still
from pages.parts.palette import Palette

HEIGHT = 460
HOVER = "right %{y:.1f} %<br>sure %{customdata[0]:.1f} % on average<br>%{customdata[1]:,} images<extra></extra>"


def reliability(images: np.ndarray, confidence: np.ndarray, accuracy: np.ndarray, *, palette: Palette) -> Figure:
    """Bins without images are left out; the distance of a bar's end from the diagonal is drawn in red.

    Args:
        images: How many fall into each bin of confidence, (bins,) int64.
        confidence: How sure of them on average, (bins,) float64.
        accuracy: How often right, (bins,) float64.
        palette: The theme's colours.
    """
    bins = len(images)
    filled = images > 0
    middles = [100 * (place + 0.5) / bins for place in range(bins) if filled[place]]
    accuracy, sure, images = 100 * accuracy[filled], 100 * confidence[filled], images[filled]
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.04)
    bars = {"x": middles, "width": 92 / bins}
    figure.add_bar(
        **bars,
        y=accuracy.tolist(),
        marker_color=palette.train,
        name="right",
        customdata=list(zip(sure.tolist(), images.tolist(), strict=True)),
        hovertemplate=HOVER,
    )
    off = {"color": "rgba(0,0,0,0)", "line": {"color": palette.bad, "width": 1.5}}
    figure.add_bar(
        **bars, y=(sure - accuracy).tolist(), base=accuracy.tolist(), marker=off, name="off by", hoverinfo="skip"
    )
    figure.add_scatter(**_diagonal(palette))
    grey = {"color": palette.muted, "opacity": 0.55}
    texts = "%{y:,} images<extra></extra>"
    figure.add_bar(**bars, y=images.tolist(), marker=grey, showlegend=False, hovertemplate=texts, row=2, col=1)
    return _framed(still(figure, palette, height=HEIGHT, top=30))


def _diagonal(palette: Palette) -> dict[str, object]:
    line = {"color": palette.muted, "width": 1.5, "dash": "dot"}
    ends = [0, 100]
    return {"x": ends, "y": ends, "mode": "lines", "line": line, "name": "perfectly calibrated", "hoverinfo": "skip"}


def _framed(figure: Figure) -> Figure:
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(range=[0, 100], ticksuffix=" %", dtick=20, showgrid=False)
    figure.update_xaxes(title={"text": "how sure it is", "standoff": 6}, row=2, col=1)
    figure.update_yaxes(range=[0, 102], ticksuffix=" %", nticks=6, title={"text": "how often right"}, row=1, col=1)
    figure.update_yaxes(nticks=3, tickformat=",d", rangemode="tozero", title={"text": "images"}, row=2, col=1)
    return figure
