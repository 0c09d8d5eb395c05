"""Number formats: "auto" takes the one that is fastest here, whatever else the machine does meanwhile."""

import time
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.training import precision
from engine.training.precision import Format, agreed, choose

CPU = torch.device("cpu")
STEPS_S = {"fp32": 0.02, "bf16": 0.01}


class Slept:
    """A step that takes so long in each format; every third one is slowed, as by another program."""

    def __init__(self, steps_s: dict[str, float]) -> None:
        self.network, self.steps_s, self.taken = nn.BatchNorm1d(2), steps_s, 0

    def __call__(self, form: Format) -> Tensor:
        self.taken += 1
        time.sleep(self.steps_s[form.precision] + (0.05 if self.taken % 3 == 0 else 0.0))
        return self.network(torch.rand(4, 2)).sum()


@pytest.fixture(autouse=True)
def _can_compute_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_has_bf16", lambda device: True)


@pytest.mark.parametrize("best", ["fp32", "bf16"])
def test_auto_takes_the_quickest_though_some_steps_are_slowed(best: str) -> None:
    step = Slept({name: 0.01 if name == best else 0.03 for name in STEPS_S})
    choice = choose("auto", CPU, step.network, step, steps=1000)
    assert choice.format.precision == best
    assert choice.measured.startswith(f"Precision: {best}, the fastest here (fp32 ")


def test_a_short_run_is_not_kept_waiting_for_a_trial() -> None:
    step = Slept(STEPS_S)
    choice = choose("auto", CPU, step.network, step, steps=3)
    assert (choice.format.precision, choice.measured, step.taken) == ("fp32", "", 2)


def test_a_trial_leaves_statistics_gradients_and_chance_as_they_were() -> None:
    step = Slept(STEPS_S)
    before, chance = step.network.running_mean.clone(), torch.get_rng_state()
    choose("auto", CPU, step.network, step, steps=1000)
    assert torch.equal(step.network.running_mean, before)
    assert torch.equal(torch.get_rng_state(), chance)
    assert step.network.weight.grad is None


def test_a_format_that_is_asked_for_is_taken_untried() -> None:
    step = Slept(STEPS_S)
    assert choose("bf16", CPU, step.network, step, steps=1000).format == Format("bf16", "cpu")
    assert step.taken == 0


def test_trials_of_a_search_agree_on_a_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_FORMAT_FILE", str(tmp_path / "search" / "format"))
    answers = iter(["bf16", "fp32"])
    assert [agreed(lambda: next(answers)) for _ in range(3)] == ["bf16"] * 3
    (tmp_path / "search" / "format").unlink()

    def late() -> str:
        (tmp_path / "search" / "format").write_text("bf16")  # another trial, meanwhile
        return "fp32"

    assert agreed(late) == "bf16"
    assert [path.name for path in (tmp_path / "search").iterdir()] == ["format"]
    monkeypatch.delenv("THAW_FORMAT_FILE")
    assert agreed(lambda: "fp32") == "fp32"
