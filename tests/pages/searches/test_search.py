"""The Search page and the list of searches, without a browser."""

import pytest

from engine.api import RunSpec
from storage import SearchState, Store
from tests.pages import seed, seed_searches
from tests.pages.pages import HOME, NEW_RUN, NEW_SEARCH, RUN, RUNS, SEARCH, SEARCHES, fine, keys, opened, texts


@pytest.fixture
def awake(store: Store) -> Store:
    seed.digits(store)
    seed.awake(store)
    return store


def test_without_searches_the_list_leads_to_the_form(awake: Store) -> None:
    app = opened(SEARCHES)
    assert "No searches yet" in texts(app)
    assert "No search is chosen" in texts(opened(SEARCH))
    assert "nothere may have been deleted" in texts(opened(SEARCH, search="nothere"))


@pytest.mark.parametrize(
    ("state", "trials"),
    [
        *((state, 4) for state in SearchState),
        (SearchState.QUEUED, 0),
        (SearchState.RUNNING, 0),
        (SearchState.FAILED, 0),
    ],
)
def test_a_search_is_shown_in_every_state_with_and_without_trials(
    awake: Store, state: SearchState, trials: int
) -> None:
    made = seed_searches.search(awake, seed.KOREAN, trials=trials, num_trials=20, state=state)
    app = opened(SEARCH, search=made.id)
    assert app.title[0].value.startswith("한국")
    assert bool(app.dataframe) == bool(trials)


def test_the_best_configuration_stands_first_as_text_to_copy(awake: Store) -> None:
    made = seed_searches.search(awake, trials=10)
    best = awake.runs.get(made.best_run_id or "")
    app = opened(SEARCH, search=made.id)
    shown = app.code[0].value
    assert [line.split("  ")[0] for line in shown.splitlines()] == [
        "Learning rate",
        "Batch size",
        "Backbone",
        "Weight decay",
    ]
    assert str((best.assignment or {})[seed_searches.BATCH]) in shown
    app.segmented_control(key="search_best_as").set_value("YAML")
    fine(app.run())
    assert RunSpec.from_yaml(app.code[0].value) == RunSpec.parse(best.spec)


def test_train_this_longer_fills_in_a_new_run(awake: Store) -> None:
    made = seed_searches.search(awake, trials=10)
    best = awake.runs.get(made.best_run_id or "")
    app = opened(NEW_RUN, longer=best.id)
    assert app.number_input(key="new_epochs").value > best.epochs
    assert app.text_input(key="new_optimisation.learning_rate").value == repr(
        (best.assignment or {})[seed_searches.RATE]
    )


def test_a_brush_filters_the_leaderboard_until_all_are_shown_again(awake: Store) -> None:
    made = seed_searches.search(awake, trials=12)
    app = opened(SEARCH, search=made.id)
    everything = set(app.dataframe[0].value["id"])
    assert len(everything) == 12
    some = list(everything)[:3]
    app.session_state["search_brushed"] = some
    fine(app.run())
    assert set(app.dataframe[0].value["id"]) == set(some)
    app.button(key="search_unbrush").click()
    fine(app.run())
    assert set(app.dataframe[0].value["id"]) == everything


def test_one_trial_is_stopped_from_the_leaderboard(awake: Store) -> None:
    made = seed_searches.search(awake, trials=8, num_trials=12, state=SearchState.RUNNING)
    app = opened(SEARCH, search=made.id)
    shown = list(app.dataframe[0].value["id"])
    running = next(run for run in awake.runs.trials(made.id) if not run.state.is_over)
    key = f"search_board_{app.session_state['search_board_round']}"
    app.session_state[key] = {"selection": {"rows": [shown.index(running.id)], "columns": [], "cells": []}}
    fine(app.run())
    app.button(key="search_stop_trials").click()
    fine(app.run())
    assert [(one.kind, one.target) for one in awake.requests.open()] == [("stop_run", running.id)]


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (SearchState.RUNNING, {"search_pause", "search_stop"}),
        (SearchState.PAUSED, {"search_continue", "search_change"}),
        (SearchState.FINISHED, {"search_change"}),
        (SearchState.STOPPING, set()),
    ],
)
def test_only_what_does_something_is_offered(awake: Store, state: SearchState, offered: set[str]) -> None:
    made = seed_searches.search(awake, trials=6, num_trials=12, state=state)
    every = {"search_pause", "search_stop", "search_continue", "search_change"}
    assert keys(opened(SEARCH, search=made.id)) & every == offered


@pytest.mark.parametrize(("button", "kind"), [("search_pause", "pause_search"), ("search_stop", "stop_search")])
def test_a_click_asks_the_engine(awake: Store, button: str, kind: str) -> None:
    made = seed_searches.search(awake, trials=6, num_trials=12, state=SearchState.RUNNING)
    app = opened(SEARCH, search=made.id)
    app.button(key=button).click()
    fine(app.run())
    assert [(one.kind, one.target) for one in awake.requests.open()] == [(kind, made.id)]


