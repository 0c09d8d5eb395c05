"""A run of Thaw's in this process, built as the worker builds it, writing real lines and checkpoints."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.protocol.json_lines import JsonLines
from engine.protocol.run_reporter import Reporter
from engine.specs import RunSpec
from engine.training import device as devices
from engine.training.epoch_data import TrainingData
from engine.training.loop import evaluate, fit, train_epoch
from engine.training.memory import Memory
from engine.training.metric_logger import MetricLogger
from engine.training.preparation import build, build_network, equip, prepare_data
from engine.training.randomness import seed_all
from engine.training.recipe import Recipe
from engine.training.retention import Checkpoints
from engine.training.state import Training
from engine.training.step import Stepper

CPU = torch.device("cpu")


@dataclass(slots=True)
class Run:
    training: Training
    recipe: Recipe
    training_data: TrainingData
    stepper: Stepper
    logger: MetricLogger
    checkpoints: Checkpoints

    @classmethod
    def begun(cls, folder: Path, cache: Path, dataset: dict[str, Any], values: dict[str, Any]) -> "Run":
        """Everything that comes before the first epoch."""
        folder.mkdir(parents=True, exist_ok=True)
        spec = RunSpec.parse({"data": {"dataset": "photos"}} | values)
        reporter = Reporter(JsonLines.events(folder))
        devices.prepare(CPU)
        seed_all(spec.seed)
        data = prepare_data(dataset, spec, cache, reporter, lambda: False)
        network = build_network(spec, data.about, None, reporter)
        training, recipe, images = build(spec, data, CPU, network)
        training_data, stepper = equip(
            spec, data, training, recipe, images, cache=cache, reporter=reporter, stop=lambda: False
        )
        steps = spec.epochs * len(images.train)
        logger = MetricLogger(reporter, training.progress, epochs=spec.epochs, steps=steps, memory=Memory(CPU))
        checkpoints = Checkpoints(folder, data.about, val_samples=data.val_samples, reporter=reporter)
        return cls(training, recipe, training_data, stepper, logger, checkpoints)

    def epoch(self) -> int:
        """Train one epoch, with all that is told of it; images seen."""
        epoch_data = self.training_data.for_epoch(self.training.progress.epoch)
        train_epoch(self.training, epoch_data, self.recipe, self.stepper, self.logger, lambda: False)
        seen = self.training.images
        self.training.finish_epoch()
        return seen

    def fit(self) -> None:
        fit(
            self.training,
            self.training_data,
            recipe=self.recipe,
            stepper=self.stepper,
            logger=self.logger,
            checkpoints=self.checkpoints,
            stop=lambda: False,
        )

    def accuracy(self) -> float:
        epoch_data = self.training_data.images
        evaluation = evaluate(self.training.eval_model, epoch_data.validation, self.stepper.format)
        return evaluation.metrics["val/accuracy"] if evaluation else 0.0
