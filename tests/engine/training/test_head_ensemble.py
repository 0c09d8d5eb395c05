"""Heads that train together learn what each would have learned alone, and each ends in its own way."""

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.artifacts.predictions import Predictions
from engine.specs import RunSpec, shared_by
from engine.training.head_ensemble import HeadEnsemble, Member, with_own_head
from engine.training.memory import Memory
from engine.training.metric_logger import MetricLogger
from engine.training.preparation import build, build_network, equip, prepare_data
from engine.training.randomness import seed_all
from engine.training.retention import Checkpoints
from engine.training.state import Training
from tests.engine.digits_run import CPU, DIGITS, SMALL, DigitsRun, Recorder

HEAD = SMALL | {"freeze": {"policy": "head"}}
OPTIMISATIONS: list[dict[str, Any]] = [
    {"learning_rate": 1e-3, "batch_size": 64},
    {"learning_rate": 0.05, "batch_size": 64, "optimizer": "sgd", "momentum": 0.9, "schedule": "cosine"},
    {"learning_rate": 0.01, "batch_size": 64, "label_smoothing": 0.1, "weight_decay": 0.1, "clip_norm": 0.5},
    {"learning_rate": 3e-3, "batch_size": 64, "ema_decay": 0.9},
]


class Trio:
    """Members as a search builds them: one network, each with a head of its own."""

    def __init__(self, folder: Path, specs: list[dict[str, Any]]) -> None:
        self.specs = [RunSpec.parse(spec) for spec in specs]
        self.recorders = [Recorder() for _ in specs]
        self.ends: dict[int, tuple[bool, Exception | None]] = {}
        self.asked: set[int] = set()
        self.members: list[Member] = []
        first = self.specs[0]
        seed_all(first.seed)
        self.data = prepare_data(DIGITS, first, folder / "cache", self.recorders[0], lambda: False)
        self.network = build_network(first, self.data.about, None, self.recorders[0])
        for number, spec in enumerate(self.specs):
            training, recipe, images = build(spec, self.data, CPU, with_own_head(self.network, first.model))
            if not number:
                self.training_data, _ = equip(
                    spec,
                    self.data,
                    training,
                    recipe,
                    images,
                    cache=folder / "cache",
                    reporter=self.recorders[0],
                    stop=lambda: False,
                )
            self.members.append(self._member(folder, number, training, recipe, len(images.train)))

    def _member(self, folder: Path, number: int, training: Training, recipe: Any, steps: int) -> Member:
        spec, recorder = self.specs[number], self.recorders[number]
        (folder / str(number)).mkdir()
        about = self.data.about | {"spec": spec.model_dump(mode="json")}
        return Member(
            training,
            recipe,
            MetricLogger(
                recorder, training.progress, epochs=spec.epochs, steps=spec.epochs * steps, memory=Memory(CPU)
            ),
            Checkpoints(folder / str(number), about, val_samples=self.data.val_samples, reporter=recorder),
            leaves=lambda: number in self.asked,
            ended=lambda finished, error: self.ends.update({number: (finished, error)}),
        )

    def curve(self, number: int, name: str) -> list[float]:
        lines = self.recorders[number].of("metrics")
        return [line["values"][name] for line in lines if name in line["values"]]


def alone(folder: Path, spec: dict[str, Any]) -> DigitsRun:
    folder.mkdir()
    run = DigitsRun(folder / "run", folder / "cache", spec=spec)
    assert run.fit()
    return run


def assert_kept_as_judged(folder: Path, accuracy: float) -> None:
    """What the newest checkpoint says of each image is what its epoch was judged by."""
    kept = Predictions.read(max((folder / "checkpoints").iterdir()) / "predictions.parquet", folder.name)
    assert (kept.rank == 0).mean() == pytest.approx(accuracy)


def test_each_learns_what_it_would_have_learned_alone(tmp_path: Path) -> None:
    specs = [HEAD | {"optimisation": one, "epochs": 2 + place % 2} for place, one in enumerate(OPTIMISATIONS)]
    trio = Trio(tmp_path, specs)
    HeadEnsemble(trio.members, trio.training_data).fit()
    assert trio.ends == {number: (True, None) for number in range(len(specs))}
    for number, spec in enumerate(specs):
        run = alone(tmp_path / f"alone {number}", spec)
        assert_kept_as_judged(tmp_path / str(number), trio.curve(number, "val/accuracy")[-1])
        for name in ("train/loss", "val/loss", "val/accuracy", "train/accuracy"):
            expected = [line["values"][name] for line in run.reporter.of("metrics") if name in line["values"]]
            assert trio.curve(number, name) == pytest.approx(expected, abs=1e-5)
        for (name, ours), theirs in zip(
            trio.members[number].training.eval_model.state_dict().items(),
            run.training.eval_model.state_dict().values(),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4, msg=name)


def test_who_goes_on_from_its_checkpoint_alone_ends_where_it_would_have(tmp_path: Path) -> None:
    trio = Trio(tmp_path, [HEAD | {"epochs": 4, "optimisation": one} for one in OPTIMISATIONS[:2]])
    trio.members[1].leaves = lambda: trio.members[1].training.progress.step >= 40
    HeadEnsemble(trio.members, trio.training_data).fit()
    assert trio.ends == {0: (True, None), 1: (False, None)}
    run = DigitsRun(tmp_path / "1", tmp_path / "cache", spec=trio.specs[1].model_dump(mode="json"))
    assert run.resume(run.saved()[-1] and f"checkpoints/{run.saved()[-1]}")
    assert run.training.progress.step == 40
    assert run.fit()
    whole = alone(tmp_path / "whole", trio.specs[1].model_dump(mode="json"))
    for ours, theirs in zip(run.weights().values(), whole.weights().values(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_one_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    wild = HEAD | {"optimisation": {"optimizer": "sgd", "learning_rate": 10.0, "momentum": 0.99, "batch_size": 64}}
    trio = Trio(tmp_path, [HEAD, wild | {"epochs": 30}])
    with torch.no_grad():
        list(trio.members[1].training.model.parameters())[-1].fill_(float("inf"))
    HeadEnsemble(trio.members, trio.training_data).fit()
    assert trio.ends[0] == (True, None)
    finished, error = trio.ends[1]
    assert not finished
    assert "NaN" in str(error) or "infinite" in str(error)


def test_who_can_train_together_shares_all_but_how_its_head_learns() -> None:
    one, other = (RunSpec.parse(HEAD | {"optimisation": made}) for made in OPTIMISATIONS[:2])
    assert shared_by(one) == shared_by(other) is not None
    assert shared_by(one) != shared_by(RunSpec.parse(HEAD | {"seed": 1}))
    assert shared_by(one) != shared_by(RunSpec.parse(HEAD | {"optimisation": {"batch_size": 32}}))


@pytest.mark.parametrize(
    "other",
    [
        {"freeze": {"policy": "none"}},
        {"data": SMALL["data"] | {"augmentations": ["shift"]}},
        {"compute": {"frozen": "every epoch"}},
        {"optimisation": {"mixing": "mixup"}},
        {"optimisation": {"balance": "sampling"}},
        {"strategy": "ddp"},
    ],
)
def test_who_has_no_features_in_common_trains_alone(other: dict[str, Any]) -> None:
    assert shared_by(RunSpec.parse(HEAD | other)) is None
