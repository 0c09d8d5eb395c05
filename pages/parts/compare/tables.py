"""The tables of the Compare page: groups with the spread of their runs, and runs with what they came to."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.parts import formatting
from pages.parts.analysis.comparison.compared_runs import Compared, Focus
from pages.parts.analysis.comparison.differences import Difference, digits, nothing_apart
from pages.parts.analysis.comparison.group_values import ranked
from pages.parts.analysis.comparison.significance import evaluation_images
from pages.parts.analysis.comparison.tables import group_units, groups_compared, measures, runs_compared
from pages.parts.compare.plots import TABLE
from pages.parts.palette import Palette
from pages.parts.runs.table import HEAD, ROW
from pages.parts.session import palette, run_link
from pages.parts.widgets.basket import Basket, basket, keep
from pages.parts.widgets.brushed_axes import brushed, unbrush
from pages.parts.widgets.row_selection import table_key, untick
from storage import Run

TALLEST = 14  # rows
COLUMN_HELP = {
    "last": "In the last epoch that was measured",
    "gap": "Training accuracy above validation accuracy at the best epoch, in points: how much it learned by heart",
    "seconds": "From start to end; where there is a trial among them, a run that was resumed or one that goes on from "
    "another (whose epochs count then), of all the time of their epochs alone",
    "images_per_s": "On average, while it trained",
    "memory": "The most that one GPU or process took",
    "parameters": "Of the whole network",
    "learning": "Parameters that are not frozen, in the last epoch",
    "checkpoint": "On the disk, of the best epoch",
}
OF_ONE_DEVICE = "A mean; none where the runs of a group were trained on different devices"
OF_ONE_KIND = "A mean of the most that one GPU or process took; none where the runs of a group took both"
WIDTHS = {"last": 70, "gap": 62, "checkpoint": 118, "memory": 98}  # pixels
TITLES = {"images_per_s": "Images/s", "memory": "Memory", "learning": "Learning", "checkpoint": "Checkpoint"}


def groups_side_by_side(compared: Compared, focus: Focus) -> None:
    ranking = ranked(compared.groups, compared.stats, compared.rows["best"])
    valued = {one.group.key for one in ranking}
    ordered = [one.group for one in ranking] + [group for group in compared.groups if group.key not in valued]
    column, colours = st.column_config, palette()
    value = _number(compared)
    units = group_units(ordered, compared.stats, compared.rows)
    st.dataframe(
        groups_compared(ordered, compared.stats, compared.rows),
        hide_index=True,
        key="compare_groups",
        height=ROW * min(len(ordered), TALLEST) + HEAD,
        row_height=ROW,
        placeholder=formatting.DASH,
        alt="Groups, by their means",
        column_config={
            "group": _names("Group", {one.name: focus.colours.get(one.key) for one in ordered}, colours, 260),
            "runs": column.NumberColumn("Runs", width=60),
            "mean": column.NumberColumn("Mean of best", format=value, width=110),
            "lowest": column.NumberColumn("Lowest", format=value, width=90),
            "highest": column.NumberColumn("Highest", format=value, width=90),
            "gap": column.NumberColumn("Gap", format="%.1f", width=70),
            "seconds": column.NumberColumn(
                f"Time a run, {units['seconds']}", format="%.1f", width=120, help=OF_ONE_DEVICE
            ),
            "memory": column.NumberColumn(f"Memory, {units['memory']}", format="%.1f", width=110, help=OF_ONE_KIND),
            "parameters": column.NumberColumn("Parameters", format="compact", width=94),
        },
    )


def runs_side_by_side(compared: Compared, focus: Focus, shown: Sequence[Run]) -> None:
    """Those of `shown`, best first; ticked ones come into focus and can be kept or taken out."""
    places = {run.id: place for place, run in enumerate(compared.runs)}
    stats = [compared.stats[run.id] for run in shown]
    _title(compared, shown)
    table = runs_compared(
        stats,
        compared.names,
        compared.rows,
        compared.apart,
        [places[run.id] for run in shown],
        link=run_link,
    )
    state = st.dataframe(
        table,
        hide_index=True,
        key=table_key(TABLE),
        height=ROW * max(1, min(len(shown), TALLEST)) + HEAD,
        row_height=ROW,
        placeholder=formatting.DASH,
        on_select="rerun",
        selection_mode="multi-row",
        alt=f"Table of {formatting.count(len(shown), 'run')} and "
        f"{formatting.count(len(compared.apart), 'setting')} that differ",
        column_config=_columns(compared, focus, shown),
    )
    _ticked([shown[row].id for row in state.selection.rows if row < len(shown)])


def order(compared: Compared) -> str:
    """In which the tables are."""
    if evaluation_images(compared.runs, compared.sources) != "other":
        return "best first"
    return "lowest value first" if compared.rows["best"].lowest else "highest value first"


def _title(compared: Compared, shown: Sequence[Run]) -> None:
    total = formatting.count(len(compared.runs), "run")
    caption = (
        f"{len(shown):,} of {total}, as brushed" if len(shown) < len(compared.runs) else f"{total}, {order(compared)}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Runs and what sets them apart** :small[:gray[{caption}]]", width="content")
        if brushed("compare"):
            st.button("Show all runs", icon=":material/filter_alt_off:", key="compare_unbrush", on_click=_unbrush)
    if not compared.apart:
        st.caption(nothing_apart(compared.runs))


def _ticked(ids: list[str]) -> None:
    """What can be done to the basket with ticked rows."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if not ids:
            st.caption("Tick rows to look at just these, or to take them out. Click a column to sort.")
            return
        held = basket()
        if len(ids) > 1 and st.button("Keep only these", icon=":material/filter_alt:", key="compare_keep"):
            _now(Basket(tuple(one if one in ids else "" for one in held.places)).with_runs(ids))
        if set(ids) & set(held.runs) and st.button(
            "Take out", icon=":material/playlist_remove:", key="compare_take_out"
        ):
            _now(held.without_runs(ids))
        st.caption(f"{formatting.count(len(ids), 'run')} ticked")


