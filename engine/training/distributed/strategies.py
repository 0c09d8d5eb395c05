"""Which crew a strategy makes of the processes, and how that takes its steps."""

import os

import torch

from engine.specs import RunSpec
from engine.training.distributed.pipeline import Pipe, PipeStepper
from engine.training.distributed.process_group import Copies, Crew, Ranks
from engine.training.distributed.rank import rank_of_this_process
from engine.training.step import Stepper


def gather_crew(device: torch.device, spec: RunSpec) -> Crew:
    """The crew that this process was launched into; a crew of one where torch's launcher did not start it.

    Raises:
        Unavailable: The devices do not suffice for it.
    """
    if spec.strategy == "data_parallel":
        return Copies()
    if rank_of_this_process() is None or int(os.environ["WORLD_SIZE"]) == 1:
        return Crew()
    return Pipe(device, spec) if spec.strategy == "pipeline" else Ranks(device)


def stepper_for(crew: Crew) -> type[Stepper]:
    return PipeStepper if isinstance(crew, Pipe) else Stepper
