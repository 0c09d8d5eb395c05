"""The process group that a strategy makes of the processes, and how that takes its steps."""

import os

import torch

from engine.specs import RunSpec
from engine.training.distributed.process_group import DataParallelGroup, DDPGroup, ProcessGroup
from engine.training.distributed.rank import rank_of_this_process
from engine.training.step import Stepper


def join_group(device: torch.device, spec: RunSpec) -> ProcessGroup:
    """The group that this process was launched into; itself alone where torch's launcher did not start it.

    Raises:
        Unavailable: The devices do not suffice for it.
    """
    if spec.strategy == "data_parallel":
        return DataParallelGroup()
    if rank_of_this_process() is None or int(os.environ["WORLD_SIZE"]) == 1:
        return ProcessGroup()
    if spec.strategy != "pipeline":
        return DDPGroup(device)
    from engine.training.distributed.pipeline import PipelineGroup  # torch's part of it takes two seconds to load

    return PipelineGroup(device, spec)


def stepper_for(group: ProcessGroup) -> type[Stepper]:
    if not group.splits_network:
        return Stepper
    from engine.training.distributed.pipeline import PipelineStepper

    return PipelineStepper
