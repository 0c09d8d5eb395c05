"""docs/adding.md does what it says: each of its blocks, run as it stands, is a choice that works."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from engine.catalog import TABLES, algorithms, augmentations, backbones, freezing, schedules, weights
from engine.data.augment import augmenter
from engine.specs import RunSpec, SearchSpec
from engine.training.network import weights as first_weights
from engine.training.network.model import build
from engine.training.network.stages import UnfreezeSchedule, stages_of
from engine.tuning.samplers.sampler import make_sampler
from tests.conftest import ROOT

BLOCKS = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "adding.md").read_text(encoding="utf-8"), re.DOTALL)
EDITED = (
    algorithms.ALGORITHMS,
    augmentations.AUGMENTATIONS,
    backbones.BACKBONES,
    freezing.FREEZE_POLICIES,
    schedules.SCHEDULES,
    weights.WEIGHTS,
)


@pytest.fixture(autouse=True)
def added() -> Iterator[list[int]]:
    """All blocks run, in a module of their own; the tables are as before afterwards. How many rows they had."""
    before = [dict(table) for table in EDITED]
    module = ModuleType("adding")
    sys.modules["adding"] = module
    for block in BLOCKS:
        exec(compile(block, "docs/adding.md", "exec"), module.__dict__)
    yield [len(rows) for rows in before]
    for table, rows in zip(EDITED, before, strict=True):
        table.clear()
        table.update(rows)
    del sys.modules["adding"]


def test_there_is_a_block_a_table(added: list[int]) -> None:
    assert [len(table) for table in EDITED] == [rows + 1 for rows in added]
    assert all(TABLES[name] is table for name, table in zip(NAMES, EDITED, strict=True)), "a spec's choices follow"
    assert max(len(block.strip().splitlines()) for block in BLOCKS) <= 20


NAMES = ("algorithms", "augmentations", "backbones", "freeze_policies", "schedules", "weights")


def test_the_freeze_policy_plans() -> None:
    plan = RunSpec.parse({"freeze": {"policy": "ends"}}).thaw_plan
    assert plan == {"stem": 0, "layer1": None, "layer2": None, "layer3": None, "layer4": 0, "head": 0}


def test_the_schedule_falls() -> None:
    spec = RunSpec.parse({"optimisation": {"schedule": "linear"}, "epochs": 10})
    assert [spec.rate_share(epoch) for epoch in (0, 5, 10)] == [1, 0.5, 0]


def test_the_algorithm_proposes_evenly() -> None:
    space = {"optimisation.learning_rate": {"uniform": [1, 9]}, "optimisation.label_smoothing": {"uniform": [0, 0.5]}}
    spec = SearchSpec.parse({"algorithm": "halton", "space": space})
    drawn = [make_sampler(spec).suggest(number) for number in range(2, 10)]
    assert all(one is not None and set(one) == set(space) for one in drawn)
    eighths = {int(one["optimisation.learning_rate"]) for one in drawn if one}
    assert len(eighths) >= 7


def test_the_augmentation_changes_images() -> None:
    spec = RunSpec.parse({"data": {"augmentations": ["sharpen"]}})
    change = augmenter(spec.data.augmentations, strength=1.0, size=16, channels=3)
    images = torch.randint(0, 255, (32, 3, 16, 16), dtype=torch.uint8)
    assert change is not None
    unchanged = sum(torch.equal(a, b) for a, b in zip(change(images), images, strict=True))
    assert 4 < unchanged < 28


def test_the_weights_are_taken_over(tmp_path: Path) -> None:
    network = build(RunSpec.parse({"model": {"backbone": "small_cnn"}}).model, classes=3, channels=1, image_size=16)
    np.savez(tmp_path / "w.npz", **{name: value.numpy() for name, value in network.state_dict().items()})
    values = {"backbone": "small_cnn", "weights": "npz", "weights_from": str(tmp_path / "w.npz")}
    model = RunSpec.parse({"model": values}).model
    found = first_weights.find(first_weights.Request(model, None))
    assert found is not None
    other = build(model, classes=5, channels=1, image_size=16)
    fitted = first_weights.load(other, model, found, classes=list("abcde"))
    assert fitted.new == ["19.weight 5 x 64", "19.bias 5"]
    assert torch.equal(other[0].weight, network[0].weight)


def test_the_backbone_trains_by_stages() -> None:
    spec = RunSpec.parse(
        {"model": {"backbone": "two_layers"}, "freeze": {"policy": "last"}, "data": {"image_size": 16}}
    )
    network = build(spec.model, classes=3, channels=1, image_size=16)
    assert network(torch.rand(2, 1, 16, 16)).shape == (2, 3)
    UnfreezeSchedule(stages_of(network, spec.model), spec.thaw_plan, with_statistics=True).begin_epoch(0)
    learning = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert learning == ["1.weight", "1.bias", "4.weight", "4.bias"]
