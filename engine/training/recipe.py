"""How the loop trains, as a spec asks: what each step makes small, which stages learn, and at which rates."""

from dataclasses import dataclass

from engine.specs import RunSpec
from engine.training.criterion import Criterion
from engine.training.network.stages import UnfreezeSchedule
from engine.training.optimiser import LRScheduler, PlateauTracker


@dataclass(frozen=True, slots=True)
class Recipe:
    criterion: Criterion
    unfreezing: UnfreezeSchedule
    lr_scheduler: LRScheduler
    epochs: int
    clip_norm: float = 0.0  # 0: gradients are left as they are
    early_stopping: int = 0  # epochs without a better validation accuracy; 0: never

    @classmethod
    def of(cls, spec: RunSpec, criterion: Criterion, unfreezing: UnfreezeSchedule, steps_per_epoch: int) -> "Recipe":
        """
        Args:
            spec: Of the run.
            criterion: On the device that trains.
            unfreezing: Of the network that trains.
            steps_per_epoch: Batches of an epoch.
        """
        options = spec.optimisation
        lr_scheduler = LRScheduler(options, spec.rate_share, steps_per_epoch)
        return cls(criterion, unfreezing, lr_scheduler, spec.epochs, options.clip_norm, options.early_stopping)

    def is_over(self, epoch: int, plateau: PlateauTracker) -> bool:
        """Whether no epoch follows after `epoch` completed ones."""
        return epoch >= self.epochs or self.ends_early(plateau)

    def ends_early(self, plateau: PlateauTracker) -> bool:
        return 0 < self.early_stopping <= plateau.since
