"""How a run is spread over processes and devices. A new one is a row, its launcher and its way of training."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Strategy:
    label: str
    note: str
    launcher: str  # function in engine/worker/launchers.py
    takes: tuple[str, ...]  # fields of Compute that it reads, beside precision
    every_gpu: bool = False  # whether it takes as many GPUs as there are, or as `processes` asks


WHOLE = ("frozen", "views", "parts", "recompute", "compile")  # where each process has the whole network


STRATEGIES: dict[str, Strategy] = {
    "single": Strategy(
        label="One process", note="One process on one device. Right for most runs.", launcher="single", takes=WHOLE
    ),
    "ddp": Strategy(
        label="DDP",
        note="Processes share every batch and add up their gradients: the same learning, on all GPUs or cores at once.",
        launcher="ranks",
        takes=(*WHOLE, "processes"),
        every_gpu=True,
    ),
    "data_parallel": Strategy(
        label="DataParallel",
        note="One process copies the network to all GPUs in every step. Here to compare with: DDP is faster.",
        launcher="single",
        takes=WHOLE,
        every_gpu=True,
    ),
    "pipeline": Strategy(
        label="Pipeline",
        note="Each process holds some of the stages, and micro-batches pass through them: for networks too large for "
        "one device.",
        launcher="ranks",
        takes=("processes", "micro_batches"),
        every_gpu=True,
    ),
}


def processes_of(strategy: str, requested: int, gpus: int) -> int:
    """Ranks that train together.

    Args:
        requested: `compute.processes`; 0: one a GPU, two on a CPU.
        gpus: GPUs of the run; 0: it trains on the CPU.
    """
    return (requested or gpus or 2) if "processes" in STRATEGIES[strategy].takes else 1
