"""The files of a data set as folders to walk through. Pure: no Streamlit here."""

from collections.abc import Iterable

import pandas as pd


def listing(files: Iterable[tuple[str, int]], at: str) -> pd.DataFrame:
    """What lies directly in folder `at` ("" is the top): folders first, then files, each by name.

    Columns: name, is_folder, files (in it and below), bytes, share (per cent of `at`'s bytes).
    """
    inside = f"{at}/" if at else ""
    folders: dict[str, list[int]] = {}
    leaves: list[tuple[str, bool, int, int]] = []
    for path, size in files:
        if not path.startswith(inside):
            continue
        name, _, below = path[len(inside) :].partition("/")
        if below:
            found = folders.setdefault(name, [0, 0])
            found[0] += 1
            found[1] += size
        else:
            leaves.append((name, False, 1, size))
    rows = [(name, True, number, size) for name, (number, size) in sorted(folders.items())] + sorted(leaves)
    table = pd.DataFrame(rows, columns=["name", "is_folder", "files", "bytes"])
    table["share"] = 100 * table["bytes"] / max(1, int(table["bytes"].sum()))
    return table


def parents(at: str) -> list[str]:
    """The folders from the top down to `at`: "a/b" gives "", "a", "a/b"."""
    steps = at.split("/") if at else []
    return ["", *("/".join(steps[: depth + 1]) for depth in range(len(steps)))]
