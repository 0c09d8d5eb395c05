"""How confusion differs between two runs, as tiles: what is better in one colour, what is worse in another."""

from collections.abc import Sequence

import numpy as np

from pages.parts.figures.frame import Option
from pages.parts.figures.results.confusion import Cell, cells, tile, tiled
from pages.parts.palette import Palette


def confusion_change(
    came: np.ndarray,
    left: np.ndarray,
    classes: Sequence[str],
    shown: Sequence[int],
    *,
    chosen: Cell | None,
    palette: Palette,
) -> Option:
    """Images that came into each cell less those that left it. More on the diagonal is good, elsewhere fewer.

    Args:
        came: Images that each cell has in the second run alone, (classes, classes) int64.
        left: Those that it has in the first alone.
        classes: Their names.
        shown: Classes to draw, by position.
        chosen: The cell that wears a frame.
        palette: The theme's colours.
    """
    held = cells(came + left, shown)
    change = came - left
    largest = max((abs(int(change[cell])) for cell in held), default=1) or 1
    place = {label: at for at, label in enumerate(shown)}
    tiles = []
    for true, guess in held:
        net = int(change[true, guess])
        doing = "recognised" if true == guess else f"taken for {classes[guess]}"
        tiles.append(
            tile(
                place[guess],
                place[true],
                value=net,
                tone=(net if true == guess else -net) / largest,
                text=signed(net) if net else f"±{came[true, guess]}",
                name=f"{classes[true]}, {doing}: {came[true, guess]:,} came, {left[true, guess]:,} left",
                palette=palette,
            )
        )
    return tiled(tiles, came + left, shown, [classes[label] for label in shown], chosen=chosen, palette=palette)


def signed(number: int) -> str:
    """+5, −3, 0."""
    return f"{number:+,}".replace("-", "−") if number else "0"
