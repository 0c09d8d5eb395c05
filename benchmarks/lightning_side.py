"""The tutorial's task by Lightning's Trainer, as its own guide writes it; needs `pip install lightning`."""

import logging
import warnings
from pathlib import Path

import lightning
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from benchmarks import tutorial

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Classifier(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.network = tutorial.network(head_only=True)
        self.best, self._hits, self._seen = 0.0, 0, 0

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        images, labels = batch
        return cross_entropy(self.network(images), labels)

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        images, labels = batch
        self._hits += int((self.network(images).argmax(dim=1) == labels).sum())
        self._seen += len(labels)

    def on_validation_epoch_end(self) -> None:
        self.best = max(self.best, self._hits / self._seen)
        self._hits = self._seen = 0

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return tutorial.optimizer(self.network)


def fitted(photos: Path, epochs: int) -> float:
    """The best validation accuracy after so many epochs of the head alone."""
    both, model = tutorial.loaders(photos, 64, 64, 2), Classifier()
    trainer = lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer.fit(model, both["train"], both["validation"])
    return model.best
