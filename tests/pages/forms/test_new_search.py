"""The New search form: switches to space and back, presets, YAML, what is refused, and the start."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine import api
from engine.api import SEARCH_PRESETS, RunSpec, SearchSpec
from pages.parts.forms import ranges, search_problems
from pages.parts.forms.search_cost import warnings
from storage import RunState, SearchState, Store
from tests.conftest import ROOT
from tests.pages import seed, seed_searches
from tests.pages.pages import NEW_SEARCH, fine, keys, opened, texts

RATE, BATCH, EPOCHS = "optimisation.learning_rate", "optimisation.batch_size", "epochs"


@pytest.fixture
def awake(store: Store) -> Store:
    seed.digits(store)
    seed.awake(store)
    return store


def shown_spec(app: AppTest) -> SearchSpec:
    """What "As YAML and command" holds."""
    return SearchSpec.from_yaml(app.code[1].value)


def switch(app: AppTest, path: str, *, on: bool = True) -> AppTest:
    app.toggle(key=f"span_on_{path}").set_value(on)
    return fine(app.run())


def test_every_field_that_may_be_searched_has_a_switch(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switches = {one.key.removeprefix("span_on_") for one in app.toggle if str(one.key).startswith("span_on_")}
    shown = {one.path for one in api.settings() if one.when is None}
    assert switches >= shown & set(api.searchable())
    assert not switches - set(api.searchable())


def test_a_space_built_by_clicking_is_the_spec(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    assert set(shown_spec(app).space) == {RATE, BATCH}
    switch(app, BATCH, on=False)
    switch(app, EPOCHS)
    app.text_input(key=f"span_low_{EPOCHS}").set_value("4")
    app.text_input(key=f"span_high_{EPOCHS}").set_value("9")
    app.text_input(key=f"span_low_{RATE}").set_value("1e-4")
    fine(app.run())
    space = shown_spec(app).space
    assert (space[EPOCHS].integers, space[RATE].log) == ((4, 9), (1e-4, 0.01))
    assert set(space) == {EPOCHS, RATE}


def test_a_switch_suggests_nothing_that_the_form_cannot_do(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switch(switch(app, "freeze.policy"), "model.weights")
    space = shown_spec(app).space
    assert "stages" not in space["freeze.policy"].choices  # no stages are named
    assert not {"file", "run"} & set(space["model.weights"].choices)  # no file and no run is


def test_a_condition_is_set_by_choosing(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switch(app, "optimisation.optimizer")
    app.selectbox(key=f"span_parent_{RATE}").set_value("optimisation.optimizer")
    fine(app.run())
    app.multiselect(key=f"span_values_{RATE}").set_value(["sgd"])
    fine(app.run())
    assert shown_spec(app).space[RATE].when == {"optimisation.optimizer": ("sgd",)}


def test_a_field_of_a_searched_choice_can_be_searched_too(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switch(app, "freeze.policy")
    app.multiselect(key="span_choices_freeze.policy").set_value(["none", "gradual"])
    fine(app.run())
    path = next(
        one.path for one in api.settings() if one.when and one.when[0] == "freeze.policy" and "gradual" in one.when[1]
    )
    switch(app, path)
    spec = shown_spec(app)
    assert spec.conditions[path] == {"freeze.policy": ("gradual",)}


@pytest.mark.parametrize("name", SEARCH_PRESETS)
def test_a_preset_fills_in_space_and_budget(awake: Store, name: str) -> None:
    app = opened(NEW_SEARCH)
    app.segmented_control(key="search_preset").set_value(name)
    fine(app.run())
    values = SEARCH_PRESETS[name].values
    spec = shown_spec(app)
    assert spec == SearchSpec.parse({**values, "run": spec.run.model_dump()})
    assert shown_spec(fine(app.run())) == spec  # and it stays so


def test_yaml_goes_in_and_out_unchanged(awake: Store) -> None:
    text = (ROOT / "examples" / "search_digits.yaml").read_text(encoding="utf-8")
    app = opened(NEW_SEARCH)
    app.text_area(key="search_yaml").set_value(text)  # and no click on "Fill in the form"
    fine(app.run())
    assert shown_spec(app) == SearchSpec.from_yaml(text)
    switch(app, BATCH, on=BATCH not in shown_spec(app).space)
    by_hand = shown_spec(app)
    assert by_hand != SearchSpec.from_yaml(text)
    assert shown_spec(fine(app.run())) == by_hand  # what was pasted does not come back over it


def test_several_conditions_of_one_field_outlive_the_form(awake: Store) -> None:
    text = """
