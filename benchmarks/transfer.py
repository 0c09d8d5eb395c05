"""Does transfer pay? `python -m benchmarks.transfer PHOTOS.zip [--home FOLDER] [--json FILE]`

PHOTOS.zip holds CIFAR-10 photos as train/<class>/*.jpg and validation/<class>/*.jpg. A ResNet-18 learns 8 of the
classes from random weights. Then deer and horse, which it has never seen, are learned from 50 images each, in four
ways over three seeds. Everything runs through the engine: its home can be opened in the dashboard afterwards.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

from engine import api
from storage import Home, Run, Store

LEFT_OUT = ("deer", "horse")  # alike in colour and background: what is learned must be shape
PER_CLASS = 50
SEEDS = (0, 1, 2)
SMALL_PHOTOS = {"image_size": 32, "augmentations": ["flip", "shift"]}
STEM = {"stem": "small"}  # photos of 32 px
EXACT = {"compute": {"precision": "fp32"}}  # "auto" may take another format on another machine
PRETRAINING: dict[str, Any] = {
    **EXACT,
    "name": "eight classes",
    "data": {**SMALL_PHOTOS, "dataset": "cifar-8"},
    "model": STEM,
    "optimisation": {"learning_rate": 0.002, "schedule": "one_cycle", "batch_size": 64, "weight_decay": 0.01},
    "epochs": 14,
}
FINE_TUNING: dict[str, Any] = {
    **EXACT,
    "data": {**SMALL_PHOTOS, "dataset": "cifar-2"},
    "optimisation": {"learning_rate": 0.002, "schedule": "cosine", "batch_size": 20},
    "epochs": 24,
}
FROM_RUN = {**STEM, "weights": "run", "weights_from": "eight classes@last"}
WAYS: dict[str, dict[str, Any]] = {
    "from scratch": {"model": STEM},
    "head only": {"model": FROM_RUN, "freeze": {"policy": "head"}},
    "gradual unfreezing": {"model": FROM_RUN, "freeze": {"policy": "gradual", "every_epochs": 4, "rate_decay": 0.4}},
    "train everything": {"model": FROM_RUN},
}


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m benchmarks.transfer", description=__doc__)
    options.add_argument("photos", type=Path)
    options.add_argument(
        "--home", type=Path, help="where the runs stay, to be looked at; a temporary one when left out"
    )
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    arguments = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        store = api.open_store(Home.find(arguments.home or Path(scratch) / "home"))
        api.ensure_supervisor(store.home)
        for name, path in divide(arguments.photos, Path(scratch)).items():
            api.wait_for_request(store, api.add_dataset(store, name, path).id, timeout_s=600)
        first = finished(store, PRETRAINING)
        print(f"Eight classes: validation accuracy {first.best_value:.3f} after {first.best_epoch} epochs.\n")
        found = {
            way: [finished(store, FINE_TUNING | over | {"name": f"{way}, seed {seed}", "seed": seed}) for seed in SEEDS]
            for way, over in WAYS.items()
        }
        api.wait_for_request(store, api.shut_down(store).id)
    table(found)
    if arguments.json:
        figures = {way: [run.best_value for run in runs] for way, runs in found.items()}
        arguments.json.write_text(json.dumps({"eight classes": first.best_value, "accuracy": figures}, indent=1))


def divide(photos: Path, folder: Path) -> dict[str, Path]:
    """Two zips: eight classes with all their photos, two with 50 each to learn from and all to be judged by."""
    paths = {name: folder / f"{name}.zip" for name in ("cifar-8", "cifar-2")}
    with zipfile.ZipFile(photos) as source:
        files: dict[tuple[str, str], list[str]] = {}
        for file in sorted(name for name in source.namelist() if name.endswith(".jpg")):
            part, label = file.split("/")[-3:-1]
            files.setdefault((part, label), []).append(file)
        with zipfile.ZipFile(paths["cifar-8"], "w") as eight, zipfile.ZipFile(paths["cifar-2"], "w") as two:
            for (part, label), names in files.items():
                is_new = label in LEFT_OUT
                chosen = random.Random(0).sample(names, PER_CLASS) if is_new and part == "train" else names
                for file in chosen:
                    (two if is_new else eight).writestr("/".join(file.split("/")[-3:]), source.read(file))
    return paths


def finished(store: Store, values: dict[str, Any]) -> Run:
    """
    Raises:
        SystemExit: The run did not finish; the reason is told.
    """
    run = api.start_run(store, api.RunSpec.parse(values))
    while not (run := store.runs.get(run.id)).state.is_over:
        time.sleep(0.5)
    if run.state != "finished":
        raise SystemExit(f"{run.name}: {run.state}. {run.reason} {run.advice}")
    return run


def table(found: dict[str, list[Run]]) -> None:
    """As Markdown, for docs/transfer.md."""
    print("| way | accuracy by seed | mean | time a run |\n|---|---|---|---|")
    for way, runs in found.items():
        values = [run.best_value or 0.0 for run in runs]
        taken = statistics.median(run.duration_s() or 0.0 for run in runs)
        print(
            f"| {way} | {', '.join(f'{one:.3f}' for one in values)} | {statistics.mean(values):.3f} | {taken:.0f} s |"
        )


if __name__ == "__main__":
    main()
