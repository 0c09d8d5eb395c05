"""Recomputed activations: the same gradients and statistics, from less memory kept."""

import pytest
import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from engine.specs import Model
from engine.training.network.cut import pieces
from engine.training.network.model import build
from engine.training.network.recompute import Recomputed
from engine.training.network.stages import stage_paths
from tests.engine.digits_run import DigitsRun


def step(network: nn.Module, enter: nn.Module, images: torch.Tensor) -> int:
    """One backward pass; bytes that the forward pass kept."""
    kept = 0

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal kept
        kept += tensor.numel() * tensor.element_size()
        return tensor

    network.train()
    torch.manual_seed(3)
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = enter(images).square().mean()
    loss.backward()
    return kept


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_v2", "efficientnet_b0"])  # BatchNorm, dropout, both
def test_gradients_and_statistics_are_the_same_and_less_is_kept(backbone: str) -> None:
    spec = Model(backbone=backbone)
    torch.manual_seed(0)
    whole = build(spec, classes=3, channels=3, image_size=64)
    torch.manual_seed(0)
    again = build(spec, classes=3, channels=3, image_size=64)
    images = torch.randn(4, 3, 64, 64)
    enter = Recomputed(pieces(again, spec, list(stage_paths(spec))[1:]).of(again))
    much, little = step(whole, whole, images), step(again, enter, images)
    assert little < much / 2
    for (name, one), other in zip(whole.named_parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, msg=name)
    for (name, one), other in zip(whole.named_buffers(), again.buffers(), strict=True):
        torch.testing.assert_close(one, other, msg=name)


@pytest.mark.parametrize("policy", ["none", "gradual"])
def test_a_run_that_recomputes_learns_the_same(tmp_path, policy: str) -> None:
    spec = {"freeze": {"policy": policy, "every_epochs": 1}}
    runs = []
    for recompute in (False, True):
        compute = {"precision": "fp32", "recompute": recompute}
        run = DigitsRun(tmp_path / str(recompute), tmp_path / "cache", spec=spec | {"compute": compute})
        assert run.fit()
        runs.append(run.weights())
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
