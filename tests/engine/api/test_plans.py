"""Freeze policies and schedules, over every row: plans that a page draws before anything starts."""

import pytest

from engine.api import FREEZE_POLICIES, SCHEDULES, RunSpec
from engine.catalog.schedules import share_at

STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


def planned(policy: str, **fields: object) -> dict[str, int | None]:
    return RunSpec.parse({"model": {"backbone": "resnet18"}, "freeze": {"policy": policy, **fields}}).thaw_plan


@pytest.mark.parametrize("policy", FREEZE_POLICIES)
def test_a_plan_names_every_stage_in_order_and_the_head_always_learns(policy: str) -> None:
    plan = planned(policy, stages=["layer2"])
    assert tuple(plan) == (*STAGES, "head")
    assert plan["head"] == 0


def test_plans_are_what_their_names_say() -> None:
    assert set(planned("none").values()) == {0}
    assert [name for name, thaws in planned("head").items() if thaws is not None] == ["head"]
    assert [name for name, thaws in planned("last", last_stages=2).items() if thaws == 0] == [
        "layer3",
        "layer4",
        "head",
    ]
    assert [name for name, thaws in planned("stages", stages=["stem"]).items() if thaws == 0] == ["stem", "head"]
    assert list(planned("gradual", every_epochs=3).values()) == [15, 12, 9, 6, 3, 0]


def test_rates_fall_from_the_head_to_the_input() -> None:
    spec = RunSpec.parse({"model": {"backbone": "resnet18"}, "freeze": {"policy": "gradual", "rate_decay": 0.5}})
    assert list(spec.rates.values()) == [2**-5, 2**-4, 2**-3, 2**-2, 2**-1, 1]


def optimisation(**fields: object) -> object:
    return RunSpec.parse({"optimisation": fields}).optimisation


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_stays_between_nothing_and_the_rate_and_warms_up(name: str, warmup: int) -> None:
    shares = [share_at(name, epoch / 10, 12, optimisation(warmup_epochs=warmup)) for epoch in range(121)]
    assert all(0 <= share <= 1 for share in shares)
    assert max(shares) == pytest.approx(1, abs=0.01)
    if warmup and not SCHEDULES[name].rises:
        assert shares[:30] == sorted(shares[:30])
        assert shares[15] == pytest.approx(0.5)


def test_schedules_are_what_their_names_say() -> None:
    step = optimisation(step_epochs=5, step_factor=0.1)
    assert [share_at("step", epoch, 12, step) for epoch in (4.9, 5, 10)] == pytest.approx([1, 0.1, 0.01])
    cosine = optimisation(final_share=0.2)
    assert [share_at("cosine", epoch, 10, cosine) for epoch in (0, 5, 10)] == pytest.approx([1, 0.6, 0.2])
    cycle = [share_at("one_cycle", epoch, 10, optimisation()) for epoch in (0, 3, 10)]
    assert cycle == pytest.approx([0.04, 1, 1e-4])


def test_one_cycle_warms_up_by_itself() -> None:
    shares = [share_at("one_cycle", epoch / 10, 10, optimisation(warmup_epochs=2)) for epoch in range(101)]
    top = shares.index(max(shares))
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
