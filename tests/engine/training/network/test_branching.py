"""Going on with other settings: what fits is taken over, and more epochs are as if they had been asked for at once."""

import pytest
import torch

from engine.training.randomness import seed_all
from tests.engine.digits_run import DigitsRun, equal


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def one_epoch(tmp_path, cache):
    run = DigitsRun(tmp_path / "run", cache, spec={"epochs": 1})
    assert run.fit()
    return run


def go_on(folder, cache, spec):
    """Another process, with other settings, at the end of the first epoch."""
    run = DigitsRun(folder, cache, spec=spec)
    seed_all(12345)
    assert run.resume("checkpoints/e0001") == "checkpoints/e0001"
    return run


def test_more_epochs_are_as_if_asked_for_at_once(tmp_path, cache, one_epoch):
    whole = DigitsRun(tmp_path / "whole", cache, spec={"epochs": 2})
    assert whole.fit()
    extended = go_on(one_epoch.folder, cache, {"epochs": 2})
    assert extended.fit()
    assert equal(extended.training, whole.training)


def test_new_options_count_and_moments_stay(one_epoch, cache):
    changed = {"optimisation": {"learning_rate": 1e-4, "batch_size": 64, "weight_decay": 0.5}, "epochs": 2}
    run = go_on(one_epoch.folder, cache, changed)
    assert {group["weight_decay"] for group in run.training.optimizer.param_groups} <= {0.5, 0.0}
    mine, theirs = run.training.optimizer.state_dict()["state"], one_epoch.training.optimizer.state_dict()["state"]
    assert len(mine) == len(theirs) > 0
    assert torch.equal(mine[0]["exp_avg"], theirs[0]["exp_avg"])


def test_moments_follow_their_weights_into_other_groups(one_epoch, cache):
    """A rate for each stage makes more groups: weights are counted in another order then."""
    run = go_on(one_epoch.folder, cache, {"freeze": {"rate_decay": 0.5}, "epochs": 2})
    assert len(run.training.optimizer.param_groups) > len(one_epoch.training.optimizer.param_groups)
    theirs = dict(one_epoch.training.model.named_parameters())
    for name, weight in run.training.model.named_parameters():
        moments = run.training.optimizer.state[weight]
        assert torch.equal(moments["exp_avg"], one_epoch.training.optimizer.state[theirs[name]]["exp_avg"]), name
    assert run.fit()


def test_another_optimiser_begins_anew_and_says_so(one_epoch, cache):
    changed = {"optimisation": {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 64}, "epochs": 2}
    run = go_on(one_epoch.folder, cache, changed)
    assert not any(run.training.optimizer.state.values())
    assert "sgd begins without a memory" in run.reporter.of("message")[-1]["text"]
    assert equal_weights(run, one_epoch)
    assert run.fit()


def test_another_batch_size_goes_on_counting_steps_and_ends_with_the_epochs(one_epoch, cache):
    changed = {"optimisation": {"learning_rate": 1e-3, "batch_size": 32, "schedule": "cosine"}, "epochs": 3}
    run = go_on(one_epoch.folder, cache, changed)
    began = run.training.progress.step
    assert run.fit()
    assert run.training.progress.step == began + 2 * len(run.train)
    assert run.training.optimizer.param_groups[0]["lr"] < 1e-5  # cosine has come down: it counts epochs, not old steps


def test_averaged_weights_can_begin_late(one_epoch, cache):
    changed = {"optimisation": {"learning_rate": 1e-3, "batch_size": 64, "ema_decay": 0.9}, "epochs": 2}
    run = go_on(one_epoch.folder, cache, changed)
    assert equal_weights(run, one_epoch)
    assert run.fit()


def test_another_seed_shuffles_otherwise(one_epoch, cache):
    same, other = (go_on(one_epoch.folder, cache, {"epochs": 2, "seed": seed}) for seed in (0, 7))
    assert torch.equal(same.training.generator.get_state(), one_epoch.training.generator.get_state())
    assert not torch.equal(same.training.generator.get_state(), other.training.generator.get_state())
    assert "chance begins at seed 7" in other.reporter.of("message")[-1]["text"]


def test_early_stopping_has_its_patience_again(tmp_path, cache):
    settings = {"optimisation": {"learning_rate": 1e-3, "batch_size": 64, "early_stopping": 1}}
    run = DigitsRun(tmp_path / "run", cache, spec={"epochs": 1, **settings})
    run.training.plateau.best = 2.0  # nothing can be better: it ends early
    assert run.fit()
    assert run.training.plateau.since == 1
    extended = go_on(run.folder, cache, {"epochs": 3, **settings})
    assert extended.fit()
    assert extended.training.progress.epoch == 2


def test_a_pinned_checkpoint_stays(tmp_path, cache):
    run = DigitsRun(tmp_path / "run", cache, spec={"epochs": 1})
    run.fit()
    (run.folder / "checkpoints" / "e0001" / "pinned").touch()
    go_on(run.folder, cache, {"epochs": 5}).fit()
    assert run.saved()[0] == "e0001"
    assert len(run.saved()) < 5


def equal_weights(left, right):
    ours, theirs = left.weights(), right.weights()
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)
