"""One training process: `python -m engine.worker <run folder>` reads run.json there and tells all in events.jsonl.

Every path out writes an `ended` line, but a kill: then the run was interrupted. Of ranks that train together the first
tells of all, and the line is written by `engine.worker.ranks`, which started them.
"""

import faulthandler
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Unavailable
from engine.protocol.reasons import Reason, Why
from engine.protocol.run_file import RunFile
from engine.protocol.run_reporter import Reporter
from engine.specs import RunSpec
from engine.training.distributed.rank import STOP, become_rank, reporting
from engine.training.failures import Stopped, explain, is_disk_full, is_lost_helper, room_for

if TYPE_CHECKING:  # torch costs seconds: the first sign of life comes before it
    import torch

    from engine.training.distributed.process_group import ProcessGroup
    from engine.training.epoch_data import EpochData
    from engine.training.preparation import PreparedData
    from engine.training.recipe import Recipe
    from engine.training.retention import Checkpoints
    from engine.training.state import Training, TrainingProgress

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
        run = RunFile.read(folder)
        spec = RunSpec.parse(run.spec)
        log.info("attempt %d of %s: %s on %s", run.attempt, run.name, spec.model.backbone, run.dataset["name"])
        why = train(folder, run, spec, reporter, stop)
        log.info("%s", why.reason if why else "finished")
        reporter.ended("stopped" if why else "finished", why)
    except Stopped as stopped:
        log.info("%s", stopped)
        reporter.ended("stopped", stopped.why)
    except Exception as error:
        log.exception("failed")
        if is_lost_helper(error):
            return 1  # without a last word, as if killed itself: it goes on from its last checkpoint
        why = explain(error, spec)
        if is_disk_full(error):
            advice = (
                "It goes on by itself, from its last checkpoint, once there is room: delete old runs or clear caches."
            )
            reporter.ended("interrupted", replace(why, advice=advice), needs_bytes=room_for(error))
            return 1
        reporter.ended("failed", why, detail=traceback.format_exc())
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


def train(folder: Path, run: RunFile, spec: RunSpec, reporter: Reporter, stop: Callable[[], bool]) -> Why | None:
    """The whole run. Returns why it stopped before its last epoch, or None when it is finished.

    Args:
        folder: Of the run.
        run: Its run.json.
        spec: That of `run`, parsed.
        reporter: Where all is reported.
        stop: Whether to save and leave, asked at every batch.

    Raises:
        Stopped: Asked to leave before training began.
        Unavailable: It cannot be trained so here.
    """
    from engine.training import device as devices
    from engine.training.loop import fit
    from engine.training.memory import Memory
    from engine.training.metric_logger import MetricLogger
    from engine.training.preparation import equip

    while (begun := _begin(folder, run, spec, reporter, stop)) is None:
        run = replace(run, resume_from=None)  # its first weights count again
    training, group, progress = begun.training, begun.group, begun.training.progress
    steps = progress.step - progress.batch + (spec.epochs - progress.epoch) * len(begun.images.train)
    data, stepper = equip(
        spec,
        begun.data,
        training,
        begun.recipe,
        begun.images,
        cache=Path(run.cache),
        reporter=reporter,
        stop=stop,
        group=group,
    )
    reporter.started(
        attempt=run.attempt,
        pid=os.getpid(),
        device=devices.describe(begun.device),
        epoch=progress.epoch,
        step=progress.step,
        epochs=spec.epochs,
        steps=steps,
        going_on_from=begun.going_on_from,
    )
    log.info("training on %s from step %d of %d", devices.describe(begun.device), progress.step, steps)
    memory = Memory(begun.device)
    logger = MetricLogger(reporter, progress, epochs=spec.epochs, steps=steps, memory=memory, group=group)
    saved = begun.checkpoints
    finished = fit(training, data, recipe=begun.recipe, stepper=stepper, logger=logger, checkpoints=saved, stop=stop)
    group.close()
    return None if finished else _where_it_left(progress)


@dataclass(frozen=True, slots=True)
class _Begun:
    """A training where its run left it, or at its beginning."""

    device: "torch.device"
    group: "ProcessGroup"
    data: "PreparedData"
    training: "Training"
    recipe: "Recipe"
    images: "EpochData"
    checkpoints: "Checkpoints"
    going_on_from: str | None  # the checkpoint in use


def _begin(folder: Path, run: RunFile, spec: RunSpec, reporter: Reporter, stop: Callable[[], bool]) -> _Begun | None:
    """None: it was to go on from a checkpoint, no whole one is left, and it may begin again from its first weights."""
    from engine.training.preparation import build, build_network, find_weights, prepare_data
    from engine.training.retention import Checkpoints, norm_stats_of

    device, group = _join(spec, run.device)
    reporter.progress("preparing data")
    kept = norm_stats_of(folder / run.resume_from) if run.resume_from else None
    found = None if kept else group.rank0_first(lambda: find_weights(spec, run.weights_path, reporter, stop))
    norm_stats, cache = kept or (found.norm_stats if found else None), Path(run.cache)
    data = group.rank0_first(lambda: prepare_data(run.dataset, spec, cache, reporter, stop, norm_stats=norm_stats))
    network = build_network(spec, data.about, found, reporter)
    training, recipe, images = build(spec, data, device, network, share=group.share)
    group.seed_ranks(spec.seed)
    checkpoints = Checkpoints(folder, data.about, data.val_samples, best_by=run.best_by, reporter=reporter, group=group)
    going_on_from = checkpoints.resume(training, run.resume_from)
    if run.resume_from and going_on_from is None:
        _check_may_begin_again(run, group)
        return None
    return _Begun(device, group, data, training, recipe, images, checkpoints, going_on_from)


def _check_may_begin_again(run: RunFile, group: "ProcessGroup") -> None:
    """
    Raises:
        Unavailable: No checkpoint can be used, and it cannot begin again from its first weights either.
    """
    if run.has_parent:
        raise Unavailable("The checkpoint that it was to go on from is damaged.", "Branch from another one.")
    if group.world_size > 1:
        raise Unavailable("None of its checkpoints can be used.", "Start it again, as a new run.")


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
            f"A batch of {batch} cannot be shared by {group.world_size} processes.",
            "Make it larger, or use fewer processes.",
        )
    devices.prepare(device, group.world_size)
    seed_all(spec.seed)
    return device, group


def _where_it_left(progress: "TrainingProgress") -> Why:
    if progress.batch:
        return Why.of(Reason.STOPPED_AT_STEP, step=progress.step, epoch=progress.epoch + 1)
    if progress.epoch:
        return Why.of(Reason.STOPPED_AFTER_EPOCH, epoch=progress.epoch)
    return Why.of(Reason.STOPPED_BEFORE_STEP)
