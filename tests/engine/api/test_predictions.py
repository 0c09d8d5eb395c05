"""A checkpoint is asked about images that it did not keep predictions of, through a real previewer process."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, top_k_accuracy_score

from engine import api
from engine.api import Predictions, Preview, RunSpec
from engine.api.predictions import _request
from engine.artifacts.scores import results
from engine.catalog import BACKBONES
from engine.cli.main import main
from engine.data.decode import to_array
from engine.previews import requests
from engine.previews.saliency import AS_MAPS, heat_of, layer_of
from engine.previews.trained_model import Trained
from engine.training import checkpoint
from engine.training.network import model
from storage import Checkpoint, Home, Run, RunState, Store
from tests.cli import cli, until
from tests.engine.digits_run import SMALL, DigitsRun
from tests.pages import seed_datasets
from tests.pages.seed_results import of_shares

SPEC = SMALL | {"data": {"dataset": "digits", "image_size": 16, "test_fraction": 0.1}, "epochs": 4}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A home with the digits, some of them as a folder of their own, and drawn shapes."""
    store = api.open_store(Home.find(tmp_path_factory.mktemp("home")))
    seed_datasets.digits(store)
    seed_datasets.shapes(store)
    source = tmp_path_factory.mktemp("source")
    pixels, labels = (load_digits()[name] for name in ("images", "target"))
    for number in np.flatnonzero(np.isin(labels, (3, 7)))[:40]:
        (source / str(labels[number])).mkdir(exist_ok=True)
        grey = Image.fromarray((pixels[number] * 255 / 16).astype(np.uint8)).resize((12, 20))
        grey.save(source / str(labels[number]) / f"{number}.png")
    seed_datasets.copied(store, seed_datasets.imported(source, tmp_path_factory.mktemp("made") / "few"), "few")
    return store


@pytest.fixture(scope="module")
def run(store: Store) -> Run:
    """As the engine leaves it: its folder, its launch and its best checkpoint."""
    asked = RunSpec.parse(SPEC).model_dump(mode="json")
    made = store.runs.add(name="digits", spec=asked, dataset_id="digits", epochs=4)
    trained = DigitsRun(store.home.run(made.id), store.home.cache, spec=SPEC)
    assert trained.fit()
    launched = {"dataset": asdict(store.datasets.get("digits"))}
    (trained.folder / "run.json").write_text(json.dumps(launched), encoding="utf-8")
    best = max(trained.reporter.of("checkpoint"), key=lambda line: (line["metrics"]["val/accuracy"], -line["epoch"]))
    told = {name: best[name] for name in ("epoch", "step", "path", "bytes", "sha256", "metrics")}
    store.checkpoints.add(Checkpoint(run_id=made.id, created_at=0.0, is_best=True, **told))
    return store.runs.get(made.id)


@pytest.fixture(scope="module")
def care(store: Store) -> Iterator[requests.Previewing]:
    care = requests.Previewing(store)
    yield care
    care.close()


@pytest.fixture
def made(store: Store, care: requests.Previewing) -> Callable[[Callable[[], Any]], Any]:
    """Asks until there is an answer."""

    def answered(ask: Callable[[], Any]) -> Any:
        def ready() -> Any:
            found = ask()
            care.tick()
            is_there = isinstance(found, Predictions) or found.values is not None or found.problem is not None
            return found if is_there else None

        return until(ready, within_s=120)

    return answered


Made = Callable[[Callable[[], Any]], Any]


def best_of(store: Store, run: Run) -> Path:
    return store.home.run(run.id) / store.checkpoints.get(run.id, "best").path


def test_a_run_that_kept_none_gets_those_that_it_would_have_kept(store: Store, run: Run, made: Made) -> None:
    kept = api.predictions_on(store, run.id, "digits", "validation")
    assert isinstance(kept, Predictions)
    path = best_of(store, run) / "predictions.parquet"
    path.rename(path.with_suffix(".away"))
    assert api.run_predictions(store, run.id) is None
    found = made(lambda: api.predictions_on(store, run.id, "digits", "validation"))
    path.with_suffix(".away").rename(path)
    assert (found.run, found.epoch, found.dataset, found.part) == (run.id, kept.epoch, "digits", "validation")
    assert (found.ids, found.classes) == (kept.ids, kept.classes)
    for name in ("labels", "guesses", "rank"):
        assert (getattr(found, name) == getattr(kept, name)).mean() > 0.99, name  # but for equal shares
    np.testing.assert_allclose(found.of_label, kept.of_label, atol=1e-5)


