"""Ledgers of searches whose trials end with no training at all: quality stands in for what it would show."""

import json
import math
from pathlib import Path
from typing import Any

from engine.protocol.search_file import SearchFile
from engine.protocol.search_reporter import SearchReporter
from engine.specs import SearchSpec
from engine.tuning.job import SearchJob
from engine.tuning.trial_ledger import PastTrial, Trial, TrialLedger

RATE = "optimisation.learning_rate"
SMOOTHING = "optimisation.label_smoothing"
SPACE: dict[str, Any] = {
    RATE: {"log": [1e-4, 1e-1]},
    "optimisation.batch_size": {"choices": [16, 32, 64]},
    "epochs": {"integers": [2, 6]},
    "optimisation.label_smoothing": {"uniform": [0, 0.3], "step": 0.05},
    "optimisation.optimizer": {"choices": ["adamw", "sgd"]},
    "optimisation.momentum": {"uniform": [0.8, 0.99], "when": {"optimisation.optimizer": "sgd"}},
    "data.augmentations": {"choices": [[], ["flip"]]},
}
NUMBERS = {path: SPACE[path] for path in (RATE, "epochs", "optimisation.label_smoothing")}
FINITE = {"optimisation.batch_size": {"choices": [16, 32, 64]}, "epochs": {"integers": [2, 3]}}
SPACES = {"grid": FINITE, "cmaes": NUMBERS}


def make_ledger(
    folder: Path, algorithm: str = "random", *, past: list[PastTrial] | None = None, **values: Any
) -> TrialLedger:
    base = {"name": "s", "run": {"epochs": 3}, "space": SPACES.get(algorithm, SPACE), "trials": 30}
    scheduler = "bohb" if algorithm == "bohb" else "none"
    spec = SearchSpec.parse({**base, "algorithm": algorithm, "scheduler": scheduler, **values})
    return TrialLedger(spec, SearchReporter(folder), past=past or [], num_trials=spec.num_trials)


def make_job(folder: Path, spec: SearchSpec) -> SearchJob:
    """What a driver of `spec` finds in its search's folder, with the runs beside it."""
    SearchFile(
        id="s1",
        attempt=1,
        spec=spec.model_dump(mode="json"),
        dataset={},
        device="cpu",
        slots=("cpu",),
        cpus=1,
        cache="",
        runs=str(folder / "runs"),
        num_trials=spec.num_trials,
        trials=(),
    ).write(folder)
    return SearchJob.read(folder)


def quality(trial: Trial) -> float:
    """Best at a rate of 0.01 without smoothing."""
    return 1 - abs(math.log10(trial.spec.optimisation.learning_rate) + 2) / 3 - trial.params.get(SMOOTHING, 0)


def run_all(ledger: TrialLedger) -> list[tuple[Trial, float]]:
    tried = []
    while trial := ledger.next_trial():
        tried.append((trial, quality(trial)))
        ledger.report(trial.run, 3, tried[-1][1])
        ledger.end(trial.run, "finished", value=tried[-1][1])
    return tried


def rows(tried: list[tuple[Trial, float]]) -> list[PastTrial]:
    """As they come back out of the store: JSON, so tuples are lists."""
    return [
        PastTrial(trial.run, trial.number, "finished", json.loads(json.dumps(trial.params)), value)
        for trial, value in tried
    ]
