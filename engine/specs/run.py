"""What one run trains: the parts together, and the rules between them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Le, Lt, MaxLen
from pydantic import model_validator

from engine.catalog.backbones import BACKBONES
from engine.catalog.freezing import Plan, plan
from engine.catalog.schedules import share_at
from engine.catalog.strategies import STRATEGIES
from engine.catalog.weights import WEIGHTS
from engine.errors import Problem, Refused
from engine.specs.compute import Compute
from engine.specs.data import Data
from engine.specs.model import Freeze, Model
from engine.specs.optimisation import Optimisation
from engine.specs.setting import Part, Setting, leaves, one_of, problems_of, setting
from engine.specs.whole import Whole


class RunSpec(Whole):
    """What to train."""

    name: Annotated[str, MaxLen(200)] = setting(
        "", "Name", "How the run is listed. Left empty, one is made from the backbone and the data set."
    )
    data: Data = Data()
    model: Model = Model()
    freeze: Freeze = Freeze()
    optimisation: Optimisation = Optimisation()
    compute: Compute = Compute()
    epochs: Annotated[int, Ge(1), Le(10_000)] = setting(
        10, "Epochs", "How often every training image is seen. More helps until validation accuracy stops rising."
    )
    seed: Annotated[int, Ge(0), Lt(2**31)] = setting(
        0,
        "Seed",
        "Start of all random choices. Train with 3 seeds to see how much of a difference is luck.",
        advanced=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", "Device", "auto takes a free GPU when there is one, else the CPU.", advanced=True
    )
    strategy: Annotated[str, one_of(STRATEGIES)] = setting(
        "single",
        "Strategy",
        "How the run is spread over processes and devices.",
        term="distributed training",
        choices="strategies",
        advanced=True,
    )
    keep_checkpoints: Annotated[int, Ge(1), Le(100)] = setting(
        2, "Checkpoints kept", "The newest ones kept beside the best; older ones are deleted.", advanced=True
    )

    @model_validator(mode="after")
    def _fits_backbone(self) -> Self:
        name, row, size = self.model.backbone, BACKBONES[self.model.backbone], self.data.image_size
        if size < row.layout.smallest_px:
            raise _refused("data.image_size", size, f"{name} needs images of {row.layout.smallest_px} px or more")
        if size % row.layout.multiple_of:
            raise _refused("data.image_size", size, f"{name} needs a multiple of {row.layout.multiple_of} px")
        if self.model.stem == "small" and not row.layout.stem:
            message = f"{name} has no first stride that can be taken away; choose original"
            raise _refused("model.stem", "small", message)
        return self

    @model_validator(mode="after")
    def _weights_are_named(self) -> Self:
        source, backbone = WEIGHTS[self.model.weights].source, self.model.backbone
        if source and not self.model.weights_from.strip():
            raise _refused("model.weights_from", "", f"must name {source}")
        if self.model.weights == "pretrained" and not BACKBONES[backbone].weights_file:
            message = f"there are none for {backbone}; choose random, run or file"
            raise _refused("model.weights", "pretrained", message)
        if self.data.normalisation == "weights" and self.model.weights in ("random", "file"):
            message = f"{self.model.weights} weights tell no mean and deviation; choose data"
            raise _refused("data.normalisation", "weights", message)
        return self

    @model_validator(mode="after")
    def _stages_are_known(self) -> Self:
        stages, freeze = BACKBONES[self.model.backbone].stages, self.freeze
        if freeze.policy == "stages":
            allowed = f"must name some of {', '.join(stages)}"
            if not freeze.stages:
                raise _refused("freeze.stages", "", allowed)
            if unknown := [name for name in freeze.stages if name not in stages]:
                raise _refused("freeze.stages", ", ".join(unknown), allowed)
        if freeze.policy == "last" and freeze.last_stages > len(stages):
            raise _refused("freeze.last_stages", freeze.last_stages, f"{self.model.backbone} has {len(stages)} stages")
        return self

    @model_validator(mode="after")
    def _strategy_can_compute(self) -> Self:
        if self.strategy == "pipeline" and self.compute.precision == "fp16":
            raise _refused("compute.precision", "fp16", "not in a pipeline; choose auto, bf16 or fp32")
        ranks, images = self.compute.processes, self.optimisation.batch_size
        if self.strategy == "ddp" and ranks > images:
            message = f"must be {ranks} or more, an image for each process"
            raise _refused("optimisation.batch_size", images, message)
        return self

    @property
    def thaw_plan(self) -> Plan:
        """The epoch in which each stage thaws, from input to head: 0 from the start, None never."""
        return plan(self.freeze.policy, BACKBONES[self.model.backbone].stages, self.freeze)

    @property
    def rates(self) -> dict[str, float]:
        """Each stage's share of the learning rate, from input to head."""
        names = list(self.thaw_plan)
        return {name: self.freeze.rate_decay ** (len(names) - 1 - place) for place, name in enumerate(names)}

    def rate_share(self, epoch: float) -> float:
        """Share of the learning rate that the schedule gives after `epoch` epochs, a fraction of one included."""
        return share_at(self.optimisation.schedule, epoch, self.epochs, self.optimisation)

    @classmethod
    def of_parts(cls, values: dict[str, Any]) -> "RunSpec":
        """A spec from some whole parts of one that was checked; rules between them and the rest do not hold here."""
        whole = cls()
        parts = {name: getattr(whole, name) for name in values}
        return whole.model_copy(
            update={
                name: type(part).model_validate(values[name]) if isinstance(part, Part) else values[name]
                for name, part in parts.items()
            }
        )

    @property
    def keeps_features(self) -> bool:
        """Whether what frozen stages make of an image is the same in every epoch, or comes back: worth keeping."""
        if "frozen" not in STRATEGIES[self.strategy].takes or self.compute.frozen != "once":
            return False
        if not self.freeze.batchnorm or self.optimisation.mixing != "none":
            return False  # statistics that follow the images, or mixed images, are never the same twice
        return not self.data.augmentations or self.compute.views > 0

    @classmethod
    def _problems(cls, line: dict[str, Any]) -> list[Problem]:
        return problems_of(line, {one.path: one for one in settings()})

    def _written(self, *, all_fields: bool) -> dict[str, Any]:
        return super()._written(all_fields=all_fields) or {"epochs": self.epochs}


def _refused(path: str, value: object, message: str) -> Refused:
    """What a rule over several fields raises: the problem with one of them."""
    return Refused([Problem(path, value, message)])


def settings() -> Iterator[Setting]:
    """Every leaf field of a run's spec, in order."""
    return leaves(RunSpec)
