"""The loops that people write: PyTorch's transfer learning tutorial, and the same on tensors in memory."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torchvision import datasets, models
from torchvision.transforms import v2

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def loaders(folder: Path, size: int, batch_size: int, workers: int) -> dict[str, DataLoader]:
    """As the tutorial reads them: ImageFolder, PIL, one transform an image."""
    transform = v2.Compose(
        [v2.ToImage(), v2.Resize((size, size)), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)]
    )
    return {
        part: DataLoader(
            datasets.ImageFolder(str(folder / part), transform),
            batch_size=batch_size,
            shuffle=part == "train",
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        for part in ("train", "validation")
    }


def network(seed: int = 0, *, head_only: bool = False) -> nn.Module:
    torch.manual_seed(seed)
    model = models.resnet18(weights=None)
    if head_only:
        for weight in model.parameters():
            weight.requires_grad = False
    model.fc = nn.Linear(model.fc.in_features, 10)
    return model


def optimizer(model: nn.Module, *, fused: bool = False) -> torch.optim.Optimizer:
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    return torch.optim.AdamW(learning, lr=1e-3, fused=fused or None)


def train(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], moves: torch.optim.Optimizer) -> int:
    """One epoch of the tutorial's loop; images seen."""
    model.train()
    criterion, seen, running, right = nn.CrossEntropyLoss(), 0, 0.0, 0
    for images, labels in batches:
        moves.zero_grad()
        outputs = model(images)
        _, guesses = torch.max(outputs, 1)
        loss = criterion(outputs, labels)
        loss.backward()
        moves.step()
        running += loss.item() * images.size(0)
        right += int(torch.sum(guesses == labels.data))
        seen += len(labels)
    return seen


@torch.no_grad()
def evaluate(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    model.eval()
    right = seen = 0
    for images, labels in batches:
        right += int((model(images).argmax(1) == labels).sum())
        seen += len(labels)
    return right / seen


def resident_epoch(
    model: nn.Module,
    images: Tensor,
    labels: Tensor,
    batch_size: int,
    moves: torch.optim.Optimizer,
    form: torch.autocast,
) -> int:
    """The limit: batches that lie ready in memory, normalised, and nothing but the step."""
    model.train()
    for some, their in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        with form:
            loss = nn.functional.cross_entropy(model(some).float(), their)
        loss.backward()
        moves.step()
        moves.zero_grad(set_to_none=True)
    return len(labels)
