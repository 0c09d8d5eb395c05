"""A search is checked at the door, in words; what is drawn becomes runs; YAML in and out loses nothing."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import api
from engine.api import ALGORITHMS, SCHEDULERS, Range, Refused, RunSpec, SearchSpec, search_settings, searchable

RATE = "optimisation.learning_rate"
BATCH = "optimisation.batch_size"
OPTIMIZER = "optimisation.optimizer"
MOMENTUM = "optimisation.momentum"
SPACE = {"epochs": {"integers": [4, 9]}, RATE: {"log": [1e-4, 1e-3]}, BATCH: {"choices": [32, 64, 128]}}


def spec_of(space: object = SPACE, **more: object) -> SearchSpec:
    return SearchSpec.parse({"space": space, **more})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"trials": 0}, "trials = 0: must be a whole number at least 1 and at most 10,000"),
        ({"algorithm": "x"}, "algorithm = 'x': must be one of random, grid, hyperopt"),
        ({"metric": "train/loss"}, "metric = 'train/loss': must be one of val/accuracy, val/loss"),
        ({"target": 98}, "target = 98.0: accuracy is at most 1; 98 % is 0.98"),
        ({"trails": 3}, "trails = 3: no such field; allowed here: algorithm,"),
        ({"run": {"epochs": 0}}, "run.epochs = 0: must be a whole number at least 1"),
        ({"run": {"data": {"image_size": 16}}}, "run.data.image_size = 16: resnet18 needs images of 32 px or more"),
        ({"run": 3}, "run = 3: must be a mapping"),
        ({"run": {"strategy": "ddp"}}, "run.strategy = 'ddp': trials train in one process each; choose single"),
        ({"cost": "epoch_s"}, "cost = 'epoch_s': hyperopt knows one goal; choose none, or the algorithm optuna"),
        ({"cost": "epoch_s", "algorithm": "optuna", "scheduler": "asha"}, "scheduler = 'asha': with two goals"),
        ([1], "search = [1]: must be a mapping"),
    ],
)
def test_refusals_name_field_value_and_what_is_allowed(values: object, words: str) -> None:
    with pytest.raises(Refused) as refused:
        SearchSpec.parse({"space": SPACE, **values} if isinstance(values, dict) else values)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({}, "space = {}: name at least one field to search"),
        ([1], "space = [1]: must be a mapping of field to range"),
        ({"epochs": 3}, "space.epochs = 3: must be {choices: [a, b]}, {integers: [low, high]}"),
        ({"epochs": {"choices": [3], "log": [1, 2]}}, "space.epochs = {'choices': [3], 'log': [1, 2]}: must be one of"),
        ({"epochs": {"choices": []}}, "choices must be a list of values, each once"),
        ({"epochs": {"integers": [0, 3]}}, "space.epochs = 0: must be a whole number at least 1"),
        ({"epochs": {"integers": [9, 3]}}, "must rise: 9 is not below 3"),
        ({"epochs": {"uniform": [1, 3]}}, "space.epochs = 'uniform': must be integers, choices, or log without a step"),
        ({RATE: {"log": [0, 1]}}, "log needs a low end above 0"),
        ({RATE: {"uniform": [0.1, 0.2], "step": 0.3}}, "step must be above 0 and at most 0.1"),
        ({RATE: {"uniform": [1, 11]}}, f"space.{RATE} = 11.0: must be a number above 0 and at most 10"),
        (
            {"optimisation.lr": {"log": [1, 2]}},
            "space.optimisation.lr = 'optimisation.lr': no such field; allowed: opt",
        ),
        ({"data.dataset": {"choices": ["a"]}}, "space.data.dataset = 'data.dataset': cannot be searched"),
        ({"data.split_seed": {"choices": [1, 2]}}, "trials would be judged by other images"),
        ({"model.backbone": {"log": [1, 2]}}, "must be choices: model.backbone is one of small_cnn"),
        ({"model.backbone": {"choices": ["lenet"]}}, "space.model.backbone = 'lenet': must be one of small_cnn"),
        ({"data.augmentations": {"choices": [["fly"]]}}, "('fly',): must be a list of flip"),
        ({MOMENTUM: {"uniform": [0, 0.9]}}, "means something only with optimisation.optimizer sgd or rmsprop"),
        ({RATE: {"log": [1e-4, 1], "when": {"epochs": 3}}}, "is not searched itself; search it, or leave"),
        ({**SPACE, RATE: {"log": [1e-4, 1], "when": {"epochs": 4}}}, "must be searched by choices"),
        (
            {**SPACE, RATE: {"log": [1e-4, 1], "when": {BATCH: 16}}},
            "must be among its choices that allow this field: 32",
        ),
        ({**SPACE, RATE: {"log": [1e-4, 1], "when": 3}}, f"space.{RATE}.when = 3: must be a mapping of field to value"),
        (
            {
                BATCH: {"choices": [1, 2], "when": {"seed": 1}},
                "seed": {"choices": [1, 2], "when": {BATCH: 1}},
            },
            "depends on itself, in a circle",
        ),
    ],
)
def test_spaces_that_mean_nothing_are_refused(space: object, words: str) -> None:
    with pytest.raises(Refused) as refused:
        spec_of(space)
    assert words in str(refused.value)


def test_all_problems_of_a_space_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        spec_of({"epochs": {"integers": [0, 3]}, RATE: {"uniform": [1, 11]}, "name": {"choices": ["a"]}})
    assert [one.field for one in refused.value.problems] == ["space.epochs", f"space.{RATE}", "space.name"]


FINITE = {BATCH: {"choices": [32, 64]}}
NUMBERS = {RATE: {"log": [1e-4, 1e-2]}}


@pytest.mark.parametrize(("algorithm", "scheduler"), [*product(ALGORITHMS, SCHEDULERS)])
def test_every_pair_is_taken_or_refused_with_a_reason(algorithm: str, scheduler: str) -> None:
    space = FINITE if algorithm == "grid" else NUMBERS
    works = scheduler != "bohb" if algorithm != "bohb" else scheduler == "bohb"
    works &= scheduler != "pbt" or algorithm == "random"
    if works:
        assert spec_of(space, algorithm=algorithm, scheduler=scheduler).scheduler == scheduler
        return
    with pytest.raises(Refused, match="works only with"):
        spec_of(space, algorithm=algorithm, scheduler=scheduler)


@pytest.mark.parametrize(
    ("space", "more", "words"),
    [
        (NUMBERS, {"algorithm": "grid"}, "grid needs choices, integers or a step"),
        (FINITE, {"algorithm": "cmaes"}, "cmaes knows numbers only"),
        (FINITE, {"algorithm": "random", "scheduler": "pbt"}, "pbt changes settings of trials that train"),
    ],
)
def test_a_space_that_the_algorithm_cannot_search_is_refused(space: object, more: dict[str, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        spec_of(space, **more)


CONDITIONAL = {
    MOMENTUM: {"uniform": [0.8, 1.0 - 0.1], "step": 0.05},
    OPTIMIZER: {"choices": ["adamw", "sgd"]},
    "optimisation.nesterov": {"choices": [True, False], "when": {OPTIMIZER: "sgd"}},
    BATCH: {"integers": [32, 96], "step": 32},
}


def test_a_field_that_another_choice_takes_is_conditional_by_itself() -> None:
    spec = spec_of(CONDITIONAL)
    assert next(iter(spec.conditions)) == OPTIMIZER, "parents first"
    assert spec.conditions[MOMENTUM] == {OPTIMIZER: ("sgd",)}
    assert spec.base == {OPTIMIZER: "adamw", BATCH: 64}


def test_what_depends_on_a_field_that_does_not_count_does_not_either() -> None:
    decay = {"choices": [0.0, 0.1], "when": {"optimisation.nesterov": True}}
    spec = spec_of({**CONDITIONAL, "optimisation.weight_decay": decay}, run={"optimisation": {"nesterov": True}})
    assert spec.base == {OPTIMIZER: "adamw", BATCH: 64}


def test_combinations_count_what_the_grid_tries() -> None:
    spec = spec_of(CONDITIONAL, algorithm="grid", trials=100)
    tried = list(spec.grid())
    assert spec.combinations == len(tried) == 3 * (1 + 3 * 2)
    assert len({tuple(sorted(one.items())) for one in tried}) == len(tried)
    assert spec.base in tried
    assert spec.num_trials == len(tried), "the base run is one of them"
    apart = spec_of({BATCH: {"choices": [16, 32]}}, algorithm="grid", trials=100)
    assert apart.num_trials == 3, "the base run and every combination"
    assert all(spec.assigned(one) == one for one in tried)
    assert spec_of(SPACE).combinations is None
    assert spec_of(SPACE).num_trials == 10


def test_what_is_drawn_becomes_a_run() -> None:
    spec = spec_of({**SPACE, **CONDITIONAL, "data.augmentations": {"choices": [[], ["flip"]]}})
    drawn = {
        "epochs": np.float64(5.4),
        RATE: np.float64(0.5),
        BATCH: np.int64(70),
        OPTIMIZER: np.str_("adamw"),
        MOMENTUM: 0.9,
        "data.augmentations": ("flip",),
    }
    found = spec.assigned(drawn)
    assert found == {"epochs": 5, RATE: 1e-3, BATCH: 64, OPTIMIZER: "adamw", "data.augmentations": ("flip",)}
    assert [type(found[path]) for path in ("epochs", RATE, OPTIMIZER)] == [int, float, str]
    run = spec.trial(found)
    assert (run.epochs, run.optimisation.learning_rate, run.data.augmentations) == (5, 1e-3, ("flip",))
    assert spec.trial({}) == spec.run


def test_values_that_do_not_go_together_are_refused_with_a_reason() -> None:
    spec = spec_of({"data.image_size": {"choices": [24, 64]}}, run={"model": {"backbone": "small_cnn"}})
    with pytest.raises(Refused, match="resnet18 needs images of 32 px"):
        spec_of({"data.image_size": {"choices": [24, 64]}}).trial({"data.image_size": 24})
    assert spec.trial({"data.image_size": 24}).data.image_size == 24
    with pytest.raises(Refused, match="is not searched"):
        spec.assigned({"epochs": 3})


@pytest.mark.parametrize(
    ("more", "cpus", "gpus", "expected"),
    [
        ({}, 4, 0, 4),
        ({"cpus": 3}, 4, 0, 1),
        ({"cpus": 8}, 4, 0, 1),
        ({"max_concurrent": 2}, 4, 0, 2),
        ({"trials": 3}, 8, 0, 3),
        ({"trials": 50}, 16, 2, 2),
        ({"trials": 50, "gpus": 0.25}, 16, 2, 8),
        ({"trials": 50, "gpus": 0.4}, 16, 2, 4),
        ({"trials": 50, "gpus": 0.6}, 16, 3, 3),
        ({"trials": 50, "cpus": 4}, 8, 4, 2),
    ],
)
def test_trials_at_a_time(more: dict[str, object], cpus: int, gpus: int, expected: int) -> None:
    assert spec_of(**more).at_a_time(cpus=cpus, gpus=gpus) == expected


@pytest.mark.parametrize("all_fields", [False, True])
@pytest.mark.parametrize("space", [SPACE, CONDITIONAL])
def test_yaml_reads_back_to_an_equal_spec(space: object, all_fields: bool) -> None:
    spec = spec_of(space, name="탐색", run={"epochs": 4}, hours=1.5, scheduler="median")
    assert SearchSpec.from_yaml(spec.to_yaml(all_fields=all_fields)) == spec
    assert SearchSpec.parse(spec.model_dump(mode="json")) == spec


def test_the_name_of_a_field_in_earlier_versions_is_read() -> None:
    text = f"space: {{{RATE}: {{log: [1e-4, 1e-2]}}}}\nat_once: "
    assert SearchSpec.from_yaml(text + "3").max_concurrent == 3
    with pytest.raises(Refused, match="max_concurrent = 'many': must be a whole number"):
        SearchSpec.from_yaml(text + "many")
    with pytest.raises(Refused, match="at_once = 3: no such field"):
        SearchSpec.from_yaml(text + "3\nmax_concurrent: 4")


def test_numbers_that_yaml_reads_as_text_are_numbers() -> None:
    spec = SearchSpec.from_yaml(f"space: {{{RATE}: {{log: [1e-4, 1e-2]}}}}")
    assert spec.space[RATE] == Range(log=(1e-4, 1e-2))


@pytest.mark.parametrize("name", api.SEARCH_PRESETS)
def test_presets_are_whole_searches(name: str) -> None:
    assert SearchSpec.parse(api.SEARCH_PRESETS[name].values).trials in (10, 30, 100)


def test_every_field_but_the_fixed_ones_can_be_searched() -> None:
    assert {"model.backbone", "freeze.policy", "data.augmentations", "optimisation.optimizer"} <= set(searchable())
    every = {one.path for one in api.settings()}
    assert {"name", "data.dataset", "strategy"} <= every - set(searchable())
    assert all(one.label and one.description for one in search_settings())
    assert "run.epochs" not in {one.path for one in search_settings()}


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-3, 10), st.floats(1e-3, 10), st.one_of(st.none(), st.floats(1e-2, 5)), st.floats(-20, 20))
def test_what_lies_outside_or_between_steps_is_brought_inside(
    low: float, width: float, step: float | None, drawn: float
) -> None:
    if step is not None and step > width:
        step = None
    one = Range(uniform=(low, low + width), step=step)
    near = one.nearest(drawn)
    assert low - 1e-9 <= near <= low + width + 1e-9
    assert one.nearest(near) == pytest.approx(near)
    assert step is None or near in one.values


def test_runs_of_trials_are_runs_like_any_other() -> None:
    spec = spec_of(run=api.PRESETS["demo"].values)
    assert RunSpec.parse(spec.trial(spec.base).model_dump(mode="json")) == spec.run
