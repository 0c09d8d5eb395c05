"""How the loop trains, as a spec asks: what each step makes small, which stages learn, and at which rates."""

from dataclasses import dataclass

from engine.specs import RunSpec
from engine.training.criterion import Objective
from engine.training.network.stages import Thawing
from engine.training.optimiser import Rates, Trend


@dataclass(frozen=True, slots=True)
class Recipe:
    objective: Objective
    thawing: Thawing
    rates: Rates
    epochs: int
    clip_norm: float = 0.0  # 0: gradients are left as they are
    early_stopping: int = 0  # epochs without a better validation accuracy; 0: never

    @classmethod
    def of(cls, spec: RunSpec, objective: Objective, thawing: Thawing, steps_per_epoch: int) -> "Recipe":
        asked = spec.optimisation
        rates = Rates(asked, spec.rate_share, steps_per_epoch)
        return cls(objective, thawing, rates, spec.epochs, asked.clip_norm, asked.early_stopping)

    def is_over(self, epoch: int, trend: Trend) -> bool:
        """Whether no epoch follows after `epoch` completed ones."""
        return epoch >= self.epochs or self.ends_early(trend)

    def ends_early(self, trend: Trend) -> bool:
        return 0 < self.early_stopping <= trend.since
