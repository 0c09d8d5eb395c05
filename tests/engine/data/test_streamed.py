"""Images that no cache has room for: decoded anew, ahead of the training, and the same as kept ones."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.data import open_source
from engine.data.arrays import mean_std, prepare
from engine.data.batches import Batches, Pixels
from engine.data.streamed import Streamed
from engine.errors import Unavailable
from tests.engine.digits_run import CPU, DIGITS, DigitsRun


@pytest.fixture
def arrays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[np.ndarray, Streamed]:
    """The digits, kept and streamed."""
    kept = prepare(open_source(DIGITS), "digits", image_size=12, channels=1, cache=tmp_path / "kept")
    monkeypatch.setenv("THAW_IMAGES_GB", "0.0001")
    streamed = prepare(open_source(DIGITS), "digits", image_size=12, channels=1, cache=tmp_path / "streamed", workers=2)
    assert isinstance(kept.images, np.ndarray)
    assert isinstance(streamed.images, Streamed)
    assert not list((tmp_path / "streamed").rglob("*.npy"))
    return kept.images, streamed.images


def test_streamed_images_are_those_that_would_be_kept(arrays: tuple[np.ndarray, Streamed]) -> None:
    kept, streamed = arrays
    chosen = np.array([3, 1, 1700, 3])
    assert streamed.shape == kept.shape
    assert np.array_equal(streamed[chosen], kept[chosen])
    assert np.array_equal(streamed[7], kept[7])
    assert mean_std(streamed, np.arange(500)) == mean_std(kept, np.arange(500))
    parts = list(torch.arange(40).split(16))
    for found, part in zip(streamed.each(parts), parts, strict=True):
        assert np.array_equal(found.numpy(), kept[part.numpy()])


def test_looking_at_them_takes_no_chance(arrays: tuple[np.ndarray, Streamed]) -> None:
    """A run that is resumed in mid-epoch looks once more than one that was never stopped."""
    before = torch.get_rng_state()
    assert len(list(arrays[1].each(list(torch.arange(40).split(16))))) == 3
    assert torch.equal(torch.get_rng_state(), before)


def test_an_image_that_is_gone_is_told_in_our_words() -> None:
    def gone(index: int) -> np.ndarray:
        raise Unavailable("cat.png is gone.")

    with pytest.raises(Unavailable, match=r"^cat\.png is gone\.$"):
        list(Streamed(gone, (9, 4, 4, 1), workers=2).each([torch.arange(3)]))


def test_a_pass_over_them_is_the_same_from_any_batch_on(arrays: tuple[np.ndarray, Streamed]) -> None:
    passes = []
    for images in arrays:
        fetch = Pixels(images, mean=[0.5], std=[0.25], device=CPU)
        shuffle = torch.Generator().manual_seed(3)
        batches = Batches(
            fetch, np.zeros(100, dtype=np.int64), np.arange(100), batch_size=32, device=CPU, shuffle=shuffle
        )
        passes.append([seen for seen, _ in [*batches, *batches.iterate(2)]])
    assert len(passes[0]) == 4 + 2
    for kept, streamed in zip(*passes, strict=True):
        assert torch.equal(kept, streamed)


def test_a_run_learns_the_same_from_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = DigitsRun(tmp_path / "kept", tmp_path / "cache")
    assert kept.fit()
    monkeypatch.setenv("THAW_IMAGES_GB", "0")
    streamed = DigitsRun(tmp_path / "streamed", tmp_path / "other cache")
    assert streamed.fit()
    assert any("decoded anew in every epoch" in line["text"] for line in streamed.reporter.of("message"))
    for name, value in kept.weights().items():
        assert torch.equal(value, streamed.weights()[name])
