"""The loop learns, tells everything, and leaves when asked or when it diverges."""

import json
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from engine.catalog import PRESETS
from engine.specs import RunSpec
from engine.training import checkpoint
from engine.training.failures import Diverged
from engine.training.loop import evaluate
from engine.training.precision import Format
from tests.engine.digits_run import DigitsRun

DEMO = Path(__file__).parents[3] / "examples" / "digits.yaml"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cache):
    demo = {"epochs": 8, "data": {"image_size": 24}, "optimisation": {"batch_size": 32}}
    run = DigitsRun(tmp_path_factory.mktemp("finished"), cache, spec=demo)
    assert run.fit()
    return run


def test_learns_the_digits(finished):
    accuracies = [line["metrics"]["val/accuracy"] for line in finished.reporter.of("checkpoint")]
    assert len(accuracies) == 8
    assert max(accuracies) >= 0.96  # the demo itself trains longer


def test_tells_the_loss_of_every_step_once_and_in_order(finished):
    steps = [line["step"] for line in finished.reporter.of("metrics") if "train/loss" in line["values"]]
    assert steps == list(range(1, 8 * len(finished.train) + 1))


def test_epoch_values_stand_at_the_last_step_of_their_epoch(finished):
    lines = [line for line in finished.reporter.of("metrics") if "val/accuracy" in line["values"]]
    assert [(line["epoch"], line["step"]) for line in lines] == [(e, e * len(finished.train)) for e in range(1, 9)]
    assert set(lines[0]["values"]) == {
        *("train/accuracy", "val/loss", "val/accuracy", "lr/all"),
        *("speed/images_per_s", "speed/epoch_s", "memory/rss_mb"),
        *("model/parameters", "model/learning_parameters"),
    }
    assert all(value > 0 for value in lines[0]["values"].values())


def test_progress_tells_phases_and_a_falling_eta(finished):
    lines = finished.reporter.of("progress")
    assert {line["phase"] for line in lines} >= {"training", "validating", "saving"}
    assert lines[-1]["step"] == lines[-1]["steps"] == 8 * len(finished.train)
    etas = [line["eta_s"] for line in lines if line["eta_s"] is not None]
    assert etas[-1] == 0 and max(etas) > 0


def test_evaluate_agrees_with_a_plain_count(finished):
    model = finished.training.model.eval()
    losses, right, count = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in finished.validation:
            for image, label in zip(images, labels, strict=True):
                logits = model(image[None])
                losses += cross_entropy(logits, label[None]).item()
                right += int(logits.argmax() == label)
                count += 1
    evaluation = evaluate(model, finished.validation, Format()).metrics
    assert evaluation["val/accuracy"] == right / count
    assert evaluation["val/loss"] == pytest.approx(losses / count, rel=1e-4)


def test_a_batch_that_memory_has_no_room_for_is_judged_in_parts(finished):
    model, sizes = finished.training.model.eval(), []

    class Cramped(torch.nn.Module):
        weight = next(model.parameters())

        def forward(self, images):
            sizes.append(len(images))
            if len(images) > 20:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return model(images)

        def parameters(self, recurse=True):
            return model.parameters(recurse)

    evaluation, whole = (evaluate(one, finished.validation, Format()).metrics for one in (Cramped(), model))
    assert evaluation == pytest.approx(whole, rel=1e-5)
    assert sorted(sizes)[-1] > 20 >= sizes[-1]


def test_newest_and_best_are_kept(finished):
    announced = finished.reporter.of("checkpoint")
    best = max(announced, key=lambda line: (line["metrics"]["val/accuracy"], -line["epoch"]))
    kept = {"e0007", "e0008", best["path"].removeprefix("checkpoints/")}
    assert set(finished.saved()) == kept
    deleted = {line["path"] for line in finished.reporter.of("checkpoint_deleted")}
    assert deleted == {line["path"] for line in announced} - {f"checkpoints/{name}" for name in kept}


