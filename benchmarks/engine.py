"""The engine beside the loops that people write, on photos of CIFAR-10 with ResNet-18, on this machine's CPU."""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks import thaw_side, tutorial
from benchmarks.measure import Figure, alternate
from benchmarks.photos import imported, unpacked

ROUNDS = 3
SIZES = {64: (2000, 64), 224: (160, 16)}  # image size -> photos an epoch, batch size
HEAD_EPOCHS, HEAD_PHOTOS = 10, 4000
STEPS_LOGGED = 20_000


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photos = unpacked(folder / "photos", HEAD_PHOTOS)
        dataset = imported(folder / "home", photos)
        figures = [one for size in SIZES for one in full_training(folder, photos, dataset, size)]
        figures += head_only(folder, photos, dataset)
        figures += added_cost(folder, dataset)
        return figures


def full_training(folder: Path, photos: Path, dataset: dict[str, Any], size: int) -> list[Figure]:
    """One epoch of all weights: the resident-tensor limit, Thaw with everything on, the tutorial."""
    count, batch_size = SIZES[size]
    spec = {
        "data": {"dataset": "photos", "image_size": size},
        "optimisation": {"batch_size": batch_size},
        "epochs": 1000,
    }
    run = thaw_side.Run.begun(folder / f"full-{size}", folder / "cache", dataset, spec)
    run.training_data.images.train._indices = run.training_data.images.train._indices[:count]
    batches = [
        run.training_data.images.train.fetch(chosen)
        for chosen in run.training_data.images.train._indices.split(batch_size)
    ]
    images, labels = torch.cat(batches), torch.randint(0, 10, (count,))
    limit = tutorial.network().to(memory_format=torch.channels_last)
    limit_moves = tutorial.optimizer(limit, fused=True)
    ways: dict[str, Callable[[], object]] = {
        f"resident tensors, {run.stepper.format.precision}": lambda: tutorial.resident_epoch(
            limit, images, labels, batch_size, limit_moves, run.stepper.format.cast()
        ),
        f"Thaw, auto ({run.stepper.format.precision})": run.epoch,
    }
    for workers in (0, 2):
        ways[f"tutorial, fp32, {workers} workers"] = _tutorial_epoch(photos, size, batch_size, workers, count)
    return alternate(f"full training, {size} px, {count} photos", ways, rounds=ROUNDS)


def _tutorial_epoch(photos: Path, size: int, batch_size: int, workers: int, count: int) -> Callable[[], object]:
    model = tutorial.network()
    moves = tutorial.optimizer(model)
    loader = tutorial.loaders(photos, size, batch_size, workers)["train"]
    photo_set: Any = loader.dataset  # an ImageFolder
    photo_set.samples = photo_set.samples[:: len(photo_set.samples) // count][:count]
    return lambda: tutorial.train(model, loader, moves)


def head_only(folder: Path, photos: Path, dataset: dict[str, Any]) -> list[Figure]:
    """From files to the last of 10 epochs; each round with an empty cache."""
    found: dict[str, list[float]] = {"Thaw": [], "tutorial": []}
    spec = {
        "data": {"dataset": "photos", "image_size": 64},
        "optimisation": {"batch_size": 64},
        "freeze": {"policy": "head"},
        "epochs": HEAD_EPOCHS,
    }
    rounds = iter(range(1000))

    def ours() -> None:
        at = folder / f"head-{next(rounds)}"
        run = thaw_side.Run.begun(at, at / "cache", dataset, spec)
        run.fit()
        found["Thaw"].append(run.training.plateau.best)

    def theirs() -> None:
        model = tutorial.network(head_only=True)
        moves, both = tutorial.optimizer(model), tutorial.loaders(photos, 64, 64, 2)
        best = 0.0
        for _ in range(HEAD_EPOCHS):
            tutorial.train(model, both["train"], moves)
            best = max(best, tutorial.evaluate(model, both["validation"]))
        found["tutorial"].append(best)

    ways: dict[str, Callable[[], object]] = {"Thaw": ours, "tutorial, 2 workers": theirs}
    if (trainer := lightning(photos, found)) is not None:
        ways["Lightning's Trainer, 2 workers"] = trainer
    figures = alternate(f"head only, {HEAD_EPOCHS} epochs, {HEAD_PHOTOS} photos, 64 px", ways, rounds=2)
    for way, values in found.items():
        print(f"best validation accuracy, {way}: {statistics.mean(values):.3f}")
    return figures


def lightning(photos: Path, found: dict[str, list[float]]) -> Callable[[], object] | None:
    """The same task by Lightning's Trainer; None where it is not installed (pip install lightning)."""
    try:
        from benchmarks.lightning_side import fitted
    except ImportError:
        print("Lightning is not installed; `pip install lightning` brings it into the table.")
        return None
    found["Lightning"] = []
    return lambda: found["Lightning"].append(fitted(photos, HEAD_EPOCHS))


def added_cost(folder: Path, dataset: dict[str, Any]) -> list[Figure]:
    """What Thaw does beside a step (events, metrics, counting), and what a checkpoint takes."""
    spec = {"data": {"dataset": "photos", "image_size": 64}, "compute": {"precision": "fp32"}, "epochs": 1000}
    run = thaw_side.Run.begun(folder / "cost", folder / "cache", dataset, spec)
    loss, logits, labels = torch.tensor(1.5), torch.randn(64, 10), torch.randint(0, 10, (64,))

    def logged() -> None:
        for _ in range(STEPS_LOGGED):
            run.training.count(loss, logits, labels)
            run.logger.step(loss, 64)
        run.logger.flush()
        run.training.progress.batch = 0

    images, their = run.training_data.images.train.sample()
    run.training.model.train()

    def steps() -> None:
        for _ in range(10):
            run.stepper.step(run.training.model, run.training.optimizer, images, their)

    began = time.perf_counter()
    steps()
    print(f"10 steps to warm up: {time.perf_counter() - began:.1f} s")
    figures = alternate("ten steps, ResNet-18, 64 px, fp32", {"steps": steps}, rounds=5)
    figures += alternate(f"logging of {STEPS_LOGGED:,} steps", {"events, metrics, counting": logged}, rounds=5)
    share = figures[1].median_ms / STEPS_LOGGED / (figures[0].median_ms / 10)
    print(f"added to a step: {1000 * figures[1].median_ms / STEPS_LOGGED:.0f} us, {100 * share:.3f} % of it")
    run.training.progress.epoch = 1
    return figures + alternate("checkpoint, ResNet-18 with AdamW", {"save": _save(run)}, rounds=5)


def _save(run: thaw_side.Run) -> Callable[[], object]:
    def save() -> None:
        run.training.progress.epoch += 1
        run.checkpoints.save(run.training, {"val/accuracy": 0.5})

    return save
