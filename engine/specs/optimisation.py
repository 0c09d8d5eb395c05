"""How weights follow the images."""

from typing import Annotated, Literal, Self

from annotated_types import Ge, Gt, Le, Lt
from pydantic import model_validator

from engine.catalog.optimizers import OPTIMIZERS
from engine.catalog.schedules import SCHEDULES
from engine.errors import Problem, Refused
from engine.specs.setting import Part, one_of, setting, takers


class Optimisation(Part):
    optimizer: Annotated[str, one_of(OPTIMIZERS)] = setting(
        "adamw", "Optimiser", "How weights follow the gradient. AdamW needs least tuning.", choices="optimizers"
    )
    learning_rate: Annotated[float, Gt(0), Le(10)] = setting(
        1e-3,
        "Learning rate",
        "Size of each step. Loss jumps about or becomes NaN: divide by 10. Loss falls very slowly: multiply by 3.",
        scale="log",
    )
    batch_size: Annotated[int, Ge(1), Le(8192)] = setting(
        64, "Batch size", "Images per step. Larger is faster and smoother but takes more memory.", unit="images"
    )
    schedule: Annotated[str, one_of(SCHEDULES)] = setting(
        "constant",
        "Schedule",
        "How the learning rate changes over the run.",
        term="learning rate scheduler",
        choices="schedules",
    )
    warmup_epochs: Annotated[float, Ge(0), Le(100)] = setting(
        0.0,
        "Warm-up",
        "The rate rises from nearly 0 over this time. Use 1 or more with large batches, transformers and high rates.",
        unit="epochs",
        advanced=True,
    )
    step_epochs: Annotated[int, Ge(1), Le(1000)] = setting(
        7,
        "Drops every",
        "Epochs from one drop of the rate to the next.",
        term="step size",
        unit="epochs",
        when=takers("optimisation.schedule", SCHEDULES, "step_epochs"),
        advanced=True,
    )
    step_factor: Annotated[float, Gt(0), Lt(1)] = setting(
        0.1,
        "Drops to",
        "Share of the rate that is left after a drop.",
        term="gamma",
        when=takers("optimisation.schedule", SCHEDULES, "step_factor"),
        advanced=True,
    )
    plateau_epochs: Annotated[int, Ge(1), Le(1000)] = setting(
        3,
        "Patience of the rate",
        "Epochs without a better validation accuracy before the rate drops.",
        term="patience",
        unit="epochs",
        when=takers("optimisation.schedule", SCHEDULES, "plateau_epochs"),
        advanced=True,
    )
    final_share: Annotated[float, Ge(0), Le(1)] = setting(
        0.0,
        "Falls to",
        "Share of the rate that is left at the end.",
        term="minimum learning rate",
        when=takers("optimisation.schedule", SCHEDULES, "final_share"),
        advanced=True,
    )
    weight_decay: Annotated[float, Ge(0), Le(1)] = setting(
        1e-4,
        "Weight decay",
        "Pulls weights towards zero. Raise it when training accuracy is far above validation accuracy.",
        advanced=True,
        scale="log",
    )
    decay_on: Literal["all", "weights"] = setting(
        "all",
        "Decay acts on",
        "weights spares biases and norms, which is usual for transformers and long runs.",
        term="parameter groups without weight decay",
        advanced=True,
    )
    momentum: Annotated[float, Ge(0), Lt(1)] = setting(
        0.9,
        "Momentum",
        "How much of the last step is kept; 0.9 suits most runs.",
        advanced=True,
        when=takers("optimisation.optimizer", OPTIMIZERS, "momentum"),
    )
    nesterov: bool = setting(
        False,
        "Nesterov",
        "Looks ahead along the momentum before each step; often a little better.",
        advanced=True,
        when=takers("optimisation.optimizer", OPTIMIZERS, "nesterov"),
    )
    label_smoothing: Annotated[float, Ge(0), Lt(1)] = setting(
        0.0,
        "Label smoothing",
        "Share of certainty taken from the right class. Try 0.1 with noisy labels or long runs.",
        advanced=True,
    )
    balance: Literal["none", "class weights", "sampling"] = setting(
        "none",
        "Rare classes",
        "class weights lets their mistakes count more, sampling shows their images more often. "
        "Choose one when some classes have far fewer images.",
        term="class imbalance",
        advanced=True,
    )
    mixing: Literal["none", "mixup", "cutmix", "both"] = setting(
        "none",
        "Mixing images",
        "mixup blends two images and their labels, cutmix pastes a patch of one into another. For long runs that "
        "learn by heart; training accuracy then looks low.",
        advanced=True,
    )
    clip_norm: Annotated[float, Ge(0), Le(1000)] = setting(
        0.0,
        "Clip gradients at",
        "Longest gradient allowed; longer ones are shortened. 0 never clips. Try 1 when the loss has spikes.",
        term="gradient norm clipping",
        advanced=True,
    )
    ema_decay: Annotated[float, Ge(0), Lt(1)] = setting(
        0.0,
        "Averaged weights",
        "Share kept of a running average of the weights, which is then judged and saved. 0 is off; try 0.99 for short "
        "runs and 0.999 for long ones.",
        term="exponential moving average (EMA)",
        advanced=True,
    )
    early_stopping: Annotated[int, Ge(0), Le(1000)] = setting(
        0,
        "Stop early after",
        "Epochs without a better validation accuracy until the run ends by itself. 0 always trains all epochs.",
        term="early stopping, patience",
        unit="epochs",
        advanced=True,
    )

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise Refused([Problem("optimisation.nesterov", True, "needs a momentum above 0")])
        return self
