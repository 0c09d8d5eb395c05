"""The basket: runs to compare, collected on any page. It follows its user; on the Compare page the address holds it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.parts import formatting
from pages.parts.session import COMPARE_PAGE, store
from storage import Run

MOST_RUNS = 1000  # runs chosen one by one; a whole search counts as one thing, however many trials it has
MOST_NAMED = 5  # ids of what is gone


@dataclass(frozen=True, slots=True)
class Basket:
    """Runs by their place, which gives each its colour, and whole searches.

    A place that was left is "" until another run takes it: so the colours of those that stay never change.
    """

    places: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Basket":
        """As an address has it: `?runs=ID,ID&searches=ID`."""
        places = _whole([one if one.isalnum() else "" for one in query.get("runs", "").split(",")][:MOST_RUNS])
        searches = [one for one in query.get("searches", "").split(",") if one.isalnum()]
        return cls(places, tuple(dict.fromkeys(searches)))

    @property
    def query(self) -> dict[str, str]:
        """As `read` takes it; {} for an empty one."""
        parameters = {"runs": ",".join(self.places), "searches": ",".join(self.searches)}
        return {name: value for name, value in parameters.items() if value}

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(filter(None, self.places))

    def with_runs(self, ids: Iterable[str]) -> "Basket":
        """Each new one at the first free place."""
        places = list(self.places)
        for run_id in ids:
            if run_id not in places and "" in places:
                places[places.index("")] = run_id
            elif run_id not in places and len(places) < MOST_RUNS:
                places.append(run_id)
        return Basket(tuple(places), self.searches)

    def without_runs(self, ids: Iterable[str]) -> "Basket":
        gone = set(ids)
        return Basket(_whole(["" if one in gone else one for one in self.places]), self.searches)

    def without_search(self, search_id: str) -> "Basket":
        return Basket(self.places, tuple(one for one in self.searches if one != search_id))

    def summary(self) -> str:
        """3 runs and 1 search; "" for an empty one."""
        counts = [formatting.count(len(self.runs), "run")] if self.runs else []
        counts += [formatting.count(len(self.searches), "search", "searches")] if self.searches else []
        return " and ".join(counts)


def _whole(places: list[str]) -> tuple[str, ...]:
    """Each run once, without free places at the end."""
    seen: set[str] = set()
    for place, run_id in enumerate(places):
        places[place] = "" if run_id in seen else run_id
        seen.add(run_id)
    while places and not places[-1]:
        places.pop()
    return tuple(places)


def basket() -> Basket:
    """That of this user."""
    held: Basket = st.session_state.get("basket", Basket())
    return held


def keep(held: Basket) -> None:
    st.session_state["basket"] = held


def addressed_basket() -> Basket:
    """On the Compare page: what the address names, when it was opened or gone back to; else what was collected.

    The address then follows the basket.
    """
    named = {name: st.query_params[name] for name in ("runs", "searches") if name in st.query_params}
    if named and named != st.session_state.get("basket_query"):
        keep(Basket.read(named))
    query = basket().query
    for name in ("runs", "searches"):
        if st.query_params.get(name) != query.get(name):
            if name in query:
                st.query_params[name] = query[name]
            else:
                del st.query_params[name]
    st.session_state["basket_query"] = query
    return basket()


def gone(held: Basket, runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Ids of its runs and of its searches that are not there any more; `runs`: all that is."""
    there = {run.id for run in runs}
    searches = {search.id for search in store().searches.list(limit=-1)} if held.searches else set()
    return [one for one in held.runs if one not in there], [one for one in held.searches if one not in searches]


def without_gone(held: Basket, runs: Sequence[Run]) -> Basket:
    """The basket, and on the Compare page the address, without what is gone: `gone_caption` says what that was."""
    lost = gone(held, runs)
    if not any(lost):
        return held
    left = held.without_runs(lost[0])
    for search_id in lost[1]:
        left = left.without_search(search_id)
    keep(left)
    kinds = (("run", "runs"), ("search", "searches"))
    sentences = [_gone_in_words(ids, *kind) for ids, kind in zip(lost, kinds, strict=True) if ids]
    st.session_state["basket_gone"] = (left, " ".join(sentences))
    return addressed_basket()


def gone_caption(held: Basket) -> None:
    """For as long as nothing else is chosen."""
    left, text = st.session_state.get("basket_gone", (None, ""))
    if left == held:
        st.caption(f":material/info: {text}")


def _gone_in_words(ids: list[str], one: str, many: str) -> str:
    is_gone = "is gone" if len(ids) == 1 else "are gone"
    return f"{formatting.count(len(ids), one, many)} of those chosen {is_gone} ({formatting.some(ids, MOST_NAMED)})."


def compare(held: Basket) -> None:
    """Leave this page to compare just these. The way back leads to what was compared before."""
    keep(held)
    st.switch_page(COMPARE_PAGE, query_params=held.query)


def basket_buttons(ids: list[str], *, page: str) -> None:
    """For runs that are ticked on `page`: compare just these, or put them to those collected so far."""
    if len(ids) > 1 and st.button("Compare", icon=":material/compare_arrows:", key=f"{page}_compare"):
        compare(Basket().with_runs(ids))
    if set(ids) <= set(basket().runs):
        st.button("In the basket", icon=":material/check:", key=f"{page}_collected", disabled=True)
    elif st.button("Add to basket", icon=":material/playlist_add:", key=f"{page}_collect", help=HELP):
        keep(basket().with_runs(ids))
        st.rerun()


def basket_toggle(run: Run) -> None:
    """On a run's own page: into the basket, or out of it."""
    held = basket()
    if run.id in held.runs:
        label, sign, help_ = "In the basket", "playlist_add_check", "Take it out of the basket again"
        key, then = "run_uncollect", held.without_runs([run.id])
    else:
        label, sign, help_ = "Add to basket", "playlist_add", HELP
        key, then = "run_collect", held.with_runs([run.id])
    st.button(label, icon=f":material/{sign}:", key=key, help=help_, on_click=keep, args=(then,))


def basket_card() -> None:
    """In the sidebar of every page, while there is something in it."""
    held = basket()
    if not held.summary():
        return
    with st.container(border=True, gap="small", key="basket"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Basket", width="content")
            st.button(
                "",
                icon=":material/close:",
                type="tertiary",
                key="basket_empty",
                help="Empty the basket",
                on_click=keep,
                args=(Basket(),),
            )
        if st.button(
            f"Compare {held.summary()}", icon=":material/compare_arrows:", key="basket_compare", width="stretch"
        ):
            compare(held)


HELP = "Collect runs from any page, then compare them: the basket stands at the left."