def _now(held: Basket) -> None:
    keep(held)
    untick(TABLE)
    unbrush("compare")
    st.rerun()


def _unbrush() -> None:
    unbrush("compare")
    untick(TABLE)


def _columns(compared: Compared, focus: Focus, shown: Sequence[Run]) -> dict[str, Any]:
    column = st.column_config
    stats = [compared.stats[run.id] for run in shown]
    worn = {compared.names[run.id]: focus.of_runs.get(run.id) for run in shown}
    config: dict[str, Any] = {
        "run": _names("Run", worn, palette(), _width(compared.names.values())),
        "open": column.LinkColumn("", display_text=":material/open_in_new:", width=40, help="Open this run"),
        "state": column.TextColumn("State", width=80),
        "best": column.NumberColumn("Best", format=_number(compared), width=70, help=compared.rows["best"].label),
        "epoch": column.NumberColumn("at epoch", width=70),
    }
    for key, (_, unit) in measures(stats, compared.rows).items():
        title = TITLES.get(key, compared.rows[key].label.split(" ")[0])
        title = f"{title}, {unit}" if key in ("seconds", "memory", "checkpoint") else title
        form = _number(compared) if key == "last" else _digits(key, unit)
        config[key] = column.NumberColumn(title, format=form, help=COLUMN_HELP[key], width=WIDTHS.get(key, 82))
    numbers = [one for one in compared.apart if any(isinstance(value, float) for value in one.raw)]
    return config | {one.label: column.NumberColumn(one.label, format=_precise(one)) for one in numbers}


def _precise(setting: Difference) -> str:
    """As many digits as its values are told in."""
    return f"%.{digits(setting.raw)}g"


def _digits(key: str, unit: str) -> str:
    if key in ("parameters", "learning"):
        return "compact"
    return "%+.1f" if key == "gap" else "%.0f" if unit in ("img/s", "MB") else "%.1f"


def _number(compared: Compared) -> str:
    return "%.2f%%" if compared.rows["best"].unit == "%" else "%.4g"


def _width(names: Iterable[str]) -> int:
    """Pixels that the longest name takes, within reason."""
    return max(110, min(270, 40 + 7 * max(map(len, names), default=0)))


def _names(label: str, colours: Mapping[str, str | None], ground: Palette, width: int) -> Any:
    """A column of names, each in the colour it wears."""
    tints = [(colour or ground.waiting) + ("44" if colour else "1A") for colour in colours.values()]
    return st.column_config.MultiselectColumn(label, options=list(colours), color=tints, width=width, pinned=True)