def test_more_trials_are_asked_for(awake: Store) -> None:
    made = seed_searches.search(awake, trials=6)
    app = opened(SEARCH, search=made.id)
    app.number_input(key="search_extend_by").set_value(2)
    fine(app.run())
    app.button(key="search_extend").click()
    fine(app.run())
    assert [(one.kind, one.payload) for one in awake.requests.open()] == [("extend_search", {"trials": 2})]


VIEWS = ("Importance", "One setting", "Two settings", "Timeline", "Failures", "Events", "Configuration")


@pytest.mark.parametrize("metric", ["val/accuracy", "val/loss"])
def test_every_look_is_drawn(awake: Store, metric: str) -> None:
    made = seed_searches.search(awake, trials=24, metric=metric)
    app = opened(SEARCH, search=made.id)
    for view in VIEWS:
        app.segmented_control(key="search_view").set_value(view)
        fine(app.run())


def test_two_goals_are_drawn_against_each_other_first(awake: Store) -> None:
    made = seed_searches.search(awake, trials=12, cost="epoch_s", scheduler="none")
    for place, trial in enumerate(awake.runs.trials(made.id)):
        awake.runs.update(trial.id, cost=1.0 + place % 5)
    app = opened(SEARCH, search=made.id)
    views = app.segmented_control(key="search_view")
    assert views.value == "Trade-off"
    assert "Pareto front" in texts(app)
    assert "Most accurate configuration" in texts(app)
    assert "With two goals it is not the only best one" in texts(app)
    assert app.dataframe[0].value["cost"].notna().all()
    chart = next(one for one in app.get("echarts_chart") if "parallelAxis" in one.proto.spec)
    assert "Seconds an epoch" in chart.proto.spec
    other = seed_searches.search(awake, trials=3)
    assert "Trade-off" not in opened(SEARCH, search=other.id).segmented_control(key="search_view").options


def test_before_the_first_value_a_line_stands_where_charts_will(awake: Store) -> None:
    made = seed_searches.search(awake, trials=2, state=SearchState.RUNNING)
    for run in awake.runs.trials(made.id):
        awake.runs.update(run.id, best_value=None)
    app = opened(SEARCH, search=made.id)
    assert "show with the first epoch that is validated" in texts(app)
    assert not app.get("echarts_chart")


def test_importance_says_what_it_is_made_from(awake: Store) -> None:
    made = seed_searches.search(awake, trials=24)
    runs = awake.runs.trials(made.id)
    finished, pruned = (sum(run.state == state for run in runs) for state in ("finished", "stopped"))
    shown = texts(opened(SEARCH, search=made.id))
    assert f"Made from {finished} finished trials; {pruned} pruned are left out" in shown


def test_failures_are_grouped_and_lead_to_their_runs(awake: Store) -> None:
    made = seed_searches.search(awake, trials=60)
    failed = [run for run in awake.runs.trials(made.id) if run.state == "failed"]
    app = opened(SEARCH, search=made.id)
    app.segmented_control(key="search_view").set_value("Failures")
    fine(app.run())
    assert f"**{len(failed)} trials** · Out of memory" in texts(app)
    assert f"run?run={failed[0].id}" in texts(app)


def test_a_hostile_name_is_shown_letter_for_letter(awake: Store) -> None:
    made = seed_searches.search(awake, seed.HOSTILE, trials=3)
    app = opened(SEARCH, search=made.id)
    assert "\\<script\\>" in app.title[0].value


def test_trials_are_among_the_runs_only_when_asked_for(awake: Store) -> None:
    made = seed_searches.search(awake, trials=3)
    seed.many(awake, 2)
    app = opened(RUNS)
    assert len(app.dataframe[0].value) == 2
    app.toggle(key="runs_trials").set_value(True)
    fine(app.run())
    assert len(app.dataframe[0].value) == 5
    first = awake.runs.trials(made.id)[0]
    assert "Trial 1 of [digits search]" in texts(opened(RUN, run=first.id))


def test_where_all_runs_are_trials_home_and_runs_say_so(awake: Store) -> None:
    made = seed_searches.search(awake, trials=3)
    home = opened(HOME)
    assert "Nothing trained yet" not in texts(home)
    assert {"home_new", "home_new_search"} <= keys(home)
    assert home.dataframe[0].value["open"].tolist() == [made.name]
    app = opened(RUNS)
    assert "trials of searches" in texts(app)
    app.button(key="runs_show_trials").click()
    fine(app.run())
    assert len(app.dataframe[0].value) == 3


def test_new_run_hands_its_form_on_to_a_search(awake: Store) -> None:
    app = opened(NEW_RUN, epochs="17")
    app.switch_page(NEW_SEARCH)
    fine(app.run())
    assert app.number_input(key="new_epochs").value == 17


def test_a_search_of_heads_says_that_many_train_at_once(awake: Store) -> None:
    made = seed_searches.search(awake, trials=3)
    assert "many heads at once" not in texts(opened(SEARCH, search=made.id))
    awake.searches.update(made.id, path="heads")
    assert "many heads at once" in texts(opened(SEARCH, search=made.id))
