"""A network's stages: which of its weights and layers belong to each, which of them learn, and since when."""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from engine import specs
from engine.catalog import BACKBONES
from engine.catalog.freezing import HEAD, Plan


@dataclass(frozen=True, slots=True)
class Stage:
    name: str
    parameters: dict[str, nn.Parameter]  # by their name in the network
    layers: tuple[nn.Module, ...]

    @property
    def learns(self) -> bool:
        return any(weight.requires_grad for weight in self.parameters.values())

    @property
    def weights(self) -> int:
        """How many numbers it holds."""
        return sum(weight.numel() for weight in self.parameters.values())


def stages_of(network: nn.Module, model_spec: specs.Model) -> list[Stage]:
    """The stages of a network that `model.build` made, from input to head."""
    return [_stage(name, network, paths) for name, paths in stage_paths(model_spec).items()]


def stage_paths(model_spec: specs.Model) -> dict[str, list[str]]:
    """Where each stage's layers and weights lie in the network."""
    layout = BACKBONES[model_spec.backbone].layout
    paths = {name: where.split() for name, where in layout.stages.items()}
    paths[HEAD] = [layout.head]
    if model_spec.head == "after":  # the original head belongs to the backbone now
        paths[list(layout.stages)[-1]].append(f"{layout.head}.0")
        paths[HEAD] = [f"{layout.head}.1"]
    return paths


def _stage(name: str, network: nn.Module, paths: list[str]) -> Stage:
    parameters = {
        known: weight for known, weight in network.named_parameters() if any(_lies_in(known, path) for path in paths)
    }
    layers = dict(network.named_modules())
    return Stage(name, parameters, tuple(layers[path] for path in paths if path in layers))


def _lies_in(name: str, path: str) -> bool:
    return name == path or name.startswith(f"{path}.")


class UnfreezeSchedule:
    """Carries a plan out: in each epoch the stages that are due learn, all others are frozen."""

    def __init__(self, stages: list[Stage], plan: Plan, *, with_statistics: bool) -> None:
        """
        Args:
            with_statistics: Frozen stages run as in evaluation: their BatchNorm statistics stay, they drop nothing out.
        """
        self.stages = stages
        self._plan = plan
        self._with_statistics = with_statistics

    def begin_epoch(self, epoch: int) -> None:
        """Set up for `epoch` (0 is the first); the network is in training mode already."""
        for stage in self.stages:
            learns = self._is_due(stage, epoch)
            for weight in stage.parameters.values():
                weight.requires_grad_(learns)
            if not learns and self._with_statistics:
                for layer in stage.layers:
                    layer.eval()

    def thawed_in(self, epoch: int) -> list[str]:
        """Names of the stages that begin to learn in this epoch, if not from the start."""
        return [stage.name for stage in self.stages if epoch > 0 and self._plan[stage.name] == epoch]

    def learning(self) -> Iterator[Stage]:
        return (stage for stage in self.stages if stage.learns)

    def _is_due(self, stage: Stage, epoch: int) -> bool:
        thaws = self._plan[stage.name]
        return thaws is not None and epoch >= thaws
