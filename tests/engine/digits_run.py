"""A small real run for the training tests: scikit-learn's digits, the small CNN, a reporter that remembers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.protocol.json_lines import Line
from engine.protocol.run_reporter import Reporter
from engine.protocol.serialization import to_json
from engine.specs import RunSpec
from engine.training.loop import fit
from engine.training.memory import Memory
from engine.training.metric_logger import MetricLogger
from engine.training.preparation import build, build_network, equip, prepare_data
from engine.training.randomness import seed_all
from engine.training.retention import Checkpoints
from engine.training.state import Training

CPU = torch.device("cpu")
DIGITS: dict[str, Any] = {
    "id": "digits",
    "name": "digits",
    "kind": "digits",
    "path": "",
    "classes": list("0123456789"),
    "channels": 1,
    "fingerprint": "scikit-learn-digits-1",
}
SMALL = {
    "data": {"dataset": "digits", "image_size": 16},
    "model": {"backbone": "small_cnn"},
    "optimisation": {"learning_rate": 1e-3, "batch_size": 64},
    "compute": {"precision": "fp32"},  # "auto" takes what is fastest just now
    "epochs": 3,
}


class Recorder(Reporter):
    """Keeps the lines in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def flush(self) -> None:
        pass

    def _write(self, line: Line) -> None:
        fields = {name: value for name, value in to_json(line).items() if name != "at"}
        self.lines.append({"kind": line.kind, **fields})

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]


class DigitsRun:
    """One attempt at a run, built as the worker builds it; `dropout` adds a model's own use of chance."""

    def __init__(
        self,
        folder: Path,
        cache: Path,
        *,
        dropout: float = 0,
        spec: dict[str, Any] | None = None,
        best_by: str | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.spec = RunSpec.parse(SMALL | (spec or {}))
        self.reporter = Recorder()
        seed_all(self.spec.seed)
        self.data = prepare_data(DIGITS, self.spec, cache, self.reporter, lambda: False)
        network = build_network(self.spec, self.data.about, None, self.reporter)
        self.training, self.recipe, self.images = build(self.spec, self.data, CPU, network)
        self.train, self.validation, self.cache = self.images.train, self.images.validation, cache
        if dropout:
            self.training.model = nn.Sequential(nn.Dropout(dropout), self.training.model)
        self.checkpoints = Checkpoints(
            folder, self.data.about, val_samples=self.data.val_samples, best_by=best_by, reporter=self.reporter
        )

    def resume(self, path: str | None) -> str | None:
        return self.checkpoints.resume(self.training, path)

    def fit(self, *, until_step: int | None = None, stop: Any = None, stop_computing: Any = None) -> bool:
        """Train on; leave when `until_step` steps are done."""
        progress, epochs = self.training.progress, self.spec.epochs
        steps = epochs * len(self.train)
        self.training_data, self.stepper = equip(
            self.spec,
            self.data,
            self.training,
            self.recipe,
            self.images,
            cache=self.cache,
            reporter=self.reporter,
            stop=stop_computing or (lambda: False),
        )
        return fit(
            self.training,
            self.training_data,
            recipe=self.recipe,
            stepper=self.stepper,
            logger=MetricLogger(self.reporter, progress, epochs=epochs, steps=steps, memory=Memory(CPU)),
            checkpoints=self.checkpoints,
            stop=stop or (lambda: until_step is not None and progress.step >= until_step),
        )

    def weights(self) -> dict[str, torch.Tensor]:
        return {name: value.clone() for name, value in self.training.model.state_dict().items()}

    def saved(self) -> list[str]:
        return sorted(path.name for path in (self.folder / "checkpoints").iterdir())


def equal(left: Training, right: Training) -> bool:
    """Bit for bit, weights and what the optimiser remembers."""
    ours, theirs = left.model.state_dict(), right.model.state_dict()
    if not all(torch.equal(ours[name], theirs[name]) for name in ours):
        return False
    ours, theirs = left.optimizer.state_dict()["state"], right.optimizer.state_dict()["state"]
    return all(torch.equal(ours[key][name], theirs[key][name]) for key in ours for name in ours[key])


def write_run_file(
    folder: Path, cache: Path, *, resume_from: str | None = None, attempt: int = 1, **values: Any
) -> None:
    """run.json as the supervisor writes it; `values` go over the spec, but `device`, `dataset` beside it."""
    folder.mkdir(exist_ok=True)
    run = {
        "id": "test",
        "name": "test",
        "attempt": attempt,
        "dataset": values.pop("dataset", DIGITS),
        "device": values.pop("device", "cpu"),
        "spec": RunSpec.parse(SMALL | values).model_dump(mode="json"),
        "resume_from": resume_from,
        "cache": str(cache),
    }
    (folder / "run.json").write_text(json.dumps(run))


def read_lines(folder: Path) -> list[dict[str, Any]]:
    """Every line of the run's events that is whole."""
    path = folder / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
