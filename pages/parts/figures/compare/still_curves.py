"""The curves of the Compare page as a figure that stands by itself: for reports that are read elsewhere."""

from collections.abc import Sequence

from plotly.graph_objects import Figure

from pages.parts.figures.compare.series import Axis, LineSeries
from pages.parts.figures.curve import Pairs
from pages.parts.figures.plain import plain, still
from pages.parts.palette import Palette, clear

DASHES = {"solid": "solid", "dashed": "dash", "dotted": "dot"}  # in Plotly's words


def compared_still(
    lines: Sequence[LineSeries],
    *,
    axis: Axis,
    title: str,
    unit: str,
    lowest: bool | None,
    palette: Palette,
    smoothing: float = 0.0,
    log: bool = False,
) -> Figure:
    """As `compared` draws them, with the names in a legend; zoom by dragging.

    Args:
        lines: One for each run or group.
        axis: What they go over.
        title: Of the values.
        unit: Of the values.
        lowest: Which end is starred as best; None: neither means anything.
        palette: The theme's colours.
        smoothing: The weight of the past, 0 to 0.99.
        log: Values by powers of ten.
    """
    figure = Figure()
    for one in lines:
        _add(figure, one, smoothing, unit, lowest)
    still(figure, palette, height=460, top=8)
    figure.update_layout(
        showlegend=True,
        dragmode="zoom",
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": -0.14, "yanchor": "top"},
    )
    figure.update_xaxes(title_text=axis, fixedrange=False)
    ending, kind = " %" if unit == "%" else "", "log" if log else "linear"
    named = plain(title) + (f", {unit}" if unit not in ("", "%") else "")
    figure.update_yaxes(title_text=named, ticksuffix=ending, fixedrange=False, type=kind)
    return figure


def _add(figure: Figure, one: LineSeries, smoothing: float, unit: str, lowest: bool | None) -> None:
    smooth, name = one.smoother(smoothing), plain(one.name)
    hover = f"%{{text}}: %{{y:.4g}} {unit}".rstrip() + "<extra></extra>"  # names are data there, whatever they hold
    behind = {"mode": "lines", "legendgroup": one.name, "hoverinfo": "skip", "showlegend": False}
    if smooth.low:
        figure.add_scatter(**_points(smooth.low), line={"width": 0}, **behind)
        painted = {"fill": "tonexty", "fillcolor": clear(one.colour, 0.16)}
        figure.add_scatter(**_points(smooth.high), line={"width": 0}, **painted, **behind)
    if smoothing and one.raw:
        thin = {"line": {"width": 1, "color": one.colour}, "opacity": 0.3}
        figure.add_scatter(**_points(one.raw), **thin, **behind)
    drawn = smooth.mean if smoothing or not one.raw else one.raw
    figure.add_scatter(
        **_points(drawn),
        mode="lines+markers" if len(drawn) <= 60 else "lines",
        line={"width": 2, "color": one.colour, "dash": DASHES[one.dash]},
        marker={"size": 5},
        name=name,
        legendgroup=one.name,
        text=name,
        hovertemplate=hover,
    )
    best = None if lowest is None else one.best(lowest=lowest)
    if best is not None:
        figure.add_scatter(
            x=[best[0]],
            y=[best[1]],
            mode="markers",
            marker={"symbol": "star", "size": 13, "color": one.colour, "line": {"width": 1, "color": "#FFFFFF"}},
            legendgroup=one.name,
            showlegend=False,
            name=f"best of {name}",
            text=f"best of {name}",
            hovertemplate=hover,
        )


def _points(pairs: Pairs) -> dict[str, list[float | None]]:
    return {"x": [x for x, _ in pairs], "y": [y for _, y in pairs]}
