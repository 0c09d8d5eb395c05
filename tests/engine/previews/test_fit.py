"""Will it fit: the reckoning on figures that are given, and the measuring against a real run's own memory."""

import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.api import RunSpec
from engine.previews.fit import Room, images_of, measured_as, verdict
from engine.previews.fit_measurement import fit
from engine.previews.job import PreviewJob
from engine.training.memory import HIGH_WATER
from storage import Dataset, Store
from tests.conftest import ROOT
from tests.engine.digits_run import write_run_file
from tests.pages import seed_datasets

MB = 10**6
DATASET = Dataset(
    id="photos",
    name="photos",
    kind="folder",
    path="",
    classes=("a", "b"),
    counts={"train": {"a": 500, "b": 500}, "validation": {"a": 100, "b": 100}},
    fingerprint="f",
    channels=3,
    width=64,
    height=64,
    bytes=0,
    created_at=0.0,
)
WHOLE = {"floor": 100 * MB, "base": 90 * MB, "image": 2 * MB, "step_s": 0.1, "image_s": 0.01}
KEPT = {
    "cost": {"floor": 95 * MB, "base": 95 * MB, "image": 0, "step_s": 0.01, "image_s": 0.001},
    "making": {"floor": 90 * MB, "base": 90 * MB, "image": MB // 10, "step_s": 0.0, "image_s": 0.005},
    "at_once": 128,
    "bytes": 1000,
    "views": 1,
}
MEASURED: dict[str, Any] = {
    "device": "cpu",
    "precision": "fp32",
    "decode_s": 0.001,
    "image_bytes": 12_000,
    "read_s_per_gb": 1.0,
    "images_on_gpu": False,
    "states": [{"epoch": 0, "whole": WHOLE, "eval_s": 0.004}],
    "weights": 10 * MB,
    "gradients": 10 * MB,
    "optimizer": 20 * MB,
    "average": 0,
}
ROOMY = Room(10**9, 10**9)


def spec(**values: Any) -> RunSpec:
    return RunSpec.parse({"epochs": 4, "optimisation": {"batch_size": 50}, **values})


def test_memory_grows_with_the_batch_and_the_largest_that_fits_is_told() -> None:
    few, many = (verdict(MEASURED, spec(optimisation={"batch_size": size}), DATASET, ROOMY) for size in (50, 100))
    assert (few.memory, many.memory) == (190 * MB, 290 * MB)
    assert few.largest_batch == many.largest_batch == (10**9 - 90 * MB) // (2 * MB) // 8 * 8
    at_most = verdict(MEASURED, spec(optimisation={"batch_size": few.largest_batch}), DATASET, ROOMY)
    assert at_most.level == "tight"
    beyond = verdict(MEASURED, spec(optimisation={"batch_size": few.largest_batch + 8}), DATASET, ROOMY)
    assert (few.level, beyond.level) == ("fits", "too large")
    assert sum(few.parts.values()) == few.memory


def test_a_batch_in_parts_needs_the_memory_of_a_part() -> None:
    whole = verdict(MEASURED, spec(), DATASET, ROOMY)
    parts = verdict(MEASURED, spec(compute={"parts": 5}), DATASET, ROOMY)
    assert whole.memory - parts.memory == 40 * 2 * MB
    assert parts.largest_batch == 5 * whole.largest_batch
    assert parts.total_s > whole.total_s


def test_ranks_share_the_batch_and_each_holds_the_network() -> None:
    alone = verdict(MEASURED, spec(optimisation={"batch_size": 100}), DATASET, ROOMY)
    two = {"strategy": "ddp", "compute": {"processes": 2}, "optimisation": {"batch_size": 100}}
    shared = verdict(MEASURED, spec(**two), DATASET, ROOMY)
    assert shared.memory - alone.memory == 90 * MB  # once more what does not grow with the batch
    assert shared.largest_batch < alone.largest_batch


def test_a_gpu_computes_in_parts_what_does_not_fit_whole() -> None:
    on_gpu = {**MEASURED, "device": "cuda"}
    found = verdict(on_gpu, spec(optimisation={"batch_size": 100}), DATASET, Room(200 * MB, 10**9))
    assert found.level == "tight"
    assert "in 3 parts" in found.why  # pieces of 48 at most
    nothing = verdict(on_gpu, spec(), DATASET, Room(95 * MB, 10**9))
    assert (nothing.level, nothing.largest_batch) == ("too large", 0)


def test_time_is_that_of_all_epochs_and_what_comes_before() -> None:
    found = verdict(MEASURED, spec(), DATASET, ROOMY)
    an_epoch = 20 * 0.1 + 1000 * 0.01 + 200 * 0.004
    assert found.epoch_s == pytest.approx(an_epoch)
    assert found.first_s == pytest.approx(1200 * 0.001)
    assert found.total_s == pytest.approx(4 * an_epoch + found.first_s)


def test_what_frozen_stages_make_is_kept_where_that_pays() -> None:
    frozen = {**MEASURED, "states": [{**MEASURED["states"][0], "kept": KEPT}]}
    once = verdict(frozen, spec(epochs=1), DATASET, ROOMY)
    often = verdict(frozen, spec(epochs=4), DATASET, ROOMY)
    assert once.epoch_s > 5 * often.epoch_s
    assert often.first_s - once.first_s == pytest.approx(1200 * 0.005)
    assert often.disk - once.disk == 1200 * 1000
    assert often.memory == 90 * MB + 128 * MB // 10  # the making needs more than training on what was made


def test_later_states_count_only_when_they_are_reached() -> None:
    heavier = {"epoch": 2, "whole": {**WHOLE, "image": 4 * MB}, "eval_s": 0.004}
    gradual = {**MEASURED, "states": [*MEASURED["states"], heavier]}
    assert verdict(gradual, spec(epochs=2), DATASET, ROOMY).memory == 190 * MB
    assert verdict(gradual, spec(epochs=3), DATASET, ROOMY).memory == 290 * MB


def test_the_disk_holds_images_and_checkpoints() -> None:
    found = verdict(MEASURED, spec(keep_checkpoints=3), DATASET, ROOMY)
    assert found.disk == 1200 * 12_000 + 5 * 30 * MB
    assert verdict(MEASURED, spec(), DATASET, Room(10**9, 100 * MB)).level == "too large"
    assert verdict(MEASURED, spec(keep_checkpoints=3), DATASET, Room(10**9, 180 * MB)).level == "tight"


def test_what_could_not_be_measured_for_lack_of_memory_does_not_fit() -> None:
    found = verdict({"too_large": True, "why": "not even a few images do"}, spec(), DATASET, ROOMY)
    assert (found.level, found.largest_batch) == ("too large", 0)
    assert "not even a few images do" in found.why


def test_what_was_measured_under_an_older_name_is_read() -> None:
    (state,) = MEASURED["states"]
    older = {**MEASURED, "states": [{"epoch": 0, "whole": state["whole"], "looking_s": state["eval_s"]}]}
    assert verdict(older, spec(), DATASET, ROOMY) == verdict(MEASURED, spec(), DATASET, ROOMY)


def test_typing_a_batch_size_or_a_rate_measures_nothing_anew() -> None:
    first = measured_as(spec())
    assert first == measured_as(spec(optimisation={"batch_size": 7, "learning_rate": 0.5, "weight_decay": 0.1}))
    assert measured_as(spec(epochs=9)).optimisation == first.optimisation
    assert first != measured_as(spec(data={"image_size": 128}))
    assert first != measured_as(spec(optimisation={"optimizer": "sgd"}))


def test_images_of_each_part_are_as_the_split_makes_them() -> None:
    assert images_of(DATASET, spec()) == (1000, 200)


@pytest.mark.slow
def test_measured_memory_is_that_of_a_real_run(store: Store, tmp_path: Path) -> None:
    seed_datasets.digits(store)
    dataset = store.datasets.get("digits")
    request = {"dataset": asdict(dataset), "cache": str(tmp_path / "cache"), "weights_path": None}
    values = {
        "data": {"dataset": "digits", "image_size": 64},
        "model": {"backbone": "small_cnn"},
        "optimisation": {"batch_size": 512},
        "compute": {"precision": "fp32"},
        "epochs": 1,
    }
    spec = RunSpec.parse(values)
    shares: list[float] = []
    measured = fit(PreviewJob(measured_as(spec), request, tmp_path, lambda share, message: shares.append(share)))
    found = verdict(measured, spec, dataset, Room(10**11, 10**11))
    real = peak_of_run(tmp_path, values)
    assert shares
    assert found.parts["activations"] > 100 * MB  # else the libraries alone would be compared
    assert found.memory == pytest.approx(real, rel=0.2)
    assert found.total_s > 0


def peak_of_run(tmp_path: Path, values: dict[str, Any]) -> int:
    folder = tmp_path / "run"
    write_run_file(folder, tmp_path / "cache", **values)
    worker = subprocess.Popen([sys.executable, "-m", "engine.worker", str(folder)], cwd=ROOT, stdout=subprocess.DEVNULL)
    peak = 0
    while worker.poll() is None:
        lines = Path(f"/proc/{worker.pid}/status").read_text().splitlines()
        peak = max([peak, *(int(line.split()[1]) * 1024 for line in lines if line.startswith(HIGH_WATER))])
        time.sleep(0.02)
    assert worker.returncode == 0
    return peak
