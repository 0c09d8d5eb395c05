"""Features of frozen stages, computed once: the same training, shared, limited, and made anew when anything changes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.data.features import make_room
from engine.training.failures import Stopped
from tests.conftest import ROOT
from tests.engine.digits_run import DigitsRun, equal

HEAD = {"freeze": {"policy": "head"}}
GRADUAL = {"freeze": {"policy": "gradual", "every_epochs": 2, "rate_decay": 0.5}, "epochs": 6}
RESNET = {
    "model": {"backbone": "resnet18"},
    "data": {"dataset": "digits", "image_size": 32},
    "freeze": {"policy": "last", "last_stages": 1},
    "epochs": 2,
}
FP32 = {"precision": "fp32"}


def trained(tmp_path: Path, name: str, spec: dict[str, Any], *, until_step: int | None = None, **compute: Any) -> Any:
    cache = tmp_path / f"cache-{compute.get('frozen', 'once')}"
    run = DigitsRun(tmp_path / name, cache, spec=spec | {"compute": FP32 | compute})
    run.fit(until_step=until_step)
    return run


def losses(run: DigitsRun) -> list[float]:
    lines = run.reporter.of("metrics")
    return [line["values"]["train/loss"] for line in lines if "train/loss" in line["values"]]


def messages(run: DigitsRun, text: str) -> list[str]:
    return [line["text"] for line in run.reporter.of("message") if text in line["text"]]


@pytest.mark.parametrize(
    "spec", [HEAD, GRADUAL, {**HEAD, "optimisation": {"ema_decay": 0.9}}], ids=["head", "gradual", "ema"]
)
def test_cached_and_uncached_training_agree_step_by_step(tmp_path: Path, spec: dict[str, Any]) -> None:
    once, always = trained(tmp_path, "a", spec), trained(tmp_path, "b", spec, frozen="every epoch")
    assert messages(once, "computed once")
    assert not messages(always, "computed once")
    assert len(losses(once)) == len(losses(always)) > 50
    np.testing.assert_allclose(losses(once), losses(always), atol=1e-5)
    ours, theirs = once.reporter.of("checkpoint")[-1]["metrics"], always.reporter.of("checkpoint")[-1]["metrics"]
    assert ours == pytest.approx(theirs, abs=1e-4)


def test_with_batch_norm_cached_and_uncached_agree(tmp_path: Path) -> None:
    once = trained(tmp_path, "a", RESNET, until_step=30)
    always = trained(tmp_path, "b", RESNET, until_step=30, frozen="every epoch")
    assert messages(once, "computed once")
    np.testing.assert_allclose(losses(once), losses(always), atol=1e-4)
    np.testing.assert_allclose(losses(once)[:10], losses(always)[:10], atol=1e-5)  # before roundings have grown


def test_gradual_unfreezing_makes_features_at_each_boundary_until_all_learns(tmp_path: Path) -> None:
    run = trained(tmp_path, "a", GRADUAL)
    assert list(run.training.choices.worth) == ["head", "dense", "block3"]
    assert len(messages(run, "computed once")) == sum(run.training.choices.worth.values())


@pytest.mark.parametrize("left_at", [5, 60])
def test_resumed_on_features_is_uninterrupted(tmp_path: Path, left_at: int) -> None:
    whole = trained(tmp_path, "whole", GRADUAL)
    first = trained(tmp_path, "parted", GRADUAL, until_step=left_at)
    second = DigitsRun(tmp_path / "parted", tmp_path / "cache-once", spec=GRADUAL | {"compute": FP32})
    second.resume(f"checkpoints/{first.saved()[-1]}")
    assert second.fit()
    assert equal(whole.training, second.training)


def test_another_run_reads_what_the_first_has_made(tmp_path: Path) -> None:
    trained(tmp_path, "a", HEAD)
    made = list((tmp_path / "cache-once" / "features").glob("*.npy"))
    second = trained(tmp_path, "b", {**HEAD, "optimisation": {"learning_rate": 0.01, "batch_size": 32}})
    assert messages(second, "made by another run")
    assert list((tmp_path / "cache-once" / "features").glob("*.npy")) == made


@pytest.mark.parametrize(
    "other",
    [
        {"seed": 1},  # other weights
        {"data": {"dataset": "digits", "image_size": 24}},
        {"data": {"dataset": "digits", "image_size": 16, "normalisation": "none"}},
        {"compute": {"precision": "bf16"}},
    ],
    ids=["weights", "size", "normalisation", "precision"],
)
def test_what_features_depend_on_makes_others(tmp_path: Path, other: dict[str, Any]) -> None:
    cache = tmp_path / "cache"
    for name, spec in (("a", {}), ("b", other)):
        run = DigitsRun(tmp_path / name, cache, spec=HEAD | {"compute": FP32} | spec)
        run.fit(until_step=2)
        assert messages(run, "computed once")


@pytest.mark.parametrize(
    "spec",
    [
        {"freeze": {"policy": "head", "batchnorm": False}},
        {**HEAD, "optimisation": {"mixing": "mixup"}},
        {**HEAD, "data": {"dataset": "digits", "image_size": 16, "augmentations": ["rotate"]}},
        {"freeze": {"policy": "none"}},
    ],
    ids=["statistics", "mixing", "augmentation", "nothing-frozen"],
)
def test_what_is_never_the_same_twice_is_not_kept(tmp_path: Path, spec: dict[str, Any]) -> None:
    run = trained(tmp_path, "a", spec, until_step=2)
    assert not (tmp_path / "cache-once" / "features").exists()
    assert run.training_data.for_epoch(0).cut is None


def test_views_of_changed_images_take_turns(tmp_path: Path) -> None:
    data = {"dataset": "digits", "image_size": 16, "augmentations": ["rotate"]}
    run = trained(tmp_path, "a", {**HEAD, "data": data, "epochs": 5}, views=2)
    assert len(messages(run, "Features of changed images")) == 2
    first, second, third = (run.training_data.for_epoch(epoch).train.fetch(torch.arange(4)) for epoch in range(3))
    assert torch.equal(first, third)
    assert not torch.equal(first, second)
    assert not torch.equal(first[:1].expand(2, -1), first[1:3])


def test_a_small_limit_keeps_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_FEATURES_GB", "0.0001")
    run = trained(tmp_path, "a", HEAD, until_step=2)
    assert messages(run, "there is room for")
    assert not list((tmp_path / "cache-once").glob("features/*.npy"))


def test_what_was_longest_not_used_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAW_FEATURES_GB", "0.000003")  # 3,000 bytes
    for age, name in enumerate(("new", "old", "oldest")):
        (tmp_path / f"{name}.npy").write_bytes(b"x" * 1000)
        os.utime(tmp_path / f"{name}.npy", (1000 - age, 1000 - age))
    make_room(tmp_path, 1500, keep=tmp_path / "mine.npy")
    assert [path.stem for path in tmp_path.glob("*.npy")] == ["new"]


def test_asked_to_stop_while_computing_leaves_nothing(tmp_path: Path) -> None:
    run = DigitsRun(tmp_path / "a", tmp_path / "cache", spec=HEAD | {"compute": FP32})
    with pytest.raises(Stopped):
        run.fit(stop_computing=lambda: True)
    assert [path.suffix for path in (tmp_path / "cache" / "features").iterdir()] == [".lock"]


def train_head(folder: str, cache: str) -> None:
    torch.set_num_threads(1)
    DigitsRun(Path(folder), Path(cache), spec=HEAD | {"compute": FP32}).fit(until_step=3)


def test_two_runs_filling_it_at_once_are_safe(tmp_path: Path) -> None:
    train = "import sys; from tests.engine.training.test_epoch_data import train_head; train_head(*sys.argv[1:])"
    commands = [[sys.executable, "-c", train, str(tmp_path / name), str(tmp_path / "cache")] for name in "ab"]
    both = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    assert [process.wait(120) for process in both] == [0, 0]
    assert len(list((tmp_path / "cache" / "features").glob("*.npy"))) == 1
