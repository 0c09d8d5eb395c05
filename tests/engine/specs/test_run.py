"""A spec is checked at the door, in words; YAML in and out loses nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import Refused
from engine.specs import RunSpec, Setting
from engine.specs import settings as spec_settings

SETTINGS = {one.path: one for one in spec_settings()}


def nested(path: str, value: object) -> dict[str, object]:
    """{"a": {"b": value}} for "a.b"."""
    *parents, leaf = path.split(".")
    values: dict[str, object] = {leaf: value}
    for parent in reversed(parents):
        values = {parent: values}
    return values


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"epochs": 0}, "epochs = 0: must be a whole number at least 1 and at most 10,000"),
        (nested("optimisation.learning_rate", -1), "optimisation.learning_rate = -1: must be a number above 0"),
        (nested("optimisation.learning_rate", float("nan")), "optimisation.learning_rate = nan: must be a number"),
        (nested("optimisation.batch_size", 0), "optimisation.batch_size = 0: must be a whole number at least 1"),
        (nested("optimisation.lr", 1), "optimisation.lr = 1: no such field; allowed here: optimisation.optimizer"),
        ({"epoch": 1}, "epoch = 1: no such field; allowed here: compute, data, device, epochs"),
        (nested("model.backbone", "resnet"), "model.backbone = 'resnet': must be one of small_cnn, resnet18"),
        (nested("data.channels", "pink"), "data.channels = 'pink': must be one of auto, grey, colour"),
        (nested("data.image_size", 16), "data.image_size = 16: resnet18 needs images of 32 px or more"),
        (
            {"strategy": "ddp", "compute": {"processes": 3}, "optimisation": {"batch_size": 2}},
            "optimisation.batch_size = 2: must be 3 or more, an image for each process",
        ),
        ({"epochs": "1e-3x"}, "epochs = '1e-3x': must be a whole number"),
        ({"data": 3}, "data = 3: must be a mapping"),
        ([1], "spec = [1]: must be a mapping"),
    ],
)
def test_refusals_name_field_value_and_what_is_allowed(values: object, words: str) -> None:
    with pytest.raises(Refused) as refused:
        RunSpec.parse(values)
    assert words in str(refused.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        RunSpec.parse({"epochs": -1, "seed": -1, "optimisation": {"batch_size": 0}})
    assert [one.field for one in refused.value.problems] == ["optimisation.batch_size", "epochs", "seed"]


def test_text_that_is_not_yaml_is_refused() -> None:
    with pytest.raises(Refused, match="is not YAML"):
        RunSpec.from_yaml("a: [1, 2")


@pytest.mark.parametrize("all_fields", [False, True])
def test_yaml_reads_back_to_an_equal_spec(all_fields: bool) -> None:
    spec = RunSpec.parse(
        {"name": "고양이와 개", "data": {"image_size": 96}, "optimisation": {"learning_rate": 1e-5}, "seed": 3}
    )
    text = spec.to_yaml(all_fields=all_fields)
    assert RunSpec.from_yaml(text) == spec
    assert "고양이와 개" in text
    assert RunSpec.from_yaml(RunSpec().to_yaml(all_fields=all_fields)) == RunSpec()


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_field_explains_itself(setting: Setting) -> None:
    assert setting.label != setting.path
    assert setting.description.endswith(".")
    assert len(setting.description) > 20
    assert setting.allowed


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers())


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from([*SETTINGS, "data", "optimisation", "unknown", ""]), PLAIN, max_size=6))
def test_any_values_give_a_spec_or_a_refusal(flat: dict[str, object]) -> None:
    values: dict[str, object] = {}
    for path, value in flat.items():
        top, _, leaf = path.partition(".")
        inner = values.get(top)
        values[top] = {**(inner if isinstance(inner, dict) else {}), leaf: value} if leaf else value
    try:
        spec = RunSpec.parse(values)
    except Refused as refused:
        assert refused.problems and all(one.message for one in refused.problems)
    else:
        assert RunSpec.from_yaml(spec.to_yaml(all_fields=True)) == spec


def test_text_that_is_no_yaml_is_refused_like_any_other() -> None:
    with pytest.raises(Refused) as refused:
        RunSpec.parse({"freeze": {"policy": "stages", "stages": ["["]}})
    assert "must name some of" in str(refused.value)
