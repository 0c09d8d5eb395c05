"""One training process: `python -m engine.worker <run folder>` reads run.json there and tells all in events.jsonl.

Every path out writes an `ended` line, but a kill: then the run was interrupted. Of ranks that train together the first
tells of all, and the line is written by `engine.worker.ranks`, which started them.
"""

import faulthandler
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import Unavailable
from engine.protocol.run_reporter import Reporter
from engine.specs import RunSpec
from engine.training.distributed.rank import STOP, become_rank, reporting
from engine.training.failures import Stopped, explain, is_disk_full, is_lost_helper, room_for

if TYPE_CHECKING:  # torch costs seconds: the first sign of life comes before it
    import torch

    from engine.training.distributed.process_group import ProcessGroup
    from engine.training.state import TrainingProgress

log = logging.getLogger("thaw")


def main(folder: Path) -> int:
    """Train what `folder/run.json` asks for. Returns 0 when finished or stopped, 1 when failed."""
    become_rank(folder)
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(message)s")
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the stack of every thread, into the log
    stop = StopSignal()
    with reporting(folder) as reporter:
        return attempt(folder, reporter, stop)


def attempt(folder: Path, reporter: Reporter, stop: Callable[[], bool]) -> int:
    """One attempt at the run of `folder`, told of to its last word. Returns 0 when finished or stopped, 1 when not."""
    reporter.progress("starting")
    spec: RunSpec | None = None
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        spec = RunSpec.parse(run["spec"])
        about = (run["attempt"], run["name"], spec.model.backbone, run["dataset"]["name"])
        log.info("attempt %d of %s: %s on %s", *about)
        reason = train(folder, run, spec, reporter, stop)
        log.info("%s", reason or "finished")
        reporter.ended("stopped" if reason else "finished", reason=reason)
    except Stopped as stopped:
        log.info("%s", stopped)
        reporter.ended("stopped", reason=str(stopped))
    except Exception as error:
        log.exception("failed")
        if is_lost_helper(error):
            return 1  # without a last word, as if killed itself: it goes on from its last checkpoint
        failure = explain(error, spec)
        if is_disk_full(error):
            told = (
                "It goes on by itself, from its last checkpoint, once there is room: delete old runs or clear caches."
            )
            reporter.ended("interrupted", reason=failure.reason, advice=told, needs_bytes=room_for(error))
            return 1
        reporter.ended("failed", reason=failure.reason, advice=failure.advice, detail=traceback.format_exc())
        return 1
    return 0


class StopSignal:
    """True once SIGTERM or SIGINT came. A second signal leaves at once, with nothing saved."""

    def __init__(self) -> None:
        self._came = STOP in os.environ
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)

    def __call__(self) -> bool:
        return self._came

    def _note(self, number: int, _: object) -> None:
        if self._came:
            os._exit(128 + number)
        self._came = True


def train(folder: Path, run: dict[str, Any], spec: RunSpec, reporter: Reporter, stop: Callable[[], bool]) -> str | None:
    """The whole run. Returns why it stopped before its last epoch, or None when it is finished.

    Raises:
        Stopped: Asked to leave before training began.
    """
    from engine.training import device as devices
    from engine.training.loop import fit
    from engine.training.memory import Memory
    from engine.training.metric_logger import MetricLogger
    from engine.training.preparation import build, build_network, equip, find_weights, prepare_data
    from engine.training.retention import Checkpoints, norm_stats_of

    device, group = _join(spec, run["device"])
    reporter.progress("preparing data")
    kept = norm_stats_of(folder / run["resume_from"]) if run["resume_from"] else None
    found = None if kept else group.rank0_first(lambda: find_weights(spec, run.get("weights_path"), reporter, stop))
    norm_stats, cache = kept or (found.norm_stats if found else None), Path(run["cache"])
    data = group.rank0_first(lambda: prepare_data(run["dataset"], spec, cache, reporter, stop, norm_stats=norm_stats))
    network = build_network(spec, data.about, found, reporter)
    training, recipe, images = build(spec, data, device, network, share=group.share)
    group.seed_ranks(spec.seed)
    checkpoints = Checkpoints(
        folder, data.about, data.val_samples, best_by=run.get("best_by"), reporter=reporter, group=group
    )
    going_on_from = checkpoints.resume(training, run["resume_from"])
    if run["resume_from"] and going_on_from is None:
        _may_begin_again(run, group)
        return train(folder, {**run, "resume_from": None}, spec, reporter, stop)  # its first weights count again
    progress = training.progress
    steps = progress.step - progress.batch + (spec.epochs - progress.epoch) * len(images.train)
    training_data, stepper = equip(
        spec, data, training, recipe, images, cache=cache, reporter=reporter, stop=stop, group=group
    )
    begins = {"epoch": progress.epoch, "step": progress.step, "epochs": spec.epochs, "steps": steps}
    on = devices.describe(device)
    reporter.started(attempt=run["attempt"], pid=os.getpid(), device=on, going_on_from=going_on_from, **begins)
    log.info("training on %s from step %d of %d", on, progress.step, steps)
    logger = MetricLogger(reporter, progress, epochs=spec.epochs, steps=steps, memory=Memory(device), group=group)
    finished = fit(
        training, training_data, recipe=recipe, stepper=stepper, logger=logger, checkpoints=checkpoints, stop=stop
    )
    group.close()
    return None if finished else _where_it_left(progress)


def _may_begin_again(run: dict[str, Any], group: "ProcessGroup") -> None:
    """
    Raises:
        Unavailable: No checkpoint can be used, and it cannot begin again from its first weights either.
    """
    if run.get("has_parent"):
        raise Unavailable("The checkpoint that it was to go on from is damaged. Branch from another one.")
    if group.world_size > 1:
        raise Unavailable("None of its checkpoints can be used. Start it again, as a new run.")


def _join(spec: RunSpec, name: str) -> "tuple[torch.device, ProcessGroup]":
    """The device called `name`, and those who train together, each with its cores, all with the same chances.

    Raises:
        Unavailable: There are more ranks than images in a batch.
    """
    from engine.training import device as devices
    from engine.training.distributed.strategies import join_group
    from engine.training.randomness import seed_all

    device = devices.choose(name)
    group, batch = join_group(device, spec), spec.optimisation.batch_size
    if batch < group.share[1]:
        raise Unavailable(
            f"A batch of {batch} cannot be shared by {group.world_size} processes. "
            "Make it larger, or use fewer processes."
        )
    devices.prepare(device, group.world_size)
    seed_all(spec.seed)
    return device, group


def _where_it_left(progress: "TrainingProgress") -> str:
    if progress.batch:
        where = f"step {progress.step}, in epoch {progress.epoch + 1}"
        return f"Stopped at {where}; saved, so that resuming goes on from there."
    if progress.epoch:
        return f"Stopped after epoch {progress.epoch}; resuming goes on from there."
    return "Stopped before the first step."