def test_parts_of_its_own_data_are_those_that_it_was_trained_with(store: Store, run: Run, made: Made) -> None:
    parts = api.predictable_parts(store, run.id, "digits")
    assert parts == ["validation", "test", "train", "all"]
    by_part = {part: made(lambda part=part: api.predictions_on(store, run.id, "digits", part)) for part in parts}
    ids = {part: set(found.ids) for part, found in by_part.items()}
    assert ids["validation"] | ids["test"] | ids["train"] == ids["all"]
    assert sum(len(ids[part]) for part in ("validation", "test", "train")) == len(ids["all"]) == 1797
    assert results(by_part["train"])["accuracy"] > 0.9


def test_images_taken_out_since_have_judged_it_all_the_same(store: Store, run: Run) -> None:
    kept = api.run_predictions(store, run.id)
    assert kept is not None
    api.exclude_images(store, "digits", kept.ids[:1])
    request = _request(store, run, store.datasets.get("digits"), is_own=True)
    api.include_images(store, "digits", kept.ids[:1])
    assert list(request["dataset"]["excluded"]) == []


def test_other_images_under_its_data_sets_name_are_another_data_set(store: Store, run: Run) -> None:
    own = store.datasets.get("digits")
    store.datasets.add(replace(own, source_fingerprint="of other images"))
    parts = api.predictable_parts(store, run.id, "digits")
    store.datasets.add(own)
    assert parts == ["all"]  # it came undivided: how the run divided its own says nothing of these


def test_another_data_set_is_seen_as_the_checkpoint_wants_it(store: Store, run: Run, made: Made) -> None:
    """Other sizes, other classes in another order: what counts is the preprocessing and the names that were learned."""
    assert api.predictable_parts(store, run.id, "few") == ["all"]
    found = made(lambda: api.predictions_on(store, run.id, "few", "all"))
    assert {found.classes[label] for label in found.labels} == {"3", "7"}
    assert [one.split("/")[0] for one in found.ids] == [found.classes[label] for label in found.labels]
    manifest, weights = checkpoint.read_manifest(best_of(store, run)), checkpoint.read_weights(best_of(store, run))
    shape = manifest.preprocessing
    network = model.build(RunSpec.parse(SPEC).model, classes=10, channels=1, image_size=16).eval()
    network.load_state_dict(weights)
    for place, one in enumerate(found.ids[:9]):
        pixels = to_array(api.dataset_image(store, "few", one), size=16, channels=1)
        entering = (torch.from_numpy(pixels / 255).float() - shape["mean"][0]) / shape["std"][0]
        shares = network(entering.permute(2, 0, 1)[None])[0].softmax(dim=0).detach()
        assert float(shares[found.labels[place]]) == pytest.approx(found.of_label[place], abs=1e-4)


def test_classes_that_it_has_not_learned_are_named(store: Store, run: Run) -> None:
    with pytest.raises(api.Refused, match="has not learned: circle, cross, hexagon, ring, square and 2 more"):
        api.predictable_parts(store, run.id, "shapes")
    with pytest.raises(api.Refused, match="must be one of all"):
        api.predictions_on(store, run.id, "few", "test")
    with pytest.raises(api.NotFound):
        api.predictions_on(store, run.id, "gone", "all")


def test_images_that_are_gone_are_told_until_asked_anew(store: Store, run: Run, made: Made) -> None:
    folder = store.home.dataset("gone")
    seed_datasets.copied(store, store.home.dataset("few"), "gone")
    away = folder.with_name("away")
    folder.rename(away)
    assert "cannot be read" in made(lambda: api.predictions_on(store, run.id, "gone", "all")).problem
    away.rename(folder)
    assert api.predictions_on(store, run.id, "gone", "all").problem  # kept: nothing tries again by itself
    assert isinstance(api.predictions_on(store, run.id, "gone", "all", anew=True), Preview)
    assert len(made(lambda: api.predictions_on(store, run.id, "gone", "all")).ids) == 40