def test_best_is_announced_when_it_rises_and_only_then(finished):
    highest = -1.0
    for line in finished.reporter.of("checkpoint"):
        assert line["best"] == (line["metrics"]["val/accuracy"] > highest)
        highest = max(highest, line["metrics"]["val/accuracy"])


def test_saved_weights_reach_the_reported_accuracy(finished, tmp_path, cache):
    last = finished.reporter.of("checkpoint")[-1]
    other = DigitsRun(tmp_path, cache, spec=finished.spec.model_dump())
    other.training.model.load_state_dict(checkpoint.read_weights(finished.folder / last["path"]))
    evaluation = evaluate(other.training.model, other.validation, Format())
    assert evaluation.metrics["val/accuracy"] == last["metrics"]["val/accuracy"]


def test_same_seed_same_losses_other_seed_others(tmp_path, cache):
    def losses(name, seed):
        run = DigitsRun(tmp_path / name, cache, spec={"epochs": 1, "seed": seed})
        run.fit()
        return [line["values"]["train/loss"] for line in run.reporter.of("metrics") if "train/loss" in line["values"]]

    assert losses("a", 0) == losses("b", 0) != losses("c", 1)


def test_stop_leaves_at_the_next_step_and_saves(tmp_path, cache):
    run = DigitsRun(tmp_path, cache)
    per_epoch = len(run.train)
    assert not run.fit(until_step=per_epoch + 5)
    assert run.training.progress.step == per_epoch + 5
    assert run.saved() == ["e0001", f"e0001-s{per_epoch + 5:07d}"]


def test_stop_before_the_first_step_saves_nothing(tmp_path, cache):
    run = DigitsRun(tmp_path, cache)
    assert not run.fit(stop=lambda: True)
    assert run.saved() == []


def test_nan_loss_is_diverged_at_its_very_step_and_the_last_finite_checkpoint_stays(tmp_path, cache):
    run = DigitsRun(tmp_path, cache)
    step = len(run.train) + 7

    def poison() -> bool:  # asked before each step, as a fault between two of them
        if run.training.progress.step == step - 1:
            next(run.training.model.parameters()).data.fill_(float("nan"))
        return False

    with pytest.raises(Diverged, match=rf"the loss became NaN at step {step} \(epoch 2\)"):
        run.fit(stop=poison)
    assert run.saved() == ["e0001"]
    assert checkpoint.verify(run.folder / "checkpoints/e0001").epoch == 1


def test_infinite_loss_by_an_absurd_rate_is_diverged(tmp_path, cache):
    run = DigitsRun(tmp_path, cache, spec={"optimisation": {"learning_rate": 10, "optimizer": "sgd", "batch_size": 64}})
    with pytest.raises(Diverged, match="became"):
        run.fit()
    assert run.saved() == []


def test_weights_that_are_not_finite_are_never_saved(tmp_path, cache):
    run = DigitsRun(tmp_path, cache)
    run.fit(until_step=3)
    list(run.training.model.parameters())[-1].data[0] = float("inf")
    with pytest.raises(Diverged, match="the weights became NaN or infinite by step 3"):
        run.checkpoints.save(run.training, {})
    assert run.saved() == ["e0000-s0000003"]


def test_lines_are_plain_json(finished):
    json.dumps(finished.reporter.lines, allow_nan=False)


def test_example_and_demo_preset_are_one():
    assert RunSpec.from_yaml(DEMO.read_text()) == RunSpec.parse(PRESETS["demo"].values)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_demo_has_margin_over_seeds(tmp_path, cache, seed):
    run = DigitsRun(tmp_path, cache, spec=RunSpec.from_yaml(DEMO.read_text()).model_dump() | {"seed": seed})
    assert run.fit()
    assert max(line["metrics"]["val/accuracy"] for line in run.reporter.of("checkpoint")) >= 0.975
