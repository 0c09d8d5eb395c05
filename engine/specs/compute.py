"""What the machine is asked to do for it: number formats, memory against time, processes."""

from typing import Annotated, Literal

from annotated_types import Ge, Le

from engine.catalog.precisions import PRECISIONS
from engine.catalog.strategies import STRATEGIES
from engine.specs.setting import Part, one_of, setting, takers


class Compute(Part):
    precision: Annotated[str, one_of(PRECISIONS)] = setting(
        "auto",
        "Precision",
        "Number format of the forward and backward pass. Choose fp32 to compare with results of others.",
        term="mixed precision (AMP)",
        choices="precisions",
        advanced=True,
    )
    frozen: Literal["once", "every epoch"] = setting(
        "once",
        "Frozen stages run",
        "once: what frozen stages make of each image is computed once and kept, which gives the same result many times "
        "faster. every epoch: as a plain loop does.",
        term="feature caching",
        when=takers("strategy", STRATEGIES, "frozen"),
        advanced=True,
    )
    views: Annotated[int, Ge(0), Le(100)] = setting(
        0,
        "Views kept of an image",
        "With augmentation, frozen stages see each image changed in so many ways, computed once; epochs take turns. "
        "0: changed anew in every epoch, nothing is kept.",
        when=takers("strategy", STRATEGIES, "views"),
        advanced=True,
    )
    parts: Annotated[int, Ge(1), Le(1024)] = setting(
        1,
        "Parts of a batch",
        "A batch is computed in so many parts, and its weights move once. More parts need less memory and more time. "
        "Raised by itself when memory runs out.",
        term="gradient accumulation",
        when=takers("strategy", STRATEGIES, "parts"),
        advanced=True,
    )
    recompute: bool = setting(
        False,
        "Recompute activations",
        "Stages forget what they computed and do it again for the gradient: about a third slower, far less memory.",
        term="activation checkpointing",
        when=takers("strategy", STRATEGIES, "recompute"),
        advanced=True,
    )
    compile: bool = setting(
        False,
        "Compile",
        "torch.compile: a minute or more before the first step, then faster on GPUs. Pays for long runs.",
        when=takers("strategy", STRATEGIES, "compile"),
        advanced=True,
    )
    processes: Annotated[int, Ge(0), Le(64)] = setting(
        0,
        "Processes",
        "Ranks that share the work. 0: one a GPU; on the CPU, two.",
        term="world size",
        when=takers("strategy", STRATEGIES, "processes"),
        advanced=True,
    )
    micro_batches: Annotated[int, Ge(1), Le(256)] = setting(
        4,
        "Micro-batches",
        "Parts of a batch that pass through the stages one behind the other: more of them keep all processes busy. "
        "BatchNorm sees each by itself.",
        when=takers("strategy", STRATEGIES, "micro_batches"),
        advanced=True,
    )
