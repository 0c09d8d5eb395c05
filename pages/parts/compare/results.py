"""Results of several runs side by side, down to single images: what one fixes and what it breaks."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from engine import api
from pages.parts import formatting
from pages.parts.address import page_buttons, put, shown_page
from pages.parts.analysis.comparison.differences import line_names
from pages.parts.analysis.comparison.significance import by_chance
from pages.parts.analysis.results import changes
from pages.parts.compare.images import chosen_images, common_images, those_with_weights
from pages.parts.compare.prediction_grid import prediction_grid
from pages.parts.figures.results.confusion import Cell, cells, height
from pages.parts.figures.results.confusion_change import confusion_change
from pages.parts.results.confusion import MOST_CLASSES, choose_cell, chosen_cell
from pages.parts.results.one_image import View, image_dialog
from pages.parts.results.predictions import dataset_of
from pages.parts.results.tiles import label_of, open_image, said
from pages.parts.session import palette
from pages.parts.widgets.gallery import Line, Tile, gallery
from pages.parts.widgets.thumbnails import thumbnail
from storage import Run

MOST_RUNS = 24  # each has to be read, and to be a column
A_SIDE = 12  # images beside the matrix
SETS = {
    "fixed": "wrong in the first, right in the second",
    "broken": "right in the first, wrong in the second",
    "wrong in both": "the surest mistakes first",
    "right in both": "the least sure first",
    "disputed": "the runs differ; those first that half of them get right",
}


def results_side_by_side(runs: Sequence[Run]) -> None:
    """Two of the runs image by image, and the answers of all, of many the first ones, to the same images."""
    if len(runs) > MOST_RUNS:
        st.caption(f"The first {MOST_RUNS} of {len(runs):,} runs.")
        runs = runs[:MOST_RUNS]
    runs, names = those_with_weights(runs, line_names(runs))
    if len(runs) < 2:
        st.caption("Two runs are needed to compare what they make of images.")
        return
    chosen = st.container(horizontal=True)
    with chosen:
        images = chosen_images(runs)
    views = common_images(runs, names, images)
    if len(views) < 2:
        return
    with chosen:
        first, second = _chosen_two(views)
    sets = image_sets(first, second, views)
    st.markdown(verdict(first, second))
    cell = chosen_cell(first.found)
    left, right = st.columns([5, 4])
    with left.container(border=True, key="compare_change_card"):
        _change(first, second, cell)
    with right.container(border=True, key="compare_set_card"):
        places = _of_cell(first, second, cell) if cell else _of_set(sets)
        _tiles(first, second, places)
    if len(places):
        with st.container(border=True, key="compare_answers_card"):
            prediction_grid(views, shown_page(places, A_SIDE))
    image_dialog(views)


def image_sets(first: View, second: View, views: Sequence[View]) -> dict[str, np.ndarray]:
    """Positions of images by what the two make of them, in the words of `SETS`."""
    found = changes.changes(first.found, second.found)
    sets = {
        "fixed": found.fixed,
        "broken": found.broken,
        "wrong in both": found.both_wrong,
        "right in both": found.both_right,
    }
    return sets | ({"disputed": changes.most_disputed([view.found for view in views])} if len(views) > 2 else {})


def verdict(first: View, second: View) -> str:
    """What the second fixes and breaks, and how easily chance alone would: Markdown."""
    found = changes.changes(first.found, second.found)
    fixed, broken = len(found.fixed), len(found.broken)
    names = [f"**{formatting.escaped(view.name)}**" for view in (first, second)]
    images = formatting.count(len(first.found.ids), "image")
    if not fixed and not broken:
        return f"On the same {images} {names[0]} and {names[1]} are right on the same ones."
    counts = f"On the same {images} {names[1]} fixes {fixed:,} that {names[0]} gets wrong, and breaks {broken:,}"
    return f"{counts}: {by_chance(fixed, broken)}."


def _chosen_two(views: Sequence[View]) -> tuple[View, View]:
    """The first and the second run, as the address names them; else the first two, the better one second."""
    by_id = {view.found.run: view for view in views}
    ranked = sorted(list(by_id)[:2], key=lambda run_id: by_id[run_id].found.accuracy)
    pair = [st.query_params.get(name, "") for name in ("first", "second")]
    if pair[0] == pair[1] or not {*pair} <= {*by_id}:
        pair = ranked

    def choose(changed: str) -> None:
        first, second = st.session_state["compare_first"], st.session_state["compare_second"]
        if first == second:  # they change places
            first, second = (first, pair[0]) if changed == "first" else (pair[1], second)
        put(first=first, second=second, **dict.fromkeys(("page", "image")))

    for place, name in enumerate(("first", "second")):
        st.session_state[f"compare_{name}"] = pair[place]
        st.selectbox(
            name.capitalize(),
            list(by_id),
            format_func=lambda run_id: by_id[run_id].name,
            key=f"compare_{name}",
            on_change=choose,
            args=(name,),
            width=310,
        )
    return by_id[pair[0]], by_id[pair[1]]


def _change(first: View, second: View, cell: Cell | None) -> None:
    st.markdown("**What the second changes**")
    came, left = changes.moved(first.found, second.found)
    if not came.any():
        st.caption(":material/equal: Both take every image for the same.")
        return
    shown = api.most_confused(came + left, MOST_CLASSES)
    held = cells(came + left, shown)
    key = f"compare_change_{first.found.run}_{second.found.run}_{first.found.dataset}_{hash(tuple(shown))}"

    def take() -> None:
        picks = [place for group in st.session_state[key].selection.selected for place in group["data_indices"]]
        if picks:
            st.session_state["compare_clicked"] = held[picks[0]]
        # The chart tells a second click on a cell as none: that is the one clicked last.
        choose_cell(first.found, st.session_state.get("compare_clicked"))

    st.echarts_chart(
        confusion_change(came, left, first.found.classes, shown, chosen=cell, palette=palette()),
        height=height(len(shown)),
        key=key,
        on_select=take,
        alt=f"How confusion differs between {first.name} and {second.name}",
    )
    st.caption(
        "Rows are true classes, columns what images are taken for, cells the images of the second less those of the "
        "first; ±7: seven came and seven others left. Green is better: more on the diagonal, fewer elsewhere. Click a "
        "cell to see which came and which left."
    )


def _of_cell(first: View, second: View, cell: Cell) -> np.ndarray:
    """The images that came into the chosen cell or left it, as chosen."""
    found = first.found
    true, guess = (formatting.escaped(found.classes[label]) for label in cell)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", wrap=False):
        st.markdown(f"**{true}** recognised" if cell[0] == cell[1] else f"**{true}** taken for **{guess}**")
        st.button(
            "All changes",
            icon=":material/close:",
            type="tertiary",
            key="compare_cell_close",
            on_click=choose_cell,
            args=(found, None),
        )
    came, left = changes.came_and_left(found, second.found, *cell)
    by_change = {f"{len(came):,} came": came, f"{len(left):,} left": left}
    chosen = _segments("Side", [name for name, places in by_change.items() if len(places)], "compare_side")
    return by_change[chosen] if chosen else came


def _of_set(sets: Mapping[str, np.ndarray]) -> np.ndarray:
    """The images of the set that the address names."""
    name = st.query_params.get("set", "")
    if name not in sets:
        name = next(iter(sets))
    st.session_state["compare_set"] = name

    def choose() -> None:
        put(set=st.session_state["compare_set"], page=None, image=None)

    st.segmented_control(
        "Images",
        list(sets),
        format_func=lambda one: f"{len(sets[one]):,} {one}",
        key="compare_set",
        required=True,
        on_change=choose,
        label_visibility="collapsed",
    )
    st.caption(SETS[name][:1].upper() + SETS[name][1:] + ".")
    return sets[name]


def _segments(label: str, options: Sequence[str], key: str) -> str | None:
    chosen: str | None = st.segmented_control(
        label,
        options,
        default=next(iter(options), None),
        required=bool(options),
        key=f"{key}_{'_'.join(options)}",
        label_visibility="collapsed",
        on_change=lambda: put(page=None),
    )
    return chosen


def _tiles(first: View, second: View, places: np.ndarray) -> None:
    if not len(places):
        st.caption("There are none.")
        return
    found, dataset = first.found, dataset_of(first.found.dataset)
    st.session_state["results_order"] = [found.ids[place] for place in places]
    tiles = []
    for place in map(int, shown_page(places, A_SIDE)):
        small = thumbnail(dataset, found.ids[place]) if dataset else None
        lines = (said(found, place), said(second.found, place), Line(f"is {label_of(found, place)}"))
        is_few = bool(small and small.is_few)
        tiles.append(Tile(found.ids[place], small and small.address, lines, is_few=is_few))
    gallery(tiles, key="compare_tiles", on_open=open_image)
    page_buttons(places, A_SIDE, "compare_page")
    st.caption("Below each image: what the first says, what the second says, what it is. Click one to see all runs.")
