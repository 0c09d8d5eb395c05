"""Going on from a checkpoint is the same, bit for bit, as never having stopped; the controls show the test's teeth."""

import pytest
import torch

from engine.protocol.serialization import to_json
from engine.training import checkpoint
from engine.training.randomness import random_state, seed_all
from tests.engine.digits_run import DigitsRun, equal

DROPOUT = 0.1  # so that the model itself uses chance


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, cache):
    run = DigitsRun(tmp_path_factory.mktemp("whole"), cache, dropout=DROPOUT)
    assert run.fit()
    return run


def _left(folder, cache, step):
    run = DigitsRun(folder, cache, dropout=DROPOUT)
    assert not run.fit(until_step=step)
    return run.reporter.of("checkpoint")[-1]["path"]


def _go_on(folder, cache, path, spoil=None):
    run = DigitsRun(folder, cache, dropout=DROPOUT)
    seed_all(12345)  # a new process stands anywhere
    assert run.resume(path) == path
    if spoil:
        spoil(run.training)
    assert run.fit()
    return run


@pytest.mark.parametrize("step", [1, 11, 22, 24, 30, 46, 68])
def test_resumed_in_mid_epoch_is_equal_to_never_stopped(tmp_path, cache, whole, step):
    assert len(whole.train) == 23
    run = _go_on(tmp_path, cache, _left(tmp_path, cache, step))
    assert equal(run.training, whole.training)
    ours, theirs = run.reporter.of("checkpoint")[-1], whole.reporter.of("checkpoint")[-1]
    assert ours["metrics"] == theirs["metrics"]  # accuracy while training included, over both halves of the epoch


@pytest.mark.parametrize("epoch", [1, 2])
def test_resumed_after_an_epoch_is_equal_to_never_stopped(tmp_path, cache, whole, epoch):
    _left(tmp_path, cache, 23 * epoch + 5)
    assert equal(_go_on(tmp_path, cache, f"checkpoints/e000{epoch}").training, whole.training)


def test_stopped_while_validating_is_equal_too(tmp_path, cache, whole):
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
    steps = iter(range(10**6))
    assert not run.fit(stop=lambda: next(steps) > 23 + 2)  # 23 steps, then in the validation pass
    assert run.saved() == ["e0000-s0000023"]
    assert equal(_go_on(tmp_path, cache, "checkpoints/e0000-s0000023").training, whole.training)


def test_stopped_and_resumed_three_times_is_equal(tmp_path, cache, whole):
    path = _left(tmp_path, cache, 7)
    for step in (20, 30, 50):
        run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
        assert run.resume(path) == path
        assert not run.fit(until_step=step)
        path = run.reporter.of("checkpoint")[-1]["path"]
    assert equal(_go_on(tmp_path, cache, path).training, whole.training)


@pytest.mark.parametrize("part", ["chance", "shuffle", "optimizer"])
def test_control_leaving_a_part_out_is_not_equal(tmp_path, cache, whole, part):
    def spoil(training):
        match part:
            case "chance":
                seed_all(12345)
            case "shuffle":
                training.generator.manual_seed(12345)
            case "optimizer":
                training.optimizer.state.clear()

    run = _go_on(tmp_path, cache, _left(tmp_path, cache, 30), spoil)
    assert run.training.progress.step == whole.training.progress.step
    assert not equal(run.training, whole.training)


def test_chance_of_every_library_is_restored(tmp_path, cache):
    import random

    import numpy as np

    path = _left(tmp_path, cache, 5)
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)

    def draw():
        return random.random(), np.random.rand(), np.random.randn(), torch.rand(1).item()

    run.resume(path)
    drawn = draw()
    seed_all(1)
    assert draw() != drawn
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
    run.resume(path)
    assert draw() == drawn


def test_resume_file_holds_no_code(tmp_path, cache):
    state = checkpoint.read_resume(tmp_path / _left(tmp_path, cache, 5))  # weights_only loading refuses code
    assert set(state) == {"position", "optimizer", "shuffle", "trend", "choices", "ranks"}
    assert [set(one) for one in state["ranks"]] == [{"random", "totals"}]
    assert set(state["ranks"][0]["random"]) == set(random_state())


def test_bad_newest_is_set_aside_and_the_one_before_is_used(tmp_path, cache, whole):
    path = _left(tmp_path, cache, 50)
    file = tmp_path / path / "resume.pt"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
    assert run.resume(path) == "checkpoints/e0002"
    assert f"{path} is bad and set aside: resume.pt has changed" in run.reporter.of("message")[0]["text"]
    assert run.reporter.of("checkpoint_deleted") == [{"kind": "checkpoint_deleted", "path": path}]
    assert run.saved() == ["e0001", "e0002", "e0002-s0000050.bad"]
    assert run.fit()
    assert equal(run.training, whole.training)