def test_a_pass_that_was_cut_short_is_begun_again_once(store: Store) -> None:
    asked = {"kind": "predictions", "spec": {}, "part": "never made"}
    made, ago = requests.place_of(store, asked), time.time() - 2 * requests.LOST_S
    for again in (True, False):
        requests.request_preview(store, asked)
        made.with_suffix(".json").rename(made.with_suffix(".taken"))
        os.utime(made.with_suffix(".taken"), (ago, ago))
        found = requests.request_preview(store, asked)
        assert (found.problem is None, made.with_suffix(".json").exists()) == (again, again)
    assert "cut off" in (found.problem or "")
    requests.forget(store, asked)


def test_a_previewer_that_is_told_to_leave_leaves_nothing_half_asked(
    store: Store, run: Run, care: requests.Previewing
) -> None:
    """As when the engine is started again: the page that waits asks the next one."""
    folder = store.home.cache / "predictions"

    def taken() -> bool:
        care.tick()
        return any(folder.glob("*.taken"))

    api.predictions_on(store, run.id, "digits", "train", anew=True)
    until(taken)
    os.kill(care._leaders[folder].pid, signal.SIGTERM)
    until(lambda: not care._leaders[folder].is_alive)
    assert not list(folder.glob("*.taken"))


def test_a_look_at_digits_falls_on_their_ink(store: Store, run: Run, made: Made) -> None:
    kept = api.run_predictions(store, run.id)
    assert kept is not None
    found = made(lambda: api.saliency(store, run.id, "digits", kept.ids[0], None))
    image, laid_over = (np.asarray(Image.open(found.pictures[name])) for name in ("image", "saliency"))
    assert image.shape == laid_over.shape == (224, 224, 3)
    pixels = to_array(api.dataset_image(store, "digits", kept.ids[0]), size=16, channels=1)
    np.testing.assert_array_equal(image[::14, ::14], np.repeat(pixels, 3, axis=2))
    assert (found.values["target"], found.values["guess"]) == (kept.guesses[0, 0], kept.guesses[0, 0])
    assert found.values["share"] == pytest.approx(kept.shares[0, 0], abs=1e-5)
    other = made(lambda: api.saliency(store, run.id, "digits", kept.ids[0], int(kept.guesses[0, 1])))
    assert other.values["share"] == pytest.approx(kept.shares[0, 1], abs=1e-5)
    assert not np.array_equal(np.asarray(Image.open(other.pictures["saliency"])), laid_over)
    assert "no image" in made(lambda: api.saliency(store, run.id, "digits", "gone", None)).problem


def test_what_lies_on_the_ink_speaks_for_the_class(store: Store, run: Run) -> None:
    kept = api.run_predictions(store, run.id)
    assert kept is not None
    trained = Trained.read(best_of(store, run))
    layout, on, off = BACKBONES["small_cnn"].layout, [], []
    for place in range(40):
        pixels = to_array(api.dataset_image(store, "digits", kept.ids[place]), size=16, channels=1)
        entering = trained.pixels(pixels[None], torch.device("cpu"))(torch.arange(1))
        heat = heat_of(trained.network, layout, entering, int(kept.guesses[place, 0]))
        ink = pixels[..., 0] > 128
        on.append(heat[ink].mean())
        off.append(heat[~ink].mean())
    assert np.mean(on) > 1.1 * np.mean(off)


QUICK = {"resnet18": 32, "vit_b_32": 64, "swin_t": 32}  # small images: the last stage has a single cell left
FAMILIES = {(row.layout.family, *row.layout.stages): name for name, row in reversed(BACKBONES.items())}
SLOW = [pytest.param(name, 224, marks=pytest.mark.slow) for name in sorted(set(FAMILIES.values()))]


@pytest.mark.parametrize(("backbone", "size"), [*QUICK.items(), *SLOW])
def test_every_family_is_looked_into(backbone: str, size: int) -> None:
    torch.manual_seed(0)
    row = BACKBONES[backbone]
    asked = RunSpec.parse({"model": {"backbone": backbone}, "data": {"image_size": size}})
    network = model.build(asked.model, classes=10, channels=3, image_size=size).eval()
    image = torch.randn(1, 3, size, size)
    heats = np.stack([heat_of(network, row.layout, image, target) for target in range(4)])
    assert heats.shape == (4, size, size) and np.isfinite(heats).all()
    assert heats.std(axis=(1, 2)).max() > 0.01  # of random weights, something speaks for one class at least
    if not row.layout.cam_layer:
        sizes: list[int] = []
        layer_of(network, row.layout, image).register_forward_hook(
            lambda layer, entering, made: sizes.extend(AS_MAPS[row.layout.sees](made).shape[2:])
        )
        network(image)
        assert min(sizes) >= 4


