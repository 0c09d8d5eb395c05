"""Tables whose ticked rows stay the same runs while the page moves on."""

from collections.abc import Sequence

import streamlit as st


def table_key(table: str) -> str:
    """The key to draw it with: another one unticks all rows."""
    return f"{table}_{st.session_state.get(f'{table}_round', 0)}"


def untick(table: str) -> None:
    st.session_state[f"{table}_round"] = st.session_state.get(f"{table}_round", 0) + 1


def held_ids(table: str) -> tuple[str, ...]:
    """Ids of all rows in the order they had when some were ticked; none while none is."""
    ticked = st.session_state.get(table_key(table), {}).get("selection", {}).get("rows", [])
    return tuple(st.session_state.get(f"{table}_ids", ())) if ticked else ()


def kept_order(table: str, ids: Sequence[str]) -> list[str]:
    """The run ids in the order given; while rows are ticked in the order they had then, so that no tick slips."""
    held = held_ids(table)
    ordered = list(ids)
    if held:
        if set(held) <= set(ids):
            ordered = [*held, *(one for one in ids if one not in set(held))]
        else:  # one is gone: positions no longer mean the same runs
            untick(table)
    st.session_state[f"{table}_ids"] = tuple(ordered)
    return ordered


def ticked_ids(table: str) -> list[str]:
    """Ids of the ticked rows, as the table was last drawn."""
    rows = st.session_state.get(table_key(table), {}).get("selection", {}).get("rows", [])
    held = st.session_state.get(f"{table}_ids", ())
    return [held[row] for row in rows if row < len(held)]