space:
  optimisation.optimizer: {choices: [adamw, sgd]}
  model.backbone: {choices: [small_cnn, resnet18]}
  optimisation.learning_rate: {log: [0.001, 0.1], when: {optimisation.optimizer: sgd, model.backbone: resnet18}}
"""
    app = opened(NEW_SEARCH)
    app.text_area(key="search_yaml").set_value(text)
    fine(app.run())
    assert shown_spec(fine(app.run())).space == SearchSpec.from_yaml(text).space


def test_a_bad_range_is_told_under_its_field_and_keeps_the_search_from_starting(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    app.text_input(key=f"span_low_{RATE}").set_value("0.5")
    fine(app.run())
    assert "From must be below To" in texts(app)
    assert "**1 value to put right**" in texts(app)
    assert app.button(key="search_start").disabled


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"space": {RATE: {"log": ["-1", "0.01"]}}}, "Learning rate: From must be above 0 on a Log range; try 1e-6"),
        ({"space": {RATE: {"log": ["x", ""]}}}, "Learning rate: From and To must be numbers, and Step too if there is"),
        ({"space": {EPOCHS: {"integers": [1, 9], "step": 1.5}}}, "Epochs: Step must be a whole number"),
        ({"space": {}}, "switch on “Search …” under a field at least"),
        ({"algorithm": "grid"}, "Learning rate: Grid tries all: list Values, or give a Step"),
        (
            {"algorithm": "grid", "scheduler": "pbt"},
            "Population based training works only with the algorithm Random; take that",
        ),
        (
            {"algorithm": "bohb"},
            "Stops poor trials early: BOHB works only where poor trials are stopped early by HyperBand for BOHB",
        ),
        (
            {"space": {"freeze.stages": {"choices": [["head"]]}}},
            "is Chosen stages, but the base run has Train everything: search that too",
        ),
    ],
)
def test_a_refusal_speaks_the_words_of_the_form(values: dict[str, Any], said: str) -> None:
    with pytest.raises(api.Refused) as refused:
        SearchSpec.parse({"space": {RATE: {"log": [0.001, 0.1]}}, **values})
    lines = [search_problems.line(one) for one in search_problems.in_form(refused.value.problems)]
    assert any(said in line for line in lines), lines


def test_bohb_takes_its_early_end_along_and_leaves_with_it(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    app.selectbox(key="plan_algorithm").set_value("bohb")
    fine(app.run())
    assert (shown_spec(app).algorithm, shown_spec(app).scheduler) == ("bohb", "bohb")
    app.selectbox(key="plan_algorithm").set_value("random")
    fine(app.run())
    assert (shown_spec(app).algorithm, shown_spec(app).scheduler) == ("random", "none")


def test_fewer_combinations_than_trials_and_what_is_reckoned_is_said(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switch(app, RATE, on=False)
    assert "3 combinations for 10 trials" in texts(app)
    app.selectbox(key="plan_algorithm").set_value("grid")
    fine(app.run())
    assert "Grid tries each once" not in texts(app)


def test_too_long_and_too_large_is_warned_of() -> None:
    room = SimpleNamespace(disk=10**9)
    cost: Any = SimpleNamespace(seconds=200_000.0, disk=2 * 10**9, fit=SimpleNamespace(room=room))
    assert [len(warnings(cost, hours)) for hours in (0, 10)] == [2, 1]
    cost.disk, cost.seconds = 10**8, 3600.0
    assert warnings(cost, 0) == []


def test_what_cannot_work_together_is_refused_in_words(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    app.selectbox(key="plan_algorithm").set_value("grid")
    fine(app.run())
    assert app.button(key="search_start").disabled
    assert "to put right" in texts(app)


def test_nothing_searched_says_so(awake: Store) -> None:
    app = opened(NEW_SEARCH)
    switch(app, BATCH, on=False)
    switch(app, RATE, on=False)
    assert "Nothing yet" in texts(app)
    assert app.button(key="search_start").disabled


def test_start_makes_one_search_however_often_it_is_pressed(awake: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ensure_supervisor", lambda home: None)
    app = opened(NEW_SEARCH)
    app.button(key="search_start").click()
    fine(app.run())
    (made,) = awake.searches.list()
    assert made.state is SearchState.QUEUED
    assert set(made.spec["space"]) == {RATE, BATCH}
    assert app.query_params["search"] == [made.id] or app.query_params["search"] == made.id


def test_a_search_like_another_and_around_a_run(awake: Store) -> None:
    made = seed_searches.search(awake, trials=2)
    assert set(shown_spec(opened(NEW_SEARCH, like=made.id)).space) == set(seed_searches.SPACE)
    run = awake.runs.trials(made.id)[1]
    base = shown_spec(opened(NEW_SEARCH, **{"from": run.id})).run
    assert base.optimisation == RunSpec.parse(run.spec).optimisation


@pytest.mark.parametrize(
    ("state", "num_trials", "trials", "then"),
    [
        (SearchState.PAUSED, 9, 5, {"continue_search"}),
        (SearchState.PAUSED, 9, 8, {"extend_search", "continue_search"}),
        (SearchState.FINISHED, 4, 3, {"extend_search"}),
    ],
)
def test_changing_the_space_of_a_search_asks_for_that_and_to_go_on(
    awake: Store, monkeypatch: pytest.MonkeyPatch, state: SearchState, num_trials: int, trials: int, then: set[str]
) -> None:
    monkeypatch.setattr(api, "ensure_supervisor", lambda home: None)
    made = seed_searches.search(awake, trials=4, num_trials=num_trials, state=state)
    app = opened(NEW_SEARCH, change=made.id)
    assert made.name in app.title[0].value
    assert not {str(one.key) for one in (*app.selectbox, *app.number_input)} & {"plan_algorithm", "new_epochs"}
    assert "10 more trials" in texts(app)
    app.number_input(key="search_change_trials").set_value(trials)
    switch(app, seed_searches.BACKBONE, on=False)
    assert f"{trials} more trials" in texts(app)
    app.button(key="search_start").click()
    fine(app.run())
    requests = {one.kind: one.payload for one in awake.requests.open()}
    assert set(requests) == {"change_space", *then}
    assert seed_searches.BACKBONE not in requests["change_space"]["space"]
    if "extend_search" in then:
        assert requests["extend_search"]["trials"] == trials - (num_trials - 4)


def test_a_grid_that_is_done_goes_on_over_a_wider_space(awake: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "ensure_supervisor", lambda home: None)
    space = {BATCH: {"choices": [32, 64]}}
    more: dict[str, Any] = {"space": space, "algorithm": "grid", "scheduler": "none"}
    made = seed_searches.search(awake, trials=0, num_trials=2, state=SearchState.FINISHED, **more)
    for number, size in enumerate((64, 32), 1):
        trial = {"search_id": made.id, "trial": number, "assignment": {BATCH: size}, "metric": "val/accuracy"}
        run = awake.runs.add(name=f"{number}", spec=made.spec["run"], dataset_id="digits", epochs=9, **trial)
        for state in (RunState.STARTING, RunState.RUNNING, RunState.FINISHED):
            awake.runs.move(run.id, state)
    app = opened(NEW_SEARCH, change=made.id)
    app.multiselect(key=f"span_choices_{BATCH}").set_value(["32", "64", "128"])
    fine(app.run())
    app.button(key="search_start").click()
    fine(app.run())
    assert {one.kind for one in awake.requests.open()} == {"change_space", "extend_search"}


def test_the_form_is_there_without_searches(awake: Store) -> None:
    assert "search_start" in keys(opened(NEW_SEARCH))


@pytest.mark.parametrize("path", sorted(set(api.searchable()) - {"model.weights_from"}))  # a text: typed by hand
def test_what_a_switch_suggests_is_a_space_that_is_accepted(path: str) -> None:
    setting = api.searchable()[path]
    values: dict[str, Any] = {"space": {path: ranges.as_range(setting, ranges.suggested(setting, setting.default))}}
    try:
        SearchSpec.parse(values)
    except api.Refused as refused:
        about = [problem for problem in refused.problems if "means something only with" not in problem.message]
        assert not about, about


@pytest.mark.parametrize(
    "span",
    [
        {"choices": [[], ["flip"], ["flip", "rotate"]]},
        {"choices": [True, False]},
        {"integers": [4, 9], "step": 1},
        {"uniform": [0.0, 0.2], "step": 0.05},
        {"log": [1e-05, 0.1]},
    ],
)
def test_a_range_comes_back_as_it_went_in(span: dict[str, Any]) -> None:
    path = "data.augmentations" if isinstance(span.get("choices", [0])[0], list) else RATE
    path = "freeze.batchnorm" if span.get("choices") == [True, False] else path
    made = ranges.as_range(api.searchable()[path], ranges.of_range(span))
    assert {key: str(value) for key, value in plain(made).items()} == {k: str(v) for k, v in plain(span).items()}


def plain(span: dict[str, Any]) -> dict[str, Any]:
    """Numbers as numbers, whichever way they were written."""
    kind = next(iter(span))
    if kind == "choices":
        return span
    return {kind: [float(one) for one in span[kind]]} | ({"step": float(span["step"])} if "step" in span else {})
