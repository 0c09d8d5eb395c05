"""Networks and optimisers are what the catalog's rows say."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from engine.catalog import BACKBONES, OPTIMIZERS
from engine.spec import Model, Optimisation
from engine.training.model import build, build_optimizer


@pytest.mark.parametrize("backbone", BACKBONES)
def test_row_states_the_real_number_of_parameters(backbone):
    network = build(Model(backbone=backbone), classes=10, channels=3, image_size=64)
    millions = sum(weight.numel() for weight in network.parameters()) / 1e6
    assert BACKBONES[backbone].parameters_m == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("backbone", "size"),
    [("small_cnn", size) for size in (8, 9, 15, 28, 64, 96, 100, 224)] + [("resnet18", size) for size in (32, 45, 64)],
)
def test_every_size_and_channel_count_trains(backbone, size, channels):
    assert size >= BACKBONES[backbone].smallest_px
    network = build(Model(backbone=backbone), classes=7, channels=channels, image_size=size)
    logits = network(torch.randn(2, channels, size, size))
    assert logits.shape == (2, 7)
    logits.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in network.parameters())


def test_small_cnn_is_the_network_of_the_course_notes():
    network = build(Model(backbone="small_cnn"), classes=10, channels=3, image_size=96)
    kinds = [type(layer).__name__ for layer in network]
    assert [kinds.count(kind) for kind in ("Conv2d", "MaxPool2d", "Linear")] == [3, 3, 5]


def test_small_cnn_stays_small_for_large_images():
    network = build(Model(backbone="small_cnn"), classes=10, channels=3, image_size=1024)
    assert sum(weight.numel() for weight in network.parameters()) < 1.5e6


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_takes_its_fields_and_lowers_the_loss(name):
    torch.manual_seed(0)
    asked = Optimisation(optimizer=name, learning_rate=0.01, weight_decay=0.02, momentum=0.7)
    network = build(Model(backbone="small_cnn"), classes=3, channels=1, image_size=8)
    optimizer = build_optimizer(asked, network)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["fused"]) == (0.01, True)
    assert {field: group[field] for field in OPTIMIZERS[name].takes} == {
        field: getattr(asked, field) for field in OPTIMIZERS[name].takes
    }
    images, labels = torch.randn(12, 1, 8, 8), torch.arange(12) % 3
    losses = []
    for _ in range(10):
        loss = cross_entropy(network(images), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0]
