"""Every network cut between any two stages computes what it computes whole; a new row is tested by existing."""

import copy

import pytest
import torch

from engine.catalog import BACKBONES
from engine.specs import Model
from engine.training.network.cut import CannotCut, cut, pieces
from engine.training.network.model import build
from engine.training.network.stages import stage_paths
from tests.backbones import each

LARGEST_M = 30  # larger ones are the same code as the smaller ones of their families


@pytest.mark.parametrize("backbone", each(LARGEST_M))
def test_two_halves_are_the_whole_bit_by_bit(backbone: str) -> None:
    layout, spec = BACKBONES[backbone].layout, Model(backbone=backbone)
    size = -(-layout.smallest_px // layout.multiple_of) * layout.multiple_of
    torch.manual_seed(0)
    network = build(spec, classes=7, channels=3, image_size=size).eval()
    twin = copy.deepcopy(network)  # as the average of weights is: made before the cut
    images = torch.randn(2, 3, size, size)
    with torch.inference_mode():
        whole = network(images)
        for boundary in list(stage_paths(spec))[1:]:
            made = cut(network, spec, boundary)
            half = made.first(network)(images)
            assert torch.equal(made.rest(network)(half), whole), boundary
            assert torch.equal(made.rest(twin)(half), whole), boundary


def test_before_the_first_stage_nothing_lies() -> None:
    spec = Model(backbone="small_cnn")
    network = build(spec, classes=2, channels=1, image_size=16)
    with pytest.raises(CannotCut):
        cut(network, spec, next(iter(stage_paths(spec))))


def test_halves_use_the_networks_own_layers() -> None:
    spec = Model(backbone="resnet18")
    network = build(spec, classes=2, channels=3, image_size=32)
    made = cut(network, spec, "layer4")
    first, rest = dict(made.first(network).named_parameters()), dict(made.rest(network).named_parameters())
    own = dict(network.named_parameters())
    assert {**first, **rest}.keys() == own.keys()
    assert all(own[name] is weight for name, weight in {**first, **rest}.items())
    assert not first.keys() & rest.keys()


@pytest.mark.parametrize("backbone", ["resnet18", "densenet121", "vit_b_16", "maxvit_t", "inception_v3", "swin_t"])
def test_all_pieces_one_after_the_other_are_the_whole(backbone: str) -> None:
    layout, spec = BACKBONES[backbone].layout, Model(backbone=backbone)
    size = -(-layout.smallest_px // layout.multiple_of) * layout.multiple_of
    network = build(spec, classes=7, channels=3, image_size=size).eval()
    images = torch.randn(2, 3, size, size)
    parts = pieces(network, spec, list(stage_paths(spec))[1:])
    with torch.inference_mode():
        made = images
        for piece in parts.of(network):
            made = piece(made)
        assert torch.equal(made, network(images))
