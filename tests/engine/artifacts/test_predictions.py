"""What is kept of each image is what the network says of it, and any reader of Parquet finds it."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas
import pytest
import torch
from sklearn.metrics import accuracy_score, top_k_accuracy_score

from engine import api
from engine.artifacts.predictions import Labelled, Predictions
from engine.training import checkpoint
from engine.training.evaluation import Evaluation, per_sample_eval
from storage import Checkpoint, Store
from tests.engine.digits_run import DigitsRun
from tests.pages import seed_datasets


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> DigitsRun:
    made = DigitsRun(tmp_path_factory.mktemp("run"), cache, spec={"epochs": 2})
    assert made.fit()
    return made


@pytest.fixture(scope="module")
def kept(run: DigitsRun) -> Predictions:
    return Predictions.read(run.folder / "checkpoints/e0002/predictions.parquet", "abcd2345")


def of(logits: torch.Tensor, labels: torch.Tensor) -> Predictions:
    names = [f"{place}.png" for place in range(len(labels))]
    shown = Labelled("things", "all", names, labels.numpy())
    classes = [f"class {place}" for place in range(logits.shape[1])]
    return Evaluation(per_sample_eval(logits, labels)).predictions(shown, classes, run="r", epoch=1)


def test_each_image_is_told_of_as_the_saved_weights_see_it(run: DigitsRun, kept: Predictions) -> None:
    network = run.training.model.eval()
    images, labels = zip(*run.validation, strict=True)
    with torch.no_grad():
        shares = network(torch.cat(images)).softmax(dim=1).numpy()
    np.testing.assert_array_equal(kept.labels, torch.cat(labels))
    np.testing.assert_allclose(kept.of_label, shares[np.arange(len(shares)), kept.labels], atol=1e-5)
    np.testing.assert_allclose(kept.shares, -np.sort(-shares)[:, :5], atol=1e-5)
    np.testing.assert_array_equal(kept.guesses[:, 0], shares.argmax(axis=1))
    assert (kept.rank == (shares > kept.of_label[:, None] + 1e-6).sum(axis=1)).mean() > 0.99  # but for equal shares
    assert kept.classes == tuple("0123456789")
    assert (kept.run, kept.epoch, kept.dataset, kept.part) == ("abcd2345", 2, "digits", "validation")


def test_their_accuracy_is_that_of_the_epoch(run: DigitsRun, kept: Predictions) -> None:
    metrics = checkpoint.read_manifest(run.folder / "checkpoints/e0002").metrics
    assert (kept.guesses[:, 0] == kept.labels).mean() == (kept.rank == 0).mean() == metrics["val/accuracy"]
    assert -np.log(kept.of_label).mean() == pytest.approx(metrics["val/loss"], rel=1e-4)


def test_ids_are_those_of_the_data_set(store: Store, kept: Predictions) -> None:
    seed_datasets.digits(store)
    by_class = {name: set(api.dataset_images(store, "digits", name)) for name in "0123456789"}
    assert len(set(kept.ids)) == len(kept.ids) > 300
    assert all(one in by_class[kept.classes[label]] for one, label in zip(kept.ids, kept.labels, strict=True))


def test_any_reader_of_parquet_finds_names(run: DigitsRun, kept: Predictions) -> None:
    table = pandas.read_parquet(run.folder / "checkpoints/e0002/predictions.parquet")
    guesses = [f"{kind}_{place}" for place in range(1, 6) for kind in ("guess", "share")]
    assert list(table.columns) == ["image", "label", *guesses, "share_of_label", "rank"]
    assert accuracy_score(table["label"].astype(str), table["guess_1"].astype(str)) == (kept.rank == 0).mean()


def test_a_checkpoint_in_mid_epoch_has_none(tmp_path: Path, cache: Path) -> None:
    left = DigitsRun(tmp_path, cache)
    assert not left.fit(until_step=3)
    assert set(checkpoint.verify(left.folder / "checkpoints/e0000-s0000003").files) == {
        "weights.safetensors",
        "resume.pt",
    }


def test_an_epoch_saved_later_keeps_its_own(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.training.retention.QUICK_S", 0.0)
    monkeypatch.setattr("engine.training.retention.SHARE", 1e-9)
    late = DigitsRun(tmp_path, cache, spec={"epochs": 3})
    assert not late.fit(stop=lambda: late.training.progress.epoch == 2)
    assert late.saved() == ["e0001", "e0002"]  # the second when it was asked to leave
    for epoch in (1, 2):
        folder = late.folder / f"checkpoints/e000{epoch}"
        found = Predictions.read(folder / "predictions.parquet", "r")
        metrics = checkpoint.verify(folder).metrics
        assert (found.epoch, (found.rank == 0).mean()) == (epoch, metrics["val/accuracy"])


@pytest.mark.parametrize("classes", [3, 5, 30])
def test_ranks_agree_with_scikit_learn(classes: int) -> None:
    chance = torch.Generator().manual_seed(classes)
    logits = torch.randn(200, classes, generator=chance)
    labels = torch.randint(classes, (200,), generator=chance)
    made = of(logits, labels)
    k = min(5, classes)
    assert made.guesses.shape == made.shares.shape == (200, k)
    for top in range(1, classes):
        expected = top_k_accuracy_score(labels, logits, k=top, labels=range(classes))
        assert (made.rank < top).mean() == pytest.approx(expected)


def test_equal_shares_give_one_story() -> None:
    """Half precision makes many logits equal: the first guess is right if, and only if, the rank is 0."""
    labels = torch.arange(12).repeat(20)
    logits = torch.randn(240, 12, generator=torch.Generator().manual_seed(0)).mul(2).round()
    made = of(logits, labels)
    np.testing.assert_array_equal(made.rank == 0, made.guesses[:, 0] == made.labels)
    among = (made.guesses == made.labels[:, None]).any(axis=1)
    np.testing.assert_array_equal(made.rank < 5, among)


def test_hopeless_and_certain_images_stay_finite() -> None:
    made = of(torch.tensor([[200.0, -200.0], [-200.0, 200.0]]), torch.tensor([1, 1]))
    assert made.of_label.tolist() == [0.0, 1.0]
    assert made.rank.tolist() == [1, 0]


def test_names_of_every_script_and_of_none_come_back(tmp_path: Path) -> None:
    made = of(torch.eye(3), torch.arange(3))
    named = dataclasses.replace(made, ids=("고양이/1.png", "dog/\udce9.png", "c.png"), classes=("고양이", "dog", "새"))
    for classes in (named.classes, ("고양이", "dog\udce9", "새")):
        (tmp_path / "p.parquet").write_bytes(dataclasses.replace(named, classes=classes).to_parquet())
        read = Predictions.read(tmp_path / "p.parquet", "r")
        assert (read.ids, read.classes) == (named.ids, classes)
        np.testing.assert_array_equal(read.guesses, named.guesses)


def test_the_best_checkpoints_are_read_through_the_face(store: Store, run: DigitsRun) -> None:
    made = store.runs.add(name="digits", spec=run.spec.model_dump(mode="json"), dataset_id="digits", epochs=2)
    assert api.run_predictions(store, made.id) is None
    store.home.run(made.id).mkdir(parents=True)
    (store.home.run(made.id) / "checkpoints").symlink_to(run.folder / "checkpoints")
    best = max(run.reporter.of("checkpoint"), key=lambda line: (line["metrics"]["val/accuracy"], -line["epoch"]))
    told = {name: best[name] for name in ("epoch", "step", "path", "bytes", "sha256", "metrics")}
    store.checkpoints.add(Checkpoint(run_id=made.id, created_at=0.0, is_best=True, **told))
    found = api.run_predictions(store, made.id)
    assert found is not None
    assert (found.run, found.epoch) == (made.id, best["epoch"])
    assert api.run_predictions(store, "gone1234") is None
