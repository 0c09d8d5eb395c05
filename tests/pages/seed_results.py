"""Real predictions without a training run: what quick classifiers of scikit-learn say of real images."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engine import api
from engine.api import Predictions
from storage import Run, RunState, Store
from tests.pages import seed
from tests.pages.seed_datasets import copied, imported, workplace

CLASSIFIERS: dict[str, Callable[[], Any]] = {
    "bayes": GaussianNB,
    "neighbours": lambda: KNeighborsClassifier(3),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=300)),
}
PIXELS = 12  # a side, of what a classifier sees of a larger image
GROUNDS = "두 바탕의 손글씨"
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ON_DARK = [f"handwritten {word}, light on a dark ground" for word in ENGLISH]
KOREAN = ("영", "일", "이", "삼", "사", "오", "육", "칠", "팔", "구")
ON_PAPER = [f"손으로 쓴 숫자 {word}, 종이 위에 어둡게" for word in KOREAN]


@cache
def digits(classifier: str = "bayes") -> Predictions:
    """Of the last 900 digits, by a classifier that saw the first ones: some right, some surely wrong."""
    images, labels = load_digits(return_X_y=True)
    fitted = CLASSIFIERS[classifier]().fit(images[:400], labels[:400])
    ids = [f"{place:04d}" for place in range(897, 1797)]
    return of_shares(fitted.predict_proba(images[897:]), labels[897:], tuple("0123456789"), ids)


def of_shares(
    shares: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], ids: list[str] | None = None
) -> Predictions:
    """Predictions of probabilities (images, classes)."""
    shares, labels = np.asarray(shares, np.float32), np.asarray(labels, np.int64)
    order = np.argsort(-shares, axis=1, kind="stable")
    kept = order[:, : min(5, len(classes))]
    return Predictions(
        run="r",
        epoch=3,
        dataset="digits",
        part="validation",
        classes=classes,
        ids=tuple(ids or [f"{place}" for place in range(len(labels))]),
        labels=labels,
        guesses=kept,
        shares=np.take_along_axis(shares, kept, axis=1),
        of_label=shares[np.arange(len(labels)), labels],
        rank=np.argmax(order == labels[:, None], axis=1),
    )


def judged(store: Store, dataset_id: str, classifier: str) -> Predictions:
    """Of the validation images of a seeded data set, by a classifier that saw its training images."""
    dataset = store.datasets.get(dataset_id)
    named = [(one, label) for label, name in enumerate(dataset.classes) for one in _ids(store, dataset_id, name)]
    seen = {
        part: [(one, label) for one, label in named if one.startswith(f"{part}/")] for part in ("train", "validation")
    }
    pixels = {part: np.stack([_pixels(store, dataset_id, one) for one, _ in rows]) for part, rows in seen.items()}
    fitted = CLASSIFIERS[classifier]().fit(pixels["train"], [label for _, label in seen["train"]])
    labels = np.array([label for _, label in seen["validation"]])
    shares = fitted.predict_proba(pixels["validation"])
    return of_shares(shares, labels, dataset.classes, [one for one, _ in seen["validation"]])


def keep(store: Store, run: Run, found: Predictions) -> Predictions:
    """As if the run's best checkpoint had said so: beside its weights."""
    best = next(one for one in store.checkpoints.list(run.id) if one.is_best)
    kept = replace(found, run=run.id, epoch=best.epoch, dataset=run.dataset_id)
    folder = store.home.run(run.id) / best.path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "predictions.parquet").write_bytes(kept.to_parquet())
    return kept


def some(store: Store, made: dict[str, Run]) -> dict[str, Run]:
    """Predictions for the finished run of a full home, and two runs more on the same digits, by a short name."""
    keep(store, made["finished"], as_good_as(digits("logistic"), made["finished"].best_value or 0.0))
    return {
        "first": judged_run(store, "digits at a rate of 0.03", "digits", digits("bayes"), rate=0.03),
        "second": judged_run(store, "digits at a rate of 0.003", "digits", digits("logistic"), rate=0.003),
    }


def twenty(store: Store) -> Run:
    """A run on 20 classes with long names in two scripts: real digits, light on dark and dark on paper."""
    copied(store, _two_grounds(), GROUNDS)
    return judged_run(store, "두 바탕의 손글씨 숫자, both grounds", GROUNDS, judged(store, GROUNDS, "logistic"))


def judged_run(store: Store, name: str, dataset_id: str, found: Predictions, *, rate: float = 0.001) -> Run:
    """A finished run whose best epoch is as good as its predictions are."""
    accuracy = float((found.guesses[:, 0] == found.labels).mean())
    below = {"ceiling": accuracy - 0.003, "epochs": 8, "per_epoch": 20}
    run = seed.run(store, name, RunState.FINISHED, dataset=dataset_id, rate=rate, **below)
    best = store.metrics.best(run.id, "val/accuracy")
    store.metrics.add(run.id, [replace(best, value=accuracy)])
    store.runs.update(run.id, best_value=accuracy)
    keep(store, run, found)
    return store.runs.get(run.id)


def as_good_as(found: Predictions, accuracy: float) -> Predictions:
    """As many of its images as come to that accuracy."""
    right = found.guesses[:, 0] == found.labels
    most = min(int(right.sum()), round((~right).sum() * accuracy / (1 - accuracy)))
    fewest = round(most * (1 - accuracy) / accuracy)
    chosen = np.sort(np.concatenate([np.flatnonzero(right)[:most], np.flatnonzero(~right)[:fewest]]))
    per_image = ("labels", "guesses", "shares", "of_label", "rank")
    rows = {name: getattr(found, name)[chosen] for name in per_image}
    return replace(found, ids=tuple(found.ids[place] for place in chosen), **rows)


@cache
def _two_grounds() -> Path:
    source, (images, labels) = workplace() / "grounds", load_digits(return_X_y=True)
    for place, (pixels, label) in enumerate(zip(images[:1200], labels[:1200], strict=True)):
        grey = np.round(pixels.reshape(8, 8) * (255 / 16)).astype(np.uint8)
        part = "train" if place < 500 else "validation"
        for name, drawn in ((ON_DARK[label], grey), (ON_PAPER[label], 235 - (grey * 0.8).astype(np.uint8))):
            folder = source / part / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(drawn).save(folder / f"{place:04}.png")
    return imported(source, workplace() / "two grounds")


def _ids(store: Store, dataset_id: str, name: str) -> list[str]:
    return api.dataset_images(store, dataset_id, name)


def _pixels(store: Store, dataset_id: str, image_id: str) -> np.ndarray:
    image = api.dataset_image(store, dataset_id, image_id).convert("L").resize((PIXELS, PIXELS))
    return np.asarray(image, dtype=np.float64).ravel() + 1e-3
