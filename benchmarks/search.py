"""Searches beside the Ray Tune script of its tutorial, on photos of CIFAR-10 with ResNet-18, on this machine's CPU.

THAW_BENCH_SHARE=0.2 runs a fifth of the script's trials and counts each five times: for a machine in a hurry.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import Figure
from benchmarks.photos import TRAIN, imported, unpacked
from engine import api
from storage import Home, Store

SHARE = float(os.environ.get("THAW_BENCH_SHARE", "1"))
HEAD_TRIALS, HEAD_EPOCHS, FULL_TRIALS, FULL_EPOCHS, FULL_PHOTOS = 20, 10, 10, 2, 1000
SMALL_TRIALS = 20
ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Taken:
    wall_s: float
    first_s: float  # from the click, or the script's start, to the first metric of the first trial
    best: float
    trials: int
    counted: float = 1.0  # trials that each one stands for
    memory: dict[str, float] = field(default_factory=dict)  # who -> MB (PSS), when all together took most

    @property
    def whole_s(self) -> float:
        return self.first_s + (self.wall_s - self.first_s) * self.counted


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        photos = unpacked(folder / "photos", TRAIN)
        few = unpacked(folder / "few", FULL_PHOTOS, FULL_PHOTOS // 4)
        figures = []
        for what, of, trials, epochs in (
            ("head", photos, HEAD_TRIALS, HEAD_EPOCHS),
            ("full", few, FULL_TRIALS, FULL_EPOCHS),
        ):
            ways = {
                "Thaw": ours(folder / f"{what}-home", of, what, trials, epochs),
                "Ray Tune script": theirs(folder / what, of, what, trials, epochs),
            }
            title = f"{what} only" if what == "head" else "all weights"
            figures += summary(f"search of {trials} trials, {title}, {epochs} epochs", ways)
        return figures + overhead(folder)


def summary(what: str, ways: dict[str, Taken]) -> list[Figure]:
    """Figures of wall time and of the time to the first metric; the rest as sentences."""
    figures = []
    for name, value in (("whole", "whole_s"), ("to the first metric", "first_s")):
        first = getattr(next(iter(ways.values())), value)
        for way, taken in ways.items():
            ms = 1000 * getattr(taken, value)
            figures.append(Figure(f"{what}, {name}", way, ms, ms, ms, 1, ms / 1000 / first))
    for way, taken in ways.items():
        held = ", ".join(f"{who} {size:.0f} MB" for who, size in taken.memory.items())
        each = "" if taken.counted == 1 else f", {taken.trials} trials, each counted {taken.counted:g} times"
        print(f"{what}, {way}: best val/accuracy {taken.best:.3f}{each}; memory: {held}")
    return figures


def ours(home: Path, photos: Path, what: str, trials: int, epochs: int) -> Taken:
    """From the click on, with an empty cache."""
    imported(home, photos)
    run: dict[str, Any] = {"data": {"dataset": "photos", "image_size": 64}, "epochs": epochs}
    if what == "head":
        run["freeze"] = {"policy": "head"}
    space = {
        "optimisation.learning_rate": {"log": [1e-4, 1e-1 if what == "head" else 1e-2]},
        "optimisation.batch_size": {"choices": [32, 64, 128]},
    }
    values = {"run": run, "space": space, "algorithm": "random", "trials": trials}
    return searched(api.open_store(Home.find(home)), values)


def searched(store: Store, values: dict[str, Any]) -> Taken:
    """A search from start to end, as a page or the command line would have it."""
    memory = Memory()
    api.ensure_supervisor(store.home)  # as the dashboard does when it opens
    with memory:
        began, first_s = time.time(), 0.0
        search = api.start_search(store, api.SearchSpec.parse(values))
        while not (search := store.searches.get(search.id)).state.is_over:
            if not first_s and search.best_value is not None:
                first_s = time.time() - began
            time.sleep(0.1)
        wall_s = time.time() - began
    api.wait_for_request(store, api.shut_down(store).id)
    if search.state != "finished" or search.best_value is None:
        raise SystemExit(f"The search {search.state}: {search.reason}")
    return Taken(wall_s, first_s or wall_s, search.best_value, search.num_trials, memory=memory.most)


def theirs(folder: Path, photos: Path, what: str, trials: int, epochs: int) -> Taken:
    """The script in a process of its own, with as many trials as the share of them that is asked for."""
    folder.mkdir()
    count = max(2, round(trials * SHARE))
    command = [sys.executable, "-m", "benchmarks.ray_script", what, str(photos), str(count), str(epochs)]
    with Memory() as memory:
        began = time.time()
        subprocess.run([*command, str(folder / "result.json")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        wall_s = time.time() - began
    result = json.loads((folder / "result.json").read_text())
    return Taken(wall_s, result["first_s"], result["best"], count, trials / count, memory.most)


def overhead(folder: Path) -> list[Figure]:
    """What a trial costs beside its training: digits, one epoch each, against Optuna in one process."""
    home = Home.find(folder / "small-home")
    values = {
        "run": {"data": {"dataset": "digits", "image_size": 8}, "model": {"backbone": "small_cnn"}, "epochs": 1},
        "space": {"optimisation.learning_rate": {"log": [1e-4, 1e-2]}},
        "algorithm": "optuna",
        "trials": SMALL_TRIALS,
        "max_concurrent": 1,
    }
    taken = searched(api.open_store(home), values)
    trial_s = {"Thaw": (taken.wall_s - taken.first_s) / (SMALL_TRIALS - 1), "Optuna alone": _optuna(folder)}
    first = trial_s["Thaw"]
    what = f"a trial of {SMALL_TRIALS} on digits, one epoch"
    return [Figure(what, way, 1000 * s, 1000 * s, 1000 * s, SMALL_TRIALS, s / first) for way, s in trial_s.items()]


def _optuna(folder: Path) -> float:
    """Seconds a trial: the same network and epoch, with neither checkpoint nor event nor process."""
    import optuna
    import torch
    from sklearn.datasets import load_digits
    from torch import nn

    torch.set_num_threads(1)
    images = torch.tensor(load_digits().images[:, None] / 16, dtype=torch.float32)
    labels = torch.tensor(load_digits().target)

    def objective(trial: optuna.Trial) -> float:
        torch.manual_seed(0)
        model: nn.Module = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 36, 10))
        moves = torch.optim.AdamW(model.parameters(), lr=trial.suggest_float("lr", 1e-4, 1e-2, log=True))
        for some in torch.randperm(1437).split(64):
            moves.zero_grad()
            nn.functional.cross_entropy(model(images[some]), labels[some]).backward()
            moves.step()
        return float((model(images[1437:]).argmax(1) == labels[1437:]).float().mean())

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    began = time.time()
    optuna.create_study(direction="maximize").optimize(objective, n_trials=SMALL_TRIALS)
    return (time.time() - began) / SMALL_TRIALS


class Memory:
    """Samples what processes hold that were started since it was made; `most` is the sample with the largest sum."""

    def __init__(self) -> None:
        self.most: dict[str, float] = {}
        self._mark = os.environ["THAW_BENCH"] = secrets.token_hex(8)  # they inherit it, however they are related
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            now: dict[str, float] = {}
            for one in psutil.process_iter():
                try:
                    who = who_is(" ".join(one.cmdline()))
                    if who and one.environ().get("THAW_BENCH") == self._mark:
                        now[who] = now.get(who, 0.0) + one.memory_full_info().pss / 1e6
                except psutil.Error:
                    continue
            if sum(now.values()) > sum(self.most.values()):
                self.most = now


def who_is(command: str) -> str:
    marks = {"engine supervise": "engine", "engine.tuning": "driver", "benchmarks.ray_script": "driver"}
    for mark, who in {**marks, "ray::": "trials", "/ray/": "Ray"}.items():
        if mark in command:
            return who
    return ""
