"""What the New run page shows before a start, made by a real previewer process."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from engine import api
from engine.api import BACKBONES, Preview, RunSpec
from engine.artifacts.initial_weights import weights_seen
from engine.previews import requests, server
from engine.previews.server import MOST_KEPT, _tidy
from storage import Store
from tests.cli import until
from tests.pages import seed_datasets

SPEC = RunSpec.parse({"data": {"dataset": "digits", "image_size": 8}, "model": {"backbone": "small_cnn"}})


@pytest.fixture
def digits(store: Store) -> Store:
    seed_datasets.digits(store)
    return store


@pytest.fixture
def care(digits: Store) -> Iterator[requests.Previewing]:
    """A supervisor's care of previews."""
    care = requests.Previewing(digits)
    yield care
    care.close()


def made(store: Store, care: requests.Previewing, kind: str, spec: RunSpec) -> Preview:
    def ready() -> Preview | None:
        found = api.preview(store, kind, spec)
        care.tick()
        return found if found.values is not None or found.problem is not None else None

    found: Preview = until(ready, within_s=120)
    return found


def changed(**parts: Any) -> RunSpec:
    values = SPEC.model_dump(mode="json")
    return RunSpec.parse({**values, **{name: {**values[name], **part} for name, part in parts.items()}})


def test_layers_tensors_and_totals_are_those_of_the_network(digits: Store, care: requests.Previewing) -> None:
    preview = made(digits, care, "layers", SPEC).values
    assert preview is not None
    shapes = {one["name"]: one["shape"] for one in preview["tensors"]}
    assert preview["weights"] == sum(stage["weights"] for stage in preview["stages"])
    assert preview["bytes"] >= 4 * preview["weights"]
    assert [stage["name"] for stage in preview["stages"]] == [*BACKBONES["small_cnn"].stages, "head"]
    assert [10] in shapes.values()  # the bias of a head for ten digits


def test_a_sheet_shows_images_as_they_are_and_as_training_sees_them(digits: Store, care: requests.Previewing) -> None:
    found = made(digits, care, "augmentation", changed(data={"augmentations": ["rotate"]}))
    assert found.values is not None
    sheet, step = np.asarray(Image.open(found.pictures["sheet"])), found.values["tile"] + found.values["gap"]
    tiles = [sheet[: found.values["tile"], step * column :][:, : found.values["tile"]] for column in range(8)]
    first = next(api.dataset_image(digits, "digits", one) for one in found.values["images"][:1])
    plain = np.asarray(first.convert("RGB").resize((112, 112), Image.Resampling.NEAREST))
    np.testing.assert_array_equal(tiles[0][..., :3], plain)
    assert len({tile.tobytes() for tile in tiles}) == 8  # each time changed otherwise


def test_a_rate_is_suggested_from_a_measured_curve(digits: Store, care: requests.Previewing) -> None:
    preview = made(digits, care, "rates", SPEC).values
    assert preview is not None
    assert preview["rates"] == sorted(preview["rates"])
    assert preview["rates"][0] < preview["suggestion"] < preview["rates"][-1]


def test_what_cannot_be_made_says_why_until_asked_again(
    digits: Store, care: requests.Previewing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    gone = changed(model={"weights": "file", "weights_from": str(tmp_path / "gone.safetensors")})
    preview = made(digits, care, "layers", gone)
    said = preview.problem or str((preview.values or {})["first_weights"])
    assert "gone.safetensors" in said


def test_a_previewer_killed_at_work_is_told_and_trying_again_works(digits: Store, care: requests.Previewing) -> None:
    spec = changed(optimisation={"batch_size": 32})
    api.preview(digits, "rates", spec)
    care.tick()
    folder = digits.home.cache / "previews"
    taken = until(lambda: next(folder.glob("*.taken"), None))
    leader = care._leaders[folder]
    os.kill(leader.pid, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(leader.pid) or not leader.is_alive)
    if not taken.exists():
        pytest.skip("it was ready before it could be killed")
    long_ago = time.time() - 2 * requests.LOST_S
    os.utime(taken, (long_ago, long_ago))
    for _ in range(2):  # said as often as it is looked at
        assert "cut off" in (api.preview(digits, "rates", spec).problem or "")
    api.forget_preview(digits, "rates", spec)
    assert made(digits, care, "rates", spec).values is not None


def test_what_a_run_will_cost_is_measured_for_any_batch(digits: Store, care: requests.Previewing) -> None:
    preview = made(digits, care, "fit", api.measured_as(SPEC)).values
    assert preview is not None
    small, large = (api.will_it_fit(digits, changed(optimisation={"batch_size": size}), preview) for size in (16, 1024))
    assert small.level == "fits"
    assert large.memory > small.memory > 2e8  # the libraries alone
    assert small.largest_batch > 1000
    assert api.preview(digits, "fit", api.measured_as(changed(optimisation={"batch_size": 7}))).values == preview


def test_what_no_page_waits_for_any_more_is_not_made(digits: Store) -> None:
    folder = digits.home.cache / "previews"
    api.preview(digits, "rates", SPEC)
    api.preview(digits, "layers", SPEC)
    old = next(path for path in folder.glob("*.json") if '"rates"' in path.read_text())
    long_ago = time.time() - 2 * requests.UNWANTED_S
    os.utime(old, (long_ago, long_ago))
    assert [old.name] != [path.name for path in requests.waiting(folder)]
    assert len(requests.waiting(folder)) == 1
    assert not old.exists()


def test_previews_looked_at_lately_are_kept(tmp_path: Path) -> None:
    for place in range(MOST_KEPT + 3):
        (tmp_path / f"{place:03d}").mkdir()
        os.utime(tmp_path / f"{place:03d}", (place, place))
    _tidy(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{place:03d}" for place in range(3, MOST_KEPT + 3)]


def test_a_preview_that_tells_nothing_for_long_is_known_to_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "BEAT_S", 0.05)
    taken = tmp_path / "a.taken"
    taken.write_text("{}")
    os.utime(taken, (1, 1))  # asked for long ago
    with server.beating(taken):
        until(lambda: time.time() - taken.stat().st_mtime < requests.LOST_S, within_s=5)


def test_weights_put_in_place_later_are_looked_at_anew(
    digits: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    spec = RunSpec.parse({"data": {"dataset": "digits", "image_size": 32}, "model": {"weights": "pretrained"}})
    before = weights_seen(spec, None)
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    (tmp_path / "hub/checkpoints" / BACKBONES["resnet18"].weights_file).write_bytes(b"x" * 10)
    assert before is None
    assert weights_seen(spec, None)[1] == 10
