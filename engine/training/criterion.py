"""What training makes small: cross-entropy, with smoothing, weights of classes and mixed images as asked."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine import specs


class Criterion(nn.Module):
    def __init__(self, options: specs.Optimisation, labels: np.ndarray, classes: int) -> None:
        """
        Args:
            labels: Of the training images, for the weights of classes.
        """
        super().__init__()
        self._smoothing = options.label_smoothing
        weights = (
            torch.from_numpy(class_weights(labels, classes)).float() if options.balance == "class weights" else None
        )
        self.register_buffer("_weights", weights)
        self._mixing = _mixing(options.mixing, classes)

    def mixup(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The batch with its images mixed, labels then as shares (n, classes); unchanged where nothing was asked."""
        if self._mixing is None:
            return images, labels
        mixed: tuple[Tensor, Tensor] = self._mixing(images, labels)
        return mixed

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(logits, targets, weight=self._weights, label_smoothing=self._smoothing)  # type: ignore[arg-type]

    def weight_sum(self, targets: Tensor) -> Tensor:
        """What the mean over `targets` is divided by: a batch's mean is the sum of its parts', each by its share."""
        if self._weights is None or targets.ndim > 1:
            return torch.tensor(float(len(targets)), device=targets.device)
        return self._weights[targets].sum()  # type: ignore[index]


def class_weights(labels: np.ndarray, classes: int) -> np.ndarray:
    """(classes,) floats, n / (classes * images of it), as scikit-learn's "balanced"; 0 for a class without images."""
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
