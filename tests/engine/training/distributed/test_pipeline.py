"""How a pipeline cuts a network: in pieces of about the same arithmetic, which together are the network."""

import pytest
import torch

from engine.api import RunSpec, Unavailable
from engine.training.distributed.pipeline import balanced, planned
from engine.training.network.model import build
from engine.training.precision import Format

SPEC = RunSpec.parse({"model": {"backbone": "resnet18"}, "data": {"image_size": 64}})


def test_shares_are_neighbours_and_the_largest_is_as_small_as_can_be() -> None:
    assert balanced((1, 1, 1, 9), 2) == [3, 4]
    assert balanced((5, 1, 1, 1, 5), 3) == [1, 4, 5]
    assert balanced((4, 4, 4), 1) == [3]


@pytest.mark.parametrize("world_size", [2, 3])
def test_pieces_one_behind_the_other_are_the_network(world_size: int) -> None:
    network, image = build(SPEC.model, classes=5, channels=3, image_size=64).eval(), torch.rand(1, 3, 64, 64)
    plan = planned(network, SPEC, image, Format(), world_size)
    value = image
    with torch.no_grad():
        for piece, crossing in zip(plan.pieces.of(network), plan.crossing[1:], strict=True):
            value = piece(value)
            assert (tuple(value.shape[1:]), value.dtype) == (crossing.shape, crossing.dtype)
        assert torch.equal(value, network(image))


def test_more_processes_than_pieces_are_refused_in_words() -> None:
    network = build(SPEC.model, classes=5, channels=3, image_size=64).eval()
    with pytest.raises(Unavailable, match=r"resnet18 can be cut into at most \d pieces, and 40 processes"):
        planned(network, SPEC, torch.rand(1, 3, 64, 64), Format(), 40)
