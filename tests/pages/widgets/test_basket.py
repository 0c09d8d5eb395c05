"""The basket: it keeps places, fits into an address, and follows its user from page to page."""

from hypothesis import given
from hypothesis import strategies as st

from pages.parts.widgets.basket import Basket
from storage import Run, Store
from tests.pages import seed, seed_searches
from tests.pages.pages import COMPARE, RUN, RUNS, SEARCH, fine, keys, opened, read

IDS = st.sampled_from([f"run{letter}" for letter in "abcdefgh"])


def test_a_place_that_was_left_is_taken_by_the_next() -> None:
    held = Basket().with_runs(["a", "b", "c"]).without_runs(["b"])
    assert held.places == ("a", "", "c")
    assert held.query == {"runs": "a,,c"}
    assert held.with_runs(["d", "e"]).places == ("a", "d", "c", "e")
    assert held.without_runs(["c"]).places == ("a",)


@given(steps=st.lists(st.tuples(st.booleans(), IDS), max_size=30))
def test_no_run_ever_moves_and_the_address_tells_all(steps: list[tuple[bool, str]]) -> None:
    held = Basket()
    for adds, run_id in steps:
        before = {one: place for place, one in enumerate(held.places) if one}
        held = held.with_runs([run_id]) if adds else held.without_runs([run_id])
        after = {one: place for place, one in enumerate(held.places) if one}
        assert (run_id in after) is adds
        assert all(after[one] == place for one, place in before.items() if one in after)
        assert Basket.read(held.query) == held


def test_an_address_may_hold_anything() -> None:
    assert Basket.read({"runs": "a,b,a,,", "searches": "s,s"}) == Basket(("a", "b"), ("s",))
    assert Basket.read({"runs": "<script>,../x"}) == Basket()
    assert Basket.read({}).summary() == ""
    assert Basket(("a", "b"), ("s",)).summary() == "2 runs and 1 search"


def test_runs_are_collected_on_their_pages_and_compared(runs: dict[str, Run], store: Store) -> None:
    app = opened(RUN, run=runs["finished"].id)
    assert "basket_compare" not in keys(app)
    fine(app.button(key="run_collect").click().run())
    assert app.button(key="basket_compare").label == "Compare 1 run"
    app.query_params["run"] = runs["long"].id
    fine(app.run())
    fine(app.button(key="run_collect").click().run())
    app.switch_page(RUNS)
    fine(app.run())
    assert app.button(key="basket_compare").label == "Compare 2 runs"
    fine(app.button(key="basket_compare").click().run())
    app.switch_page(COMPARE)
    fine(app.run())
    assert len(app.dataframe[0].value) == 2
    assert app.query_params["runs"] == f"{runs['finished'].id},{runs['long'].id}"


def test_a_run_is_taken_out_on_its_page_and_all_of_them_at_the_left(runs: dict[str, Run]) -> None:
    app = opened(RUN, run=runs["finished"].id)
    fine(app.button(key="run_collect").click().run())
    fine(app.button(key="run_uncollect").click().run())
    assert "basket_compare" not in keys(app)
    fine(app.button(key="run_collect").click().run())
    fine(app.button(key="basket_empty").click().run())
    assert "run_collect" in keys(app)


def test_ticked_runs_are_compared_or_put_to_those_in_the_basket(runs: dict[str, Run]) -> None:
    app = opened(RUNS)
    shown = app.dataframe[0].value["id"].tolist()
    app.session_state["runs_table_0"] = {"selection": {"rows": [0, 2], "columns": [], "cells": []}}
    fine(app.run())
    fine(app.button(key="runs_collect").click().run())
    assert app.session_state["basket"].runs == (shown[0], shown[2])
    assert app.button(key="runs_collected").disabled
    assert "runs_compare" in keys(app)


def test_all_trials_of_a_search_are_one_thing_to_compare(store: Store) -> None:
    seed.digits(store)
    seed.awake(store)
    made = seed_searches.search(store, trials=12)
    app = opened(SEARCH, search=made.id)
    app.button(key="search_compare_all").click()
    app.run()
    assert app.session_state["basket"] == Basket(searches=(made.id,))
    app = opened(COMPARE, searches=made.id)
    assert len(app.dataframe[0].value) == 12


def test_what_is_gone_is_told_and_leaves_the_basket_and_the_address(runs: dict[str, Run]) -> None:
    first, second = runs["finished"].id, runs["long"].id
    app = opened(COMPARE, runs=f"{first},nothere1,{second}", searches="nothere2")
    for _ in range(2):  # it stays
        shown = read(app)
        assert "1 run of those chosen is gone (nothere1). 1 search of those chosen is gone (nothere2)." in shown
        assert app.session_state["basket"] == Basket((first, "", second))
        assert app.query_params["runs"] == f"{first},,{second}" and "searches" not in app.query_params
        fine(app.run())
    app = opened(COMPARE, runs=f"{first},nothere1,nothere3")
    assert "Which runs?" in read(app) and "2 runs of those chosen are gone (nothere1, nothere3)." in read(app)


def test_of_a_basket_without_loss_nothing_is_told(runs: dict[str, Run]) -> None:
    app = opened(COMPARE, runs=f"{runs['finished'].id},{runs['long'].id}")
    assert "of those chosen" not in read(app)