def test_no_good_one_left_starts_from_the_beginning_and_says_so(tmp_path, cache, whole):
    path = _left(tmp_path, cache, 24)
    for folder in (tmp_path / "checkpoints").iterdir():
        (folder / "manifest.json").write_text("{}")
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
    assert run.resume(path) is None
    assert "starting from the beginning" in run.reporter.of("message")[-1]["text"]
    assert run.fit()
    assert equal(run.training, whole.training)


def test_what_a_dead_attempt_left_beyond_the_resume_point_goes(tmp_path, cache, whole):
    _left(tmp_path, cache, 50)
    assert "e0002-s0000050" in {path.name for path in (tmp_path / "checkpoints").iterdir()}
    run = DigitsRun(tmp_path, cache, dropout=DROPOUT)
    assert run.resume("checkpoints/e0001") == "checkpoints/e0001"
    assert run.saved() == ["e0001"]
    assert run.fit()
    assert equal(run.training, whole.training)


def test_best_is_remembered_over_attempts(tmp_path, cache):
    DigitsRun(tmp_path, cache).fit(until_step=47)
    folder = tmp_path / "checkpoints" / "e0002"
    weights, state = checkpoint.read_weights(folder), checkpoint.read_resume(folder)
    about = to_json(checkpoint.verify(folder))
    about["metrics"]["val/accuracy"] = 0.9999  # by a happy accident
    explained = ("epoch", "step", "classes", "preprocessing", "spec", "metrics")
    checkpoint.write(folder, weights, state, {key: about[key] for key in explained})
    run = DigitsRun(tmp_path, cache, spec={"epochs": 6})
    run.resume("checkpoints/e0002")
    run.fit()
    assert not any(line["best"] for line in run.reporter.of("checkpoint"))
    assert run.saved() == ["e0002", "e0005", "e0006"]


def test_where_saving_takes_long_short_epochs_are_saved_now_and_then_and_the_best_is_never_lost(
    tmp_path, cache, monkeypatch
):
    spec = {"epochs": 8}
    whole = DigitsRun(tmp_path / "whole", cache, spec=spec)
    assert whole.fit()
    monkeypatch.setattr("engine.training.retention.QUICK_S", 0.0)
    monkeypatch.setattr("engine.training.retention.SHARE", 1e-6)
    run = DigitsRun(tmp_path / "rare", cache, spec=spec)
    assert run.fit()
    announced = [line["epoch"] for line in run.reporter.of("checkpoint")]
    assert len(announced) <= 3  # the first, the best, the last
    best = [
        max(one.reporter.of("checkpoint"), key=lambda line: line["metrics"]["val/accuracy"]) for one in (whole, run)
    ]
    assert best[0]["epoch"] == best[1]["epoch"]
    ours, theirs = (
        checkpoint.read_weights(one.folder / made["path"]) for one, made in zip((whole, run), best, strict=True)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert f"e{best[1]['epoch']:04d}" in run.saved()

    left = DigitsRun(tmp_path / "left", cache, spec=spec)
    assert not left.fit(
        stop=lambda: left.training.progress.epoch >= 3
    )  # asked to stop when an epoch was complete and not saved
    assert left.saved()[-1] == "e0003"
    last = DigitsRun(tmp_path / "left", cache, spec=spec)
    assert last.resume("checkpoints/e0003")
    assert last.fit()
    assert equal(whole.training, last.training)


@pytest.mark.parametrize(("best_by", "best"), [("val/accuracy", 3), ("val/loss", 2)])
def test_the_best_is_kept_by_what_is_asked_for(tmp_path, cache, best_by, best):
    run = DigitsRun(tmp_path / "run", cache, spec={"keep_checkpoints": 1}, best_by=best_by)
    for epoch, (accuracy, loss) in enumerate([(0.0, 0.9), (0.6, 0.3), (0.9, 0.7), (0.8, 0.8)], 1):
        run.training.progress.epoch = epoch
        run.checkpoints.save(run.training, {"val/accuracy": accuracy, "val/loss": loss})
    assert run.saved() == [f"e000{best}", "e0004"]
    assert [line["epoch"] for line in run.reporter.of("checkpoint") if line["best"]][-1] == best
