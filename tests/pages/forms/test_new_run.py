"""The New run form: every setting has its field when it matters, says what it does, and shows what it makes happen."""

import json
from typing import Any

import pytest

from engine import api
from engine.api import RunSpec
from pages.parts.figures.runs.marks import thaw_marks
from pages.parts.figures.runs.rate_finder import rate_finder
from pages.parts.figures.runs.rate_plan import rate_plan
from pages.parts.figures.runs.thaw_plan import thaw_plan
from pages.parts.palette import DARK, LIGHT
from storage import Run, Store
from tests.pages.pages import NEW_RUN, opened, texts

SETTINGS = list(api.settings())
GRADUAL = {"model": {"backbone": "resnet18"}, "freeze": {"policy": "gradual", "every_epochs": 2}, "epochs": 7}


def drawn(app: Any) -> dict[str, Any]:
    kinds = (app.text_input, app.number_input, app.selectbox, app.multiselect, app.toggle)
    return {one.key: one for kind in kinds for one in kind}


def test_every_setting_that_matters_has_its_field_and_no_other(calm: Store) -> None:
    fields = {key for key in drawn(opened(NEW_RUN)) if key and key.startswith("new_")}
    usual = {f"new_{one.path}" for one in SETTINGS if one.when is None}
    assert usual <= fields
    hidden = {f"new_{one.path}" for one in SETTINGS if one.when and _default(one.when[0]) not in one.when[1]}
    assert hidden
    assert not hidden & fields


@pytest.mark.parametrize(
    ("path", "value"), sorted({(one.when[0], value) for one in SETTINGS if one.when for value in one.when[1]})
)
def test_a_choice_brings_the_fields_that_depend_on_it(calm: Store, path: str, value: str) -> None:
    app = opened(NEW_RUN)
    app.selectbox(key=f"new_{path}").set_value(value).run()
    expected = {f"new_{one.path}" for one in SETTINGS if one.when and one.when[0] == path and value in one.when[1]}
    fields = drawn(app)
    if value == "run":  # there is none to choose from yet: the form says so
        assert "No run has a checkpoint yet" in texts(app)
    else:
        assert expected <= set(fields)


def test_each_field_says_what_it_does_and_what_is_allowed(calm: Store) -> None:
    fields = drawn(opened(NEW_RUN))
    for one in SETTINGS:
        if one.when is None:
            assert one.description in fields[f"new_{one.path}"].help


def test_the_note_of_the_chosen_row_stands_under_its_field(calm: Store) -> None:
    app = opened(NEW_RUN)
    app.selectbox(key="new_model.backbone").set_value("vit_b_16").run()
    assert "A transformer over image patches" in texts(app)


def test_starting_from_a_run_takes_its_network_and_keeps_its_backbone(runs: dict[str, Run], store: Store) -> None:
    finished = runs["finished"]
    app = opened(NEW_RUN, weights=finished.id)
    assert app.selectbox(key="new_model.weights_from").value == finished.id
    assert app.selectbox(key="new_model.backbone").value == finished.spec["model"]["backbone"]
    assert app.selectbox(key="new_freeze.policy").value == "head"
    assert app.selectbox(key="new_data.dataset").value == "shapes"  # it has learned digits


def test_what_never_thaws_is_said_before_the_start(calm: Store) -> None:
    app = opened(NEW_RUN)
    app.selectbox(key="new_freeze.policy").set_value("gradual").run()
    app.number_input(key="new_epochs").set_value(3).run()
    assert "never thaw: train for more epochs" in texts(app)


def test_thaw_plan_draws_frozen_then_learning() -> None:
    option = thaw_plan(RunSpec.parse(GRADUAL).thaw_plan, 7, palette=LIGHT)
    assert option["yAxis"]["data"] == ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
    frozen, learns = ([one["value"] for one in series["data"]] for series in option["series"])
    assert frozen == [7, 7, 6, 4, 2, 0]
    assert learns == [0, 0, 1, 3, 5, 7]
    assert [one["label"]["formatter"] for one in option["series"][1]["data"]][2:5] == [
        "from epoch 7",
        "from epoch 5",
        "from epoch 3",
    ]
    json.dumps(thaw_plan({"a": None, "head": 0}, 5, palette=DARK), allow_nan=False)


def test_thaw_marks_stand_at_the_first_step_of_their_epoch() -> None:
    marks = thaw_marks(RunSpec.parse(GRADUAL).thaw_plan, 10)
    assert [(mark.step, mark.text) for mark in marks[:2]] == [(21, "layer4 thaws"), (41, "layer3 thaws")]


def test_rate_plan_draws_a_line_a_rate() -> None:
    option = rate_plan({"layer4": [(2.0, 0.0004), (7.0, 0.0)], "head": [(0.0, 0.001)]}, 7, palette=LIGHT)
    assert [(one["name"], one["data"]) for one in option["series"]] == [
        ("layer4", [[2.0, 0.0004], [7.0, 0.0]]),
        ("head", [[0.0, 0.001]]),
    ]


def test_rate_finder_marks_the_suggestion() -> None:
    option = rate_finder([1e-5, 1e-3, 1e-1], [2.0, 1.0, 3.0], 1e-3, palette=LIGHT)
    assert option["series"][0]["data"] == [[1e-5, 2.0], [1e-3, 1.0], [1e-1, 3.0]]
    assert option["series"][1]["data"] == [[1e-3, 1.0], [1e-3, 3.0]]


def _default(path: str) -> str:
    return next(str(one.default) for one in SETTINGS if one.path == path)


def test_the_address_sets_single_settings_and_leaves_out_what_is_refused(calm: Store) -> None:
    query = {
        "epochs": "7",
        "seed": "abc",
        "data.image_size": "[",
        "optimisation.batch_size": "-1",
        "freeze.policy": "head",
    }
    app = opened(NEW_RUN, **query)
    assert (app.number_input(key="new_epochs").value, app.selectbox(key="new_freeze.policy").value) == (7, "head")
    assert app.number_input(key="new_seed").value == 0
    assert app.number_input(key="new_optimisation.batch_size").value > 0
    said = [one.value for one in app.toast]
    assert len(said) == 3, said
