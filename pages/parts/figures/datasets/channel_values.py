"""Mean and spread of every channel between black (0) and white (1)."""

from collections.abc import Sequence

from plotly.graph_objects import Figure

from pages.parts.figures.plain import still
from pages.parts.palette import Palette

NAMES: dict[int, tuple[str, ...]] = {1: ("grey",), 2: ("grey", "alpha"), 3: ("red", "green", "blue")}
NAMES[4] = (*NAMES[3], "alpha")


def channel_values(mean: Sequence[float], std: Sequence[float], *, palette: Palette) -> Figure:
    """A dot at each channel's mean with one standard deviation to both sides, first channel on top."""
    names = channel_names(len(mean))
    known = {"red": palette.bad, "green": palette.good, "blue": palette.busy}
    figure = Figure()
    for place, name in enumerate(names):
        colour = known.get(name, palette.muted)
        figure.add_scatter(
            x=[mean[place]],
            y=[place],
            mode="markers",
            marker={"size": 11, "color": colour},
            error_x={"type": "data", "array": [std[place]], "color": colour, "thickness": 3, "width": 0},
            hovertemplate=f"{name}: mean {mean[place]:.3f}, standard deviation {std[place]:.3f}<extra></extra>",
        )
    still(figure, palette, height=46 + 30 * len(names))
    figure.update_xaxes(range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(
        range=[len(names) - 0.5, -0.5], tickvals=list(range(len(names))), ticktext=names, showgrid=False
    )
    return figure


def channel_names(number: int) -> list[str]:
    return list(NAMES.get(number, [f"channel {place + 1}" for place in range(number)]))
