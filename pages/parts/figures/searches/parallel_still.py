"""Parallel coordinates as a figure that stands by itself: drawn as plain lines, which every browser can show."""

from collections.abc import Sequence
from math import log10

from plotly.graph_objects import Figure

from pages.parts.analysis.trials import Dimension, Trial
from pages.parts.figures.plain import plain, still
from pages.parts.formatting import number, shortened
from pages.parts.palette import Palette

MOST_COLUMNS = 16  # of a category's name


def parallel_still(
    trials: Sequence[Trial],
    dimensions: Sequence[Dimension],
    *,
    metric: str,
    factor: float,
    lowest: bool,
    names: Sequence[str],
    colours: Sequence[str | None],
    palette: Palette,
) -> Figure:
    """A line a trial, its best value last.

    Args:
        trials: Those without a value are left out.
        dimensions: An axis a setting.
        metric: The title of the last axis.
        factor: What values are multiplied by.
        lowest: Whether the smallest value is the best one.
        names: Of all trials, in their order.
        colours: Likewise; None is grey and thin.
        palette: The theme's colours.
    """
    figure = Figure()
    rows = [(one, name, tint) for one, name, tint in zip(trials, names, colours, strict=True) if one.value is not None]
    shares = [_shares(one, [trial for trial, _, _ in rows]) for one in dimensions]
    values = [factor * (trial.value or 0) for trial, _, _ in rows]
    low, high = min(values, default=0.0), max(values, default=1.0)
    shares.append([(value - low) / ((high - low) or 1) for value in values])
    if lowest:
        shares[-1] = [None if share is None else 1 - share for share in shares[-1]]
    across = list(range(len(shares)))
    grey: tuple[list[int | None], list[float | None]] = ([], [])
    for place, (_, name, colour) in enumerate(rows):
        line = [one[place] for one in shares]
        if colour is None:  # all of them as one line with gaps
            grey[0].extend([*across, None])
            grey[1].extend([*line, None])
        else:
            figure.add_scatter(x=across, y=line, mode="lines", line={"color": colour, "width": 2}, name=plain(name))
    if grey[0]:
        thin = {"color": palette.muted, "width": 1}
        figure.add_scatter(x=grey[0], y=grey[1], mode="lines", line=thin, opacity=0.3, name="others")
    still(figure, palette, height=380, top=8)
    ends = [*(_ends(one, [trial for trial, _, _ in rows]) for one in dimensions), {0.0: number(low), 1.0: number(high)}]
    if lowest:
        ends[-1] = {0.0: number(high), 1.0: number(low)}
    _lay_out(figure, [*(one.label for one in dimensions), metric], ends, palette)
    return figure


def _lay_out(figure: Figure, titles: Sequence[str], ends: Sequence[dict[float, str]], palette: Palette) -> None:
    """A vertical line an axis, its title above it, its values along it."""
    figure.update_layout(showlegend=False, hovermode="closest", margin={"l": 60, "r": 60, "t": 40, "b": 8})
    figure.update_traces(hoverinfo="name")
    figure.update_yaxes(visible=False, range=[-0.03, 1.03])
    shown = [plain(shortened(title, 22)) for title in titles]
    ticks = {"tickmode": "array", "tickvals": list(range(len(titles))), "ticktext": shown, "side": "top"}
    figure.update_xaxes(**ticks, gridcolor=palette.muted, range=[-0.35, len(titles) - 0.65])
    for place, marks in enumerate(ends):
        for share, text in marks.items():
            figure.add_annotation(
                x=place,
                y=share,
                text=plain(text),
                showarrow=False,
                xshift=6,
                xanchor="left",
                font={"size": 11},
                bgcolor=palette.background,
            )


def _shares(one: Dimension, trials: Sequence[Trial]) -> list[float | None]:
    """Where trials stand along an axis, 0 to 1."""
    places = [_number(one, trial) for trial in trials]
    known = [place for place in places if place is not None]
    low, high = min(known, default=0.0), max(known, default=1.0)
    return [None if place is None else (place - low) / ((high - low) or 1) for place in places]


def _number(one: Dimension, trial: Trial) -> float | None:
    place = one.place(trial.assignment)
    if isinstance(place, str):
        return float(one.choices.index(place))
    return None if place is None else log10(place) if one.scale == "log" else float(place)


def _ends(one: Dimension, trials: Sequence[Trial]) -> dict[float, str]:
    """What is written along an axis: every category, or the least and the most."""
    known = [place for trial in trials if (place := one.place(trial.assignment)) is not None]
    if one.scale == "category":
        used = sorted({one.choices.index(str(place)) for place in known})
        span = (used[-1] - used[0]) or 1 if used else 1
        return {(place - used[0]) / span: shortened(one.choices[place], MOST_COLUMNS) for place in used}
    numbers = [float(place) for place in known]
    return {0.0: number(min(numbers)), 1.0: number(max(numbers))} if numbers else {}
