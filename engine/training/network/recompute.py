"""Activations computed twice instead of kept: less memory, more time (Chen et al. 2016, by torch.utils.checkpoint)."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


class Recomputed(nn.Module):
    """Pieces of a network one after the other; of each but the last only what enters it is kept for the gradient."""

    def __init__(self, pieces: Sequence[nn.Module]) -> None:
        super().__init__()
        self.pieces = nn.ModuleList(pieces)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes) of images (n, C, H, W), or of what the first piece takes, float32."""
        made = images
        *inner, last = self.pieces
        for piece in inner:
            if self.training:
                made = checkpoint(piece, made, use_reentrant=False, context_fn=partial(_contexts, piece))
            else:
                made = piece(made)
        logits: Tensor = last(made)
        return logits


def _contexts(piece: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Around the first computation and around the second."""
    return nullcontext(), _statistics_stay(piece)


@contextmanager
def _statistics_stay(piece: nn.Module) -> Iterator[None]:
    """BatchNorm has counted these images already."""
    norms = [layer for layer in piece.modules() if isinstance(layer, _BatchNorm) and layer.training]
    kept = [(layer.momentum, layer.num_batches_tracked) for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
        if layer.num_batches_tracked is not None:
            layer.num_batches_tracked = layer.num_batches_tracked.clone()
    try:
        yield
    finally:
        for layer, (momentum, seen) in zip(norms, kept, strict=True):
            layer.momentum, layer.num_batches_tracked = momentum, seen
