"""One optimiser step in parts: the same gradients, and memory that ran out is repaired in the middle of a run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.protocol.events import EventCode
from engine.specs import Optimisation
from engine.training.criterion import Criterion
from engine.training.precision import Format
from engine.training.state import RuntimeChoices
from engine.training.step import Stepper
from tests.engine.digits_run import DigitsRun

LABELS = torch.tensor([0, 1, 2, 2, 2, 1, 0, 0, 0, 0])


def network(*, norm: bool = False) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16) if norm else nn.Tanh(), nn.Linear(16, 3))


def gradients(parts: int, balance: str = "none", *, norm: bool = False) -> tuple[list[Tensor], Tensor]:
    model = network(norm=norm)
    asked = Optimisation(balance=balance)
    stepper = Stepper(Criterion(asked, LABELS.numpy(), 3), Format(), RuntimeChoices(parts=parts))
    kept: list[Tensor] = []

    class Keeps(torch.optim.SGD):
        def step(self, *args: Any, **kwargs: Any) -> None:
            kept.extend(weight.grad.clone() for weight in model.parameters() if weight.grad is not None)

    torch.manual_seed(1)
    loss, _ = stepper.step(model, Keeps(model.parameters(), lr=0.1), torch.randn(10, 6), LABELS)
    return kept, loss


@pytest.mark.parametrize("balance", ["none", "class weights"])
@pytest.mark.parametrize("parts", [2, 3, 10, 64])
def test_gradients_and_loss_are_those_of_the_whole_batch(parts: int, balance: str) -> None:
    whole, loss = gradients(1, balance)
    some, same = gradients(parts, balance)
    torch.testing.assert_close(same, loss, rtol=0, atol=1e-6)
    for ours, theirs in zip(some, whole, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)


def test_loss_of_one_part_is_torchs_own() -> None:
    torch.manual_seed(1)
    images = torch.randn(10, 6)
    assert gradients(1)[1] == pytest.approx(cross_entropy(network()(images), LABELS).item())


class Narrow(nn.Module):
    """A network that runs out of memory, from one moment on, for more than so many images at once."""

    def __init__(self, inner: nn.Module, most: int, after: int, error: Exception) -> None:
        super().__init__()
        self.inner, self.most, self.left, self.error = inner, most, after, error

    def forward(self, images: Tensor) -> Tensor:
        self.left -= 1
        if self.training and self.left < 0 and len(images) > self.most:
            raise self.error
        made: Tensor = self.inner(images)
        return made


ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize(
    ("most", "error"), [(16, ERRORS[0]), (16, ERRORS[1]), (1, ERRORS[2])], ids=["cuda", "cpu", "python, one by one"]
)
def test_a_run_that_runs_out_of_memory_goes_on_in_parts(tmp_path: Path, error: Exception, most: int) -> None:
    """Dropout draws chances: a step tried again must not draw others than its first try did."""
    smooth, narrow = (DigitsRun(tmp_path / name, tmp_path / "cache") for name in ("smooth", "narrow"))
    assert smooth.fit()
    after = int(np.random.default_rng(most).integers(3, 40))  # the first three passes are the precision's trial
    narrow.training.model = Narrow(narrow.training.model, most, after, error)
    assert narrow.fit()
    assert narrow.training.choices.parts == 64 // most
    assert narrow.training.progress.step == smooth.training.progress.step  # the same steps, of the same batches
    losses = [
        [line["values"]["train/loss"] for line in run.reporter.of("metrics") if "train/loss" in line["values"]]
        for run in (smooth, narrow)
    ]
    np.testing.assert_allclose(losses[1][:20], losses[0][:20], rtol=1e-3)  # roundings grow from step to step
    said = [line for line in narrow.reporter.of("message") if line["level"] == "warning"]
    assert len(said) == (64 // most).bit_length() - 1
    assert f"in {64 // most} parts of {most}; what is learned stays the same." in said[-1]["text"]


def test_memory_that_runs_out_while_precisions_are_timed_is_no_end(tmp_path: Path) -> None:
    run = DigitsRun(tmp_path / "a", tmp_path / "cache")
    run.training.model = Narrow(run.training.model, 16, 0, MemoryError())
    assert run.fit()
    assert run.training.choices.parts == 4


def test_chances_are_those_of_the_first_try() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.5))
    narrow = Narrow(model, 5, 0, MemoryError())
    drawn = []
    model[1].register_forward_pre_hook(lambda *_: drawn.append(torch.get_rng_state().clone()))
    stepper = Stepper(Criterion(Optimisation(), LABELS.numpy(), 3), Format(), RuntimeChoices())
    before = torch.get_rng_state()
    stepper.step(
        narrow, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(10, 6, generator=torch.Generator()), LABELS
    )
    assert torch.equal(drawn[0], before)


class Said:
    def __init__(self) -> None:
        self.said: list[tuple[EventCode, dict[str, object]]] = []

    def __call__(self, code: EventCode, /, **details: object) -> None:
        self.said.append((code, details))


def test_batch_norm_is_told_to_see_smaller_parts() -> None:
    reporter = Said()
    model = Narrow(network(norm=True), 5, 0, MemoryError())
    stepper = Stepper(Criterion(Optimisation(), LABELS.numpy(), 3), Format(), RuntimeChoices(), warn=reporter)
    stepper.step(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(10, 6), LABELS)
    assert reporter.said == [(EventCode.MEMORY_SHORT_NORMS, {"images": 10, "parts": 2, "size": 5})]


def test_a_single_image_that_does_not_fit_ends_the_run() -> None:
    model = Narrow(network(), 0, 0, torch.OutOfMemoryError("CUDA out of memory"))
    stepper = Stepper(Criterion(Optimisation(), LABELS.numpy(), 3), Format(), RuntimeChoices())
    with pytest.raises(torch.OutOfMemoryError):
        stepper.step(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(10, 6), LABELS)
    assert stepper.choices.parts == 16


def test_another_error_is_not_taken_for_memory() -> None:
    model = Narrow(network(), 0, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    stepper = Stepper(Criterion(Optimisation(), LABELS.numpy(), 3), Format(), RuntimeChoices())
    with pytest.raises(RuntimeError, match="mat1"):
        stepper.step(model, torch.optim.SGD(model.parameters(), lr=0.1), torch.randn(10, 6), LABELS)
    assert stepper.choices.parts == 1
