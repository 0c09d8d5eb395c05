"""What a network says of each validation image: numbers that stay on the device until they are read."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.artifacts.predictions import MOST_GUESSES as MOST
from engine.artifacts.predictions import Labelled, Predictions

WIDTH = 2 + 2 * MOST  # the same for any number of classes: ranks sum their rows


def per_sample_eval(logits: Tensor, labels: Tensor) -> Tensor:
    """(..., n, WIDTH) float32: loss, rank of the true class, likeliest classes, logarithms of their shares.

    Args:
        logits: (..., n, classes), any float
        labels: (..., n) int64
    """
    logs, labels = logits.float().log_softmax(dim=-1), labels[..., None]
    likely, guesses = logs.topk(k := min(MOST, logs.shape[-1]))
    of_label, is_label = logs.gather(-1, labels), guesses == labels
    # of classes with equal shares, as half precision makes them, the rank goes by their place among the guesses
    beyond = (logs > of_label).sum(dim=-1, keepdim=True).clamp(min=k)
    rank = torch.where(is_label.any(dim=-1, keepdim=True), is_label.int().argmax(dim=-1, keepdim=True), beyond)
    rest = (0, MOST - k)
    return torch.cat([-of_label, rank.float(), pad(guesses.float(), rest), pad(likely, rest)], dim=-1)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a network fares with the validation images."""

    rows: Tensor  # (n, WIDTH) float32 of `outcomes`, in the order of the images

    @property
    def metrics(self) -> dict[str, float]:
        """Mean loss and accuracy; waits for the device."""
        losses, hits = torch.stack([self.rows[:, 0].sum(), (self.rows[:, 1] == 0).sum()]).tolist()
        return {"val/loss": losses / len(self.rows), "val/accuracy": hits / len(self.rows)}

    def predictions(self, of: Labelled, classes: Sequence[str], *, run: str, epoch: int) -> Predictions:
        """What a checkpoint says of these images.

        Args:
            of: The very images that were evaluated.
            classes: In the order of the logits.
            run: Id of the checkpoint's run.
            epoch: Completed ones of the checkpoint.
        """
        values, k = self.rows.cpu().numpy(), min(MOST, len(classes))
        return Predictions(
            run=run,
            epoch=epoch,
            dataset=of.dataset,
            part=of.part,
            classes=tuple(classes),
            ids=tuple(of.ids),
            labels=of.labels,
            guesses=values[:, 2 : 2 + k].astype(np.int64),
            shares=np.exp(values[:, 2 + MOST : 2 + MOST + k]),
            of_label=np.exp(-values[:, 0]),
            rank=values[:, 1].astype(np.int64),
        )
