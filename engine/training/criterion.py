"""What training makes small: cross-entropy, with smoothing, weights of classes and mixed images where asked for."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine import specs


class Criterion(nn.Module):
    def __init__(self, options: specs.Optimisation, labels: np.ndarray, classes: int) -> None:
        """
        Args:
            options: Smoothing, balance of classes, mixing.
            labels: (n,) int64, of the training images: for the weights of classes.
            classes: How many there are.
        """
        super().__init__()
        self._smoothing = options.label_smoothing
        weights = (
            torch.from_numpy(class_weights(labels, classes)).float() if options.balance == "class weights" else None
        )
        self.register_buffer("_weights", weights)
        self._mixing = _mixing(options.mixing, classes)

    def mixup(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The batch with its images mixed, by mixup or cutmix; unchanged where neither is asked for.

        Args:
            images: (n, ...) float32, images or features.
            labels: (n,) int64

        Returns:
            Images as they were shaped, and targets: (n,) int64 as they were or, mixed, (n, classes) float32 shares.
        """
        if self._mixing is None:
            return images, labels
        mixed: tuple[Tensor, Tensor] = self._mixing(images, labels)
        return mixed

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """The mean loss, () float32, of logits (n, classes) float32 and targets (n,) int64 or (n, classes) float32."""
        return cross_entropy(logits, targets, weight=self._weights, label_smoothing=self._smoothing)  # type: ignore[arg-type]

    def weight_sum(self, targets: Tensor) -> Tensor:
        """What the mean over targets, (n,) or (n, classes), is divided by: () float32.

        A batch's mean is the sum of its parts' means, each times its share of this.
        """
        if self._weights is None or targets.ndim > 1:
            return torch.tensor(float(len(targets)), device=targets.device)
        return self._weights[targets].sum()  # type: ignore[index]


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """(classes,) float64, n / (classes * images of it), as scikit-learn's "balanced"; 0 for a class without images."""
    counts = np.bincount(labels, minlength=classes)
    weights: np.ndarray = np.divide(len(labels), classes * counts, out=np.zeros(classes), where=counts > 0)
    return weights


def _mixing(name: str, classes: int) -> nn.Module | None:
    if name == "none":
        return None
    from torchvision.transforms import v2  # costs a second: only for who needs it

    # usual strengths: Zhang et al. 2018 for photos, Yun et al. 2019
    ways = {"mixup": v2.MixUp(alpha=0.2, num_classes=classes), "cutmix": v2.CutMix(alpha=1.0, num_classes=classes)}
    return v2.RandomChoice(list(ways.values())) if name == "both" else ways[name]
