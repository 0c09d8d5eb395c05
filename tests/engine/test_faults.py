"""Each fault is known by its code, and what is offered against it can be started."""

import pytest

from engine.faults import FAULTS, REMEDIES, advice, cause_of, remedies
from engine.protocol.reasons import Reason
from engine.specs import RunSpec

LARGE = RunSpec.parse(
    {
        "data": {"image_size": 224},
        "model": {"backbone": "resnet18", "weights": "pretrained"},
        "optimisation": {"batch_size": 64, "learning_rate": 0.3},
    }
)


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_says_what_to_do(code: str) -> None:
    assert code in Reason
    assert advice(code, LARGE).endswith(".")


def test_an_unforeseen_failure_offers_nothing() -> None:
    assert remedies("unforeseen", LARGE) == remedies(None, LARGE) == []


def test_failures_are_told_apart_by_code_else_by_words_without_numbers() -> None:
    assert cause_of("diverged", "diverged: at step 3.") == cause_of("diverged", "in other words") == "diverged"
    assert cause_of("unforeseen", "odd: 3.") == cause_of(None, "odd: 12.5.") != cause_of("unforeseen", "even: 3.")


def test_every_remedy_belongs_to_a_fault() -> None:
    assert {key for fault in FAULTS.values() for key in fault.remedies} == set(REMEDIES)


def test_out_of_memory_offers_ordered_ways_each_a_whole_spec() -> None:
    offers = remedies("out_of_memory", LARGE)
    keys = ["smaller_images", "bf16", "recompute", "freeze_more", "more_parts", "half_the_batch"]
    assert [one.key for one in offers] == keys
    changed = [one.spec for one in offers]
    assert changed[0].data.image_size == 112
    assert changed[1].compute.precision == "bf16"
    assert changed[2].compute.recompute
    assert changed[3].thaw_plan["layer4"] == 0
    assert changed[3].thaw_plan["layer3"] is None
    assert changed[4].compute.parts == 2
    assert changed[5].optimisation.batch_size == 32
    for one in changed:  # nothing else is touched
        assert one.model == LARGE.model
        assert one.epochs == LARGE.epochs


def test_what_was_done_already_is_not_offered_again() -> None:
    tried = LARGE.model_dump(mode="json")
    for key in ("smaller_images", "bf16", "recompute", "freeze_more", "half_the_batch"):
        offered = {one.key: one for one in remedies("out_of_memory", RunSpec.parse(tried))}
        tried = offered[key].spec.model_dump(mode="json")
    again = [one.key for one in remedies("out_of_memory", RunSpec.parse(tried))]
    assert "bf16" not in again
    assert "recompute" not in again
    assert RunSpec.parse(tried).freeze.stages == ("layer4",)
    assert "freeze_more" in again  # the head alone is left


def test_random_weights_are_not_frozen_and_sizes_fit_the_backbone() -> None:
    transformer = RunSpec.parse({"data": {"image_size": 80}, "model": {"backbone": "vit_b_16"}})
    offers = {one.key: one.spec for one in remedies("out_of_memory", transformer)}
    assert "freeze_more" not in offers
    assert offers["smaller_images"].data.image_size == 32


def test_a_kill_for_lack_of_memory_keeps_the_batch_but_computes_it_in_parts() -> None:
    first = remedies("killed_for_memory", LARGE)[0]
    assert (first.spec.compute.parts, first.spec.optimisation.batch_size) == (2, 64)