def test_results_are_scikit_learns(store: Store, run: Run) -> None:
    found = api.run_predictions(store, run.id)
    assert found is not None
    told, names = results(found), list(found.classes)
    guesses = found.guesses[:, 0]
    report = classification_report(found.labels, guesses, target_names=names, output_dict=True)
    assert told["accuracy"] == pytest.approx(accuracy_score(found.labels, guesses))
    for one in told["classes"]:
        expected = report[one["name"]]
        assert (one["precision"], one["recall"], one["f1"], one["images"]) == pytest.approx(
            (expected["precision"], expected["recall"], expected["f1-score"], expected["support"])
        )
    np.testing.assert_array_equal(told["confusion"], confusion_matrix(found.labels, guesses))
    every = np.full((len(found.ids), 10), 1e-9)  # but for the five likeliest, whose order is all that counts
    np.put_along_axis(every, found.guesses, found.shares, axis=1)
    assert told["top_5_accuracy"] == pytest.approx(top_k_accuracy_score(found.labels, every, k=5, labels=range(10)))


@pytest.mark.parametrize(("classes", "k"), [(2, None), (3, 2), (9, 2), (10, 5)])
def test_the_truth_is_looked_for_among_so_few_that_it_may_be_missed(classes: int, k: int | None) -> None:
    """As the page does: among the three likeliest of three it would always be."""
    chance = np.random.default_rng(0)
    found = of_shares(
        chance.dirichlet(np.ones(classes), 99), chance.integers(0, classes, 99), tuple("abcdefghij")[:classes]
    )
    told = [name for name in results(found) if name.startswith("top_")]
    assert told == ([f"top_{k}_accuracy"] if k else [])
    assert k is None or results(found)[f"top_{k}_accuracy"] < 1


def test_the_command_line_tells_results(
    store: Store, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THAW_HOME", str(store.home.root))
    found = api.run_predictions(store, run.id)
    assert found is not None
    assert main(["results", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == results(found)
    assert main(["results", run.id]) == 0
    said = capsys.readouterr().out
    assert f"{len(found.ids):,} images" in said and f"accuracy {results(found)['accuracy']:.4f}" in said
    assert f"calibration error {results(found)['calibration_error']:.4f}" in said
    assert main(["results", run.id, "--data", "shapes"]) == 2
    assert "has not learned: circle" in capsys.readouterr().err
    bare = store.runs.add(name="elsewhere", spec={}, dataset_id="", epochs=1, state=RunState.FINISHED)
    assert main(["results", bare.id]) == 2
    assert "keeps no checkpoint 'best'" in capsys.readouterr().err
    store.runs.update(bare.id, source="TensorBoard: /elsewhere")
    assert main(["results", bare.id]) == 2
    assert "was read in from elsewhere (TensorBoard: /elsewhere): it has no checkpoint" in capsys.readouterr().err
    store.runs.move(bare.id, RunState.STOPPED)  # else the engine would train it
    try:
        done = cli("results", run.id, "--data", "few", "--json")  # the engine starts for it
    finally:
        cli("shutdown")
    assert json.loads(done.stdout)["images"] == 40, done.stderr


def test_nothing_is_said_of_classes_without_images(store: Store, run: Run) -> None:
    kept = api.run_predictions(store, run.id)
    assert kept is not None
    here = kept.labels != 4
    some = {name: getattr(kept, name)[here] for name in ("labels", "guesses", "shares", "of_label", "rank")}
    some["guesses"][some["guesses"][:, 0] == 4, 0] = 5
    told = results(replace(kept, ids=tuple(np.array(kept.ids)[here]), **some))
    four = told["classes"][4]
    assert (four["images"], four["recall"], four["precision"]) == (0, None, None)
    json.dumps(told, allow_nan=False)
