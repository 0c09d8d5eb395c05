"""What the figures that stand still have in common: no chrome, the theme's colours, names shown letter for letter."""

from plotly.graph_objects import Figure

from pages.parts.palette import Palette


def still(figure: Figure, palette: Palette, *, height: int, top: int = 8) -> Figure:
    """`figure` without ground, drag modes and zoom.

    Args:
        figure: Changed in place, and returned.
        palette: The theme's colours.
        height: Pixels.
        top: Pixels that are left above it, for a legend.
    """
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 8, "t": top, "b": 0},
        showlegend=top > 8,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.muted, "size": 12},
        dragmode=False,
    )
    figure.update_xaxes(gridcolor=palette.line, fixedrange=True, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=palette.line, fixedrange=True, zeroline=False, automargin=True)
    return figure


def plain(name: str) -> str:
    """Plotly reads a little HTML in labels: a class folder's name must not become any."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
