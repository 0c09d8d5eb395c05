"""The strategy lab: a moment of the very training that a spec asks for, with its pace and its memory by device."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from engine.catalog.strategies import STRATEGIES
from engine.errors import Unavailable
from engine.machine import processes
from engine.machine.devices import gpus
from engine.previews.job import PreviewJob, Report
from engine.protocol.run_file import RunFile
from engine.protocol.run_lines import Ended, Metrics, Progress, read_run_lines
from engine.specs import RunSpec
from engine.training.distributed.rank import LAUNCHER
from engine.worker.launchers import ROOT, command_of

READINGS = 4  # of a second each, or of an epoch where that is shorter; the first one warms up
PATIENCE_S = 240.0  # from the start of the processes to the last reading
POLL_S = 0.2


def lab(job: PreviewJob) -> dict[str, Any]:
    """Train all stages for a moment, with the strategy, batch size and precision of `spec`.

    Returns:
        `images_per_s` with `slowest` and `fastest` reading, `memory_mb` {device or rank: the most}.

    Raises:
        Unavailable: It cannot be trained so here; the text says why.
    """
    with tempfile.TemporaryDirectory(prefix="thaw-lab-", dir=job.folder.parent) as name:
        return _measured(_as_measured(job.spec), job.request, Path(name), job.report)


def _as_measured(spec: RunSpec) -> RunSpec:
    """Long enough to be met on its way, and with nothing computed once that an epoch would then be without."""
    compute = spec.compute.model_copy(update={"frozen": "every epoch"})
    model = spec.model.model_copy(update={"weights": "random", "weights_from": ""})
    return spec.model_copy(update={"compute": compute, "model": model, "epochs": 10_000})


def _measured(spec: RunSpec, request: dict[str, Any], folder: Path, report: Report) -> dict[str, Any]:
    found = [str(gpu["index"]) for gpu in gpus()] if spec.device != "cpu" else []
    used = found if STRATEGIES[spec.strategy].every_gpu else found[:1]
    RunFile(
        name="strategy lab",
        attempt=1,
        spec=spec.model_dump(mode="json"),
        dataset=request["dataset"],
        device="cuda" if found else spec.device,
        resume_from=None,
        cache=request["cache"],
    ).write(folder)
    mark = f"{folder}:lab:1"
    leader = processes.spawn(
        command_of(spec.strategy, spec.compute.processes, len(used), folder),
        mark=mark,
        log=folder / "log.txt",
        environment={
            "CUDA_VISIBLE_DEVICES": ",".join(used),
            "PYTHONUNBUFFERED": "1",
            LAUNCHER: str(os.getpid()),  # nobody else would end it
        },
        folder=ROOT,
    )
    try:
        return _summary(_readings(folder, leader, report))
    finally:
        processes.end_all(mark)


def _readings(folder: Path, leader: processes.Identity, report: Report) -> list[dict[str, float]]:
    """What the training reported once a second, without the first, in which it warms up."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        lines = [line for line, _ in read_run_lines(folder)]
        values = [_finite(line) for line in lines if isinstance(line, Metrics)]
        readings = [one for one in values if "speed/images_per_s" in one]
        if len(readings) > READINGS:
            return readings[1 : READINGS + 1]
        ended = next((line for line in lines if isinstance(line, Ended)), None)
        if ended or not leader.is_alive:
            raise Unavailable(_why(ended))
        phase = next((line.phase for line in reversed(lines) if isinstance(line, Progress)), "starting")
        report(len(readings) / (READINGS + 1), phase)
        time.sleep(POLL_S)
    raise Unavailable(f"It took more than {PATIENCE_S:.0f} s.", "Choose smaller batches or images.")


def _finite(line: Metrics) -> dict[str, float]:
    return {name: value for name, value in line.values.items() if value is not None}


def _why(ended: Ended | None) -> str:
    if ended is None:
        return "Its processes were killed, perhaps by a system short of memory. Choose smaller batches."
    return " ".join(filter(None, (ended.reason, ended.advice)))


def _summary(readings: list[dict[str, float]]) -> dict[str, Any]:
    paces = [one["speed/images_per_s"] for one in readings]
    ranks = any(name.startswith("rank") for one in readings for name in one)
    memory: dict[str, float] = {}
    for name, value in ((name, value) for one in readings for name, value in one.items()):
        place, _, what = name.partition("/")
        if what in ("rss_mb", "peak_mb") and place.startswith("rank") == ranks:
            memory[place] = max(memory.get(place, 0.0), value)
    if any(name.startswith("gpu") for name in memory):  # the process's own memory says nothing then
        memory.pop("memory", None)
    return {
        "images_per_s": median(paces),
        "slowest": min(paces),
        "fastest": max(paces),
        "memory_mb": memory,
        "cores": os.cpu_count(),
    }
