"""Each fault is known by its reason, and what is offered against it can be started."""

from itertools import permutations

import pytest

from engine.faults import FAULTS, REMEDIES, advice, fault_of, remedies
from engine.specs import RunSpec
from engine.supervisor.exit_causes import KILLED

LARGE = RunSpec.parse(
    {
        "data": {"image_size": 224},
        "model": {"backbone": "resnet18", "weights": "pretrained"},
        "optimisation": {"batch_size": 64, "learning_rate": 0.3},
    }
)


def test_no_reason_begins_another() -> None:
    for one, other in permutations(FAULTS.values(), 2):
        assert not one.reason.startswith(other.reason)


@pytest.mark.parametrize("key", FAULTS)
def test_a_fault_is_known_by_its_reason_and_says_what_to_do(key: str) -> None:
    assert fault_of(f"{FAULTS[key].reason}: more words.") is FAULTS[key]
    assert advice(key, LARGE).endswith(".")


def test_an_unforeseen_failure_offers_nothing() -> None:
    assert fault_of("ValueError: odd.") is fault_of(None) is None
    assert remedies("ValueError: odd.", LARGE) == []


def test_a_killed_process_is_a_known_fault() -> None:
    assert fault_of(KILLED) is FAULTS["killed"]


def test_every_remedy_belongs_to_a_fault() -> None:
    assert {key for fault in FAULTS.values() for key in fault.remedies} == set(REMEDIES)


def test_out_of_memory_offers_ordered_ways_each_a_whole_spec() -> None:
    offers = remedies("out of memory.", LARGE)
    keys = ["smaller images", "bf16", "recompute", "freeze more", "more parts", "half the batch"]
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
    for key in ("smaller images", "bf16", "recompute", "freeze more", "half the batch"):
        offered = {one.key: one for one in remedies("out of memory.", RunSpec.parse(tried))}
        tried = offered[key].spec.model_dump(mode="json")
    again = [one.key for one in remedies("out of memory.", RunSpec.parse(tried))]
    assert "bf16" not in again
    assert "recompute" not in again
    assert RunSpec.parse(tried).freeze.stages == ("layer4",)
    assert "freeze more" in again  # the head alone is left


def test_random_weights_are_not_frozen_and_sizes_fit_the_backbone() -> None:
    transformer = RunSpec.parse({"data": {"image_size": 80}, "model": {"backbone": "vit_b_16"}})
    offers = {one.key: one.spec for one in remedies("out of memory.", transformer)}
    assert "freeze more" not in offers
    assert offers["smaller images"].data.image_size == 32


def test_a_kill_for_lack_of_memory_keeps_the_batch_but_computes_it_in_parts() -> None:
    first = remedies(f"{FAULTS['killed for memory'].reason}.", LARGE)[0]
    assert (first.spec.compute.parts, first.spec.optimisation.batch_size) == (2, 64)
