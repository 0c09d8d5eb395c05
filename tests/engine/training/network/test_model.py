"""Networks and optimisers are what the catalog's rows say; a new row is tested by being there."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torchvision import models

from engine.catalog import BACKBONES, HEADS, INITIALISATIONS, OPTIMIZERS
from engine.catalog.freezing import HEAD
from engine.catalog.named import named
from engine.specs import Model, Optimisation, RunSpec
from engine.training.network.model import build
from engine.training.network.stages import UnfreezeSchedule, stages_of
from engine.training.optimiser import build_optimizer
from tests.backbones import each

STEMS = {row.layout.stages["stem"]: name for name, row in reversed(BACKBONES.items()) if row.layout.stem}


def unreal(asked: Model, channels: int = 3, classes: int = 7, size: int | None = None) -> nn.Module:
    """The network without memory for its weights, where torchvision can make it so."""
    row = BACKBONES[asked.backbone]
    size = size or max(row.layout.smallest_px, row.layout.multiple_of)
    try:
        with torch.device("meta"):
            return build(asked, classes=classes, channels=channels, image_size=size)
    except NotImplementedError:  # RegNet counts its blocks with tensors
        return build(asked, classes=classes, channels=channels, image_size=size)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_stages_hold_every_weight_once_and_head_only_leaves_the_head(backbone: str, channels: int) -> None:
    network = unreal(Model(backbone=backbone), channels)
    stages = stages_of(network, Model(backbone=backbone))
    held = [name for stage in stages for name in stage.parameters]
    assert sorted(held) == sorted(name for name, _ in network.named_parameters())
    assert all(stage.parameters for stage in stages)

    spec = RunSpec.parse({"model": {"backbone": backbone}, "data": size_of(backbone), "freeze": {"policy": "head"}})
    UnfreezeSchedule(stages, spec.thaw_plan, with_statistics=True).begin_epoch(0)
    learning = {name for name, weight in network.named_parameters() if weight.requires_grad}
    head = BACKBONES[backbone].layout.head
    assert learning == {name for name, _ in network.named_parameters() if name.startswith(f"{head}.")}


@pytest.mark.parametrize("backbone", each())
def test_frozen_stages_stay_bit_equal_while_the_rest_learns(backbone: str) -> None:
    torch.manual_seed(0)
    size = size_of(backbone)["image_size"]
    asked = Model(backbone=backbone)
    network = build(asked, classes=7, channels=1, image_size=size)
    stages = stages_of(network, asked)
    spec = RunSpec.parse({"model": {"backbone": backbone}, "data": size_of(backbone), "freeze": {"policy": "last"}})
    unfreezing = UnfreezeSchedule(stages, spec.thaw_plan, with_statistics=True)
    optimizer = build_optimizer(Optimisation(optimizer="sgd", momentum=0), stages, spec.rates)
    frozen = [stage for stage in stages if spec.thaw_plan[stage.name] is None]
    layers = [layer for stage in frozen for layer in stage.layers]
    before = [{name: value.clone() for name, value in layer.state_dict().items()} for layer in layers]
    head = {name: weight.clone() for name, weight in stages[-1].parameters.items()}
    network.train()
    unfreezing.begin_epoch(0)
    logits = network(torch.randn(2, 1, size, size))
    assert logits.shape == (2, 7)
    cross_entropy(logits, torch.tensor([0, 6])).backward()
    optimizer.step()
    for layer, values in zip(layers, before, strict=True):
        assert all(torch.equal(value, values[name]) for name, value in layer.state_dict().items())
    assert all(not torch.equal(weight, head[name]) for name, weight in stages[-1].parameters.items())


def size_of(backbone: str) -> dict[str, int]:
    """The smallest image size that a row allows."""
    layout = BACKBONES[backbone].layout
    return {"image_size": -(-layout.smallest_px // layout.multiple_of) * layout.multiple_of}


@pytest.mark.parametrize("backbone", [name for name in BACKBONES if name != "small_cnn"])
def test_row_states_what_torchvision_says(backbone: str) -> None:
    row, weights = BACKBONES[backbone], models.get_model_weights(backbone).DEFAULT
    looks = weights.transforms()
    assert row.parameters_m == pytest.approx(weights.meta["num_params"] / 1e6, abs=0.01)
    assert weights.url.endswith(f"/{row.weights_file}")
    assert row.px == looks.crop_size[0]
    if backbone not in ("googlenet", "inception_v3"):  # these turn ImageNet's recipe into their own inside the network
        assert row.recipe == (pytest.approx(looks.mean), pytest.approx(looks.std))


def test_every_classification_network_of_torchvision_is_a_row() -> None:
    assert set(models.list_models(module=models)) <= set(BACKBONES)


def test_small_cnn_states_its_parameters() -> None:
    network = build(Model(backbone="small_cnn"), classes=10, channels=3, image_size=64)
    millions = sum(weight.numel() for weight in network.parameters()) / 1e6
    assert BACKBONES["small_cnn"].parameters_m == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize(
    ("backbone", "size"),
    [("small_cnn", size) for size in (8, 9, 15, 28, 64, 96, 100, 224)] + [("resnet18", size) for size in (32, 45, 64)],
)
def test_every_size_and_channel_count_trains(backbone: str, size: int, channels: int) -> None:
    network = build(Model(backbone=backbone), classes=7, channels=channels, image_size=size)
    assert network(torch.randn(2, channels, size, size)).shape == (2, 7)


@pytest.mark.parametrize("backbone", STEMS.values())
def test_a_small_stem_keeps_more_of_small_images(backbone: str) -> None:
    grids = []
    for stem in ("original", "small"):
        network = unreal(Model(backbone=backbone, stem=stem), size=64).eval()
        seen: list[int] = []
        first = network.get_submodule(BACKBONES[backbone].layout.stem.split()[0])
        device = first.weight.device
        first.register_forward_hook(lambda layer, inputs, output, seen=seen: seen.append(output.shape[-1]))
        network(torch.empty(2, 3, 64, 64, device=device))
        grids += seen
    assert grids[1] >= 2 * grids[0]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("backbone", ["small_cnn", "resnet18", "squeezenet1_1", "vit_b_16"])
def test_every_head_answers_with_the_classes_and_alone_is_the_head(backbone: str, head: str) -> None:
    asked = Model(backbone=backbone, head=head)
    network = unreal(asked, size=64).eval()
    device = next(network.parameters()).device
    assert network(torch.empty(2, 3, 64, 64, device=device)).shape == (2, 7)
    stages = stages_of(network, asked)
    assert sorted(name for stage in stages for name in stage.parameters) == sorted(
        name for name, _ in network.named_parameters()
    )
    assert stages[-1].name == HEAD
    assert any(weight.shape[0] == 7 for weight in stages[-1].parameters.values())
    if head == "after":
        assert not any(weight.shape[0] == 1000 for weight in stages[-1].parameters.values())


@pytest.mark.parametrize("rule", INITIALISATIONS)
def test_new_layers_begin_as_asked(rule: str) -> None:
    torch.manual_seed(0)
    layer = build(Model(backbone="resnet18", initialisation=rule), classes=50, channels=3, image_size=64).fc
    bound = 512**-0.5
    weights, biases = layer.weight.detach(), layer.bias.detach()
    match rule:
        case "torch":
            assert bound * 0.95 < weights.abs().max() <= bound
        case "xavier":
            limit = (6 / (512 + 50)) ** 0.5
            assert limit * 0.95 < weights.abs().max() <= limit
            assert bound * 0.8 < biases.abs().max() <= bound
        case "kaiming":
            assert float(weights.std()) == pytest.approx((2 / 512) ** 0.5, rel=0.05)
        case "normal":
            assert float(weights.std()) == pytest.approx(0.01, rel=0.05)
        case "constant":
            assert float(weights.min()) == float(weights.max()) == pytest.approx(0.01)
    if rule in ("kaiming", "normal", "constant"):
        assert not biases.any()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_takes_its_fields_and_lowers_the_loss(name: str) -> None:
    torch.manual_seed(0)
    asked = Optimisation(optimizer=name, learning_rate=0.001, weight_decay=0.02, momentum=0.7)
    network = build(Model(backbone="small_cnn"), classes=3, channels=1, image_size=8)
    spec = RunSpec.parse({"model": {"backbone": "small_cnn"}})
    optimizer = build_optimizer(asked, stages_of(network, spec.model), spec.rates)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["name"], bool(group.get("fused"))) == (0.001, "all", OPTIMIZERS[name].fused)
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


def test_rates_and_decay_fall_to_the_right_groups() -> None:
    spec = RunSpec.parse({"freeze": {"rate_decay": 0.5}, "optimisation": {"decay_on": "weights", "weight_decay": 0.1}})
    network = build(spec.model, classes=3, channels=3, image_size=64)
    optimizer = build_optimizer(spec.optimisation, stages_of(network, spec.model), spec.rates)
    by_weight = {id(weight): group for group in optimizer.param_groups for weight in group["params"]}
    assert len(by_weight) == len(list(network.parameters()))
    of = {name: by_weight[id(weight)] for name, weight in network.named_parameters()}
    assert (of["fc.weight"]["share"], of["layer4.0.conv1.weight"]["share"], of["conv1.weight"]["share"]) == (
        1,
        0.5,
        0.5**5,
    )
    assert (of["fc.weight"]["weight_decay"], of["fc.bias"]["weight_decay"], of["bn1.weight"]["weight_decay"]) == (
        0.1,
        0,
        0,
    )


def test_rows_name_functions_that_exist() -> None:
    assert all(callable(named(row.build)) for row in (*BACKBONES.values(), *HEADS.values()))
