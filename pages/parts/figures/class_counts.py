"""Images a class, stacked by part: a Plotly figure, because it does not tick."""

from plotly.graph_objects import Figure

from pages.parts.figures.palette import Palette
from storage import Dataset

PARTS = ("all", "train", "validation", "test")
MOST_LETTERS = 24


def class_counts(dataset: Dataset, *, palette: Palette) -> Figure:
    """Horizontal bars, first class on top; long class names are cut on the axis and whole in the tooltip."""
    colours = {"train": palette.train, "validation": palette.validation, "test": palette.others[0]}
    classes = list(dataset.classes)
    figure = Figure()
    for part in sorted(dataset.counts, key=lambda name: PARTS.index(name) if name in PARTS else len(PARTS)):
        counts = dataset.counts[part]
        figure.add_bar(
            x=[counts.get(name, 0) for name in classes],
            y=list(range(len(classes))),
            orientation="h",
            name="images" if part == "all" else part,
            marker_color=colours.get(part, palette.train),
            customdata=[_plain(name) for name in classes],
            hovertemplate="%{customdata}: %{x:,} images<extra>" + ("" if part == "all" else part) + "</extra>",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.35,
        height=max(160, 60 + 24 * len(classes)),
        margin={"l": 0, "r": 8, "t": 8 if len(dataset.counts) == 1 else 30, "b": 0},
        showlegend=len(dataset.counts) > 1,
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "traceorder": "normal"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.muted, "size": 12},
        dragmode=False,
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(classes))),
        ticktext=[_plain(_cut(name)) for name in classes],
        automargin=True,
        fixedrange=True,
    )
    figure.update_xaxes(gridcolor=palette.line, tickformat=",d", nticks=6, fixedrange=True, zeroline=False)
    return figure


def _cut(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"


def _plain(name: str) -> str:
    """Plotly reads a little HTML in labels: a class folder's name must not become any."""
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
