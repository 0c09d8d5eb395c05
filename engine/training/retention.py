"""The checkpoints of one run: what is kept, what goes, and which one to go on from.

`checkpoints/e0012` is complete after 12 epochs; `e0012-s0003456` was left in the 13th, after 3,456 steps.
"""

import copy
import logging
import math
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.artifacts.predictions import Labelled, Predictions
from engine.data.arrays import NormStats
from engine.protocol.events import EventCode, Happening
from engine.protocol.run_reporter import Reporter
from engine.specs import RunSpec
from engine.training import checkpoint
from engine.training.distributed.process_group import ProcessGroup
from engine.training.evaluation import Evaluation
from engine.training.failures import BadCheckpoint, Diverged
from engine.training.network.branching import adapted, spec_before
from engine.training.state import Training

PINNED = "pinned"  # an empty file that the user's pin leaves in a checkpoint's folder: it stays
BEST_BY = "val/accuracy"

QUICK_S = 0.1  # saves that take less are made after every epoch
SHARE = 0.05  # of the time that others may take

log = logging.getLogger("thaw")


@dataclass(frozen=True, slots=True, order=True)
class Saved:
    epoch: int  # completed
    step: int  # 0 unless left in mid-epoch
    folder: Path
    quality: float | None = None  # the higher, the better, of equals the earliest; None in mid-epoch


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint that is not written yet."""

    saved: Saved
    weights: dict[str, Tensor]
    state: dict[str, Any]
    about: dict[str, Any]
    predictions: Predictions | None = None

    @property
    def quality(self) -> float:
        return -math.inf if self.saved.quality is None else self.saved.quality


class Checkpoints:
    """Saves, announces, then tidies, in this order: what is announced is on the disk, and never fewer than one."""

    def __init__(
        self,
        run: Path,
        about: dict[str, Any],
        val_samples: Labelled | None = None,
        *,
        best_by: str | None = None,
        reporter: Reporter,
        group: ProcessGroup | None = None,
    ) -> None:
        """
        Args:
            run: The run's folder.
            about: What every checkpoint explains: classes, preprocessing, spec.
            val_samples: The validation images: what is predicted for each is kept too.
            best_by: The metric by which the best epoch is chosen: of a loss the lowest. None: the accuracy.
            reporter: Of the run's lines.
            group: That trains together: the first rank saves.
        """
        self._run, self._about, self._reporter = run, about, reporter
        self._group, self._spec, self._val_samples = group or ProcessGroup(), RunSpec.parse(about["spec"]), val_samples
        self._best_by = best_by or BEST_BY
        self._folder = run / "checkpoints"
        self._folder.mkdir(exist_ok=True)
        for leftover in self._folder.glob("*.tmp") if self._group.is_first else ():
            shutil.rmtree(leftover)
        self._saved: list[Saved] = []  # oldest first
        self._took, self._ended = 0.0, -math.inf  # seconds of the last save, and when it ended
        self._skipped: tuple[dict[str, float], Evaluation] | None = None  # the newest epoch, while it is not saved
        self._held: Snapshot | None = None  # the best epoch, while it is not saved
        if val_samples and self._group.is_first:
            import pyarrow.parquet  # noqa: F401 - now: how often epochs are saved goes by the time that a save takes

    def quality(self, metrics: dict[str, float]) -> float:
        """How good an epoch with these metrics is: the higher, the better."""
        value = metrics[self._best_by]
        return -value if self._best_by.endswith("loss") else value

    def _quality(self, metrics: dict[str, float]) -> float | None:
        return self.quality(metrics) if self._best_by in metrics else None

    def resume(self, training: Training, path: str | None) -> str | None:
        """Put `training` where the checkpoint at `path` left it, or the newest good one before it.

        Bad ones are set aside as `*.bad`; what is newer than the one used belongs to a dead attempt and goes. Of
        several ranks the first finds it, and all go on from it.

        Returns:
            The path used, relative to the run; None: training starts from the beginning.
        """
        found = self._group.broadcast(lambda: self._usable(path))
        if found:
            folder = self._run / found
            weights, state = checkpoint.read_weights(folder), checkpoint.read_resume(folder)
            if other := spec_before(checkpoint.read_manifest(folder), self._spec):
                state, anew = adapted(training, weights, state, before=other, now=self._spec)
                if anew:
                    self._message(EventCode.OTHER_SETTINGS, settings=anew)
            before, now = (
                training.resume(weights, state, (self._group.rank, self._group.world_size)),
                self._group.world_size,
            )
            if before != now:
                self._message(EventCode.OTHER_PROCESSES, before=_processes(before), now=_processes(now))
        return found

    def _usable(self, path: str | None) -> str | None:
        found = sorted(one for folder in self._folder.iterdir() if (one := _parse(folder)))
        limit = _parse(self._run / path) if path else None
        for one in found:
            if limit is None or one > limit:
                self._delete(one)
            elif entry := self._good(one):
                self._saved.append(entry)
        while self._saved:
            folder = self._saved[-1].folder
            try:
                checkpoint.verify(folder)
            except BadCheckpoint as error:
                self._set_aside(self._saved.pop().folder, error)
                continue
            return self._path(folder)
        if path:
            self._message(EventCode.NO_CHECKPOINT_LEFT, path=path)
        return None

    def save(self, training: Training, metrics: dict[str, float], evaluation: Evaluation | None = None) -> None:
        """Save, announce, delete what is no longer kept. Of several ranks the first does, of all of them.

        Args:
            training: As it stands.
            metrics: Of the epoch; {} in mid-epoch.
            evaluation: Of the validation images, where an epoch is complete.

        Raises:
            Diverged: A weight is not finite; nothing is written.
            DiskFull: There is no room; nothing is written.
        """
        ranks = self._group.gather_states(training)
        if self._group.is_first:
            held, self._held, self._skipped = self._held, None, None
            if held and (not metrics or held.quality > self.quality(metrics)):
                self._write(held)
            began = time.monotonic()
            self._write(self._snapshot(training, ranks, metrics, evaluation))
            self._ended = time.monotonic()
            self._took = self._ended - began

    def after_epoch(
        self, training: Training, metrics: dict[str, float], evaluation: Evaluation, *, is_last: bool
    ) -> None:
        """Save a completed epoch, unless epochs are so short that saving each would take more time than training.

        Then the best is held in memory and saved with the next; a kill costs the seconds since the last save.

        Args:
            training: As the epoch left it.
            metrics: Of the epoch.
            evaluation: Of the validation images.
            is_last: Whether no epoch follows: then it is saved.

        Raises:
            Diverged: A weight is not finite; nothing is written.
            DiskFull: There is no room; nothing is written.
        """
        is_due = self._took < QUICK_S or time.monotonic() - self._ended >= self._took / SHARE
        if self._group.any(is_last or (is_due and self._group.is_first)):
            self.save(training, metrics, evaluation)
            return
        ranks, self._skipped = self._group.gather_states(training), (metrics, evaluation)
        known = [one.quality for one in (self._best(), self._held) if one and one.quality is not None]
        if self._group.is_first and self.quality(metrics) > max(known, default=-math.inf):
            self._held = copy.deepcopy(self._snapshot(training, ranks, metrics, evaluation))

    def save_unsaved(self, training: Training) -> None:
        """Save what is not saved yet, before the last step."""
        here = (training.progress.epoch, training.progress.step if training.progress.batch else 0)
        if self._group.any(bool(self._saved) and (self._saved[-1].epoch, self._saved[-1].step) == here):
            return  # it went on from there, and stands there still
        if training.progress.batch:
            self.save(training, {})
        elif self._skipped:
            self.save(training, *self._skipped)

    def _snapshot(
        self, training: Training, ranks: list[dict[str, Any]], metrics: dict[str, float], evaluation: Evaluation | None
    ) -> Snapshot:
        progress, predictions = training.progress, None
        weights = {name: value.detach().cpu().contiguous() for name, value in training.eval_model.state_dict().items()}
        if not all(math.isfinite(value.sum(dtype=torch.float64)) for value in weights.values()):
            epoch = progress.epoch + (progress.batch > 0)
            raise Diverged(f"the weights became NaN or infinite by step {progress.step} (epoch {epoch})")
        step = progress.step if progress.batch else 0
        folder = self._folder / (f"e{progress.epoch:04d}" + (f"-s{step:07d}" if step else ""))
        about = {"epoch": progress.epoch, "step": progress.step, **self._about, "metrics": metrics}
        saved = Saved(progress.epoch, step, folder, self._quality(metrics))
        if evaluation and self._val_samples:
            predictions = evaluation.predictions(
                self._val_samples, about["classes"], run=self._run.name, epoch=progress.epoch
            )
        return Snapshot(saved, weights, training.resume_state(ranks), about, predictions)

    def _write(self, made: Snapshot) -> None:
        written = checkpoint.write(made.saved.folder, made.weights, made.state, made.about, made.predictions)
        self._saved.append(made.saved)
        self._reporter.checkpoint(
            epoch=made.about["epoch"],
            step=made.about["step"],
            path=self._path(made.saved.folder),
            bytes=written.bytes,
            sha256=written.sha256,
            metrics=made.about["metrics"],
            best=made.saved is self._best(),
        )
        self._tidy()

    def _best(self) -> Saved | None:
        evaluation = [one for one in self._saved if one.quality is not None]
        return max(evaluation, key=lambda one: (one.quality, -one.epoch), default=None)

    def _tidy(self) -> None:
        complete = [one for one in self._saved if one.quality is not None]
        pinned = [one for one in self._saved if (one.folder / PINNED).exists()]
        kept = [*complete[-self._spec.keep_checkpoints :], self._best(), self._saved[-1], *pinned]
        for one in [one for one in self._saved if one not in kept]:
            self._saved.remove(one)
            self._delete(one)

    def _good(self, one: Saved) -> Saved | None:
        try:
            metrics = checkpoint.read_manifest(one.folder).metrics
        except BadCheckpoint as error:
            self._set_aside(one.folder, error)
            return None
        return Saved(one.epoch, one.step, one.folder, self._quality(metrics))

    def _delete(self, one: Saved) -> None:
        self._reporter.checkpoint_deleted(self._path(one.folder))  # first: a list must not offer what is gone
        checkpoint.remove(one.folder)

    def _set_aside(self, folder: Path, error: BadCheckpoint) -> None:
        bad = folder.with_name(folder.name + ".bad")
        if bad.exists():
            shutil.rmtree(bad)
        self._reporter.checkpoint_deleted(self._path(folder))
        folder.rename(bad)
        self._message(EventCode.BAD_CHECKPOINT, path=self._path(folder), detail=error)

    def _message(self, code: EventCode, **details: object) -> None:
        log.warning("%s", Happening.of(code, **details).text)
        self._reporter.message(code, **details)

    def _path(self, folder: Path) -> str:
        return folder.relative_to(self._run).as_posix()


def norm_stats_of(folder: Path) -> NormStats | None:
    """Those of the images that a checkpoint learned from; None where it cannot be read."""
    try:
        shape = checkpoint.read_manifest(folder).preprocessing
    except BadCheckpoint:
        return None
    return NormStats(shape["mean"], shape["std"])


def _processes(count: int) -> str:
    return "one process" if count == 1 else f"{count} processes"


def _parse(folder: Path) -> Saved | None:
    match = re.fullmatch(r"e(\d{4,})(?:-s(\d{7,}))?", folder.name)
    return Saved(int(match[1]), int(match[2] or 0), folder) if match else None
