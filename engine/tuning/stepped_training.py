"""A run's training that stops after every epoch until it may go on: what a trial is, without Ray."""

import logging
import math
import re
import shutil
import statistics
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NotRequired, TypedDict

from engine.protocol.driver_requests import LEAVE, StopRequest
from engine.protocol.events import EventCode
from engine.protocol.json_lines import JsonLines
from engine.protocol.reasons import Reason, fields_of
from engine.protocol.run_file import RunFile
from engine.protocol.run_reporter import Reporter
from engine.training import checkpoint
from engine.training.failures import BadCheckpoint
from engine.tuning.epoch_gate import EpochGate, TrialReporter
from engine.worker import run as worker

PAUSED = StopRequest(state=None)


class StepResult(TypedDict):
    """What a trial reports after an epoch; NaN where there is no value yet, as no scheduler does without."""

    score: float  # the metric of this epoch
    best: float  # of any epoch
    epoch: int
    epoch_s: float  # seconds, the median of all epochs
    done: bool  # the training is over: then also
    parameters: NotRequired[int]
    state: NotRequired[str]
    code: NotRequired[str]  # what the reason is made from
    reason: NotRequired[str | None]
    advice: NotRequired[str | None]


class SteppedTraining:
    """The training begins with the first step, from the newest checkpoint of its run where there is one.

    Args:
        folder: Of the run, with its run.json.
        stop_file: Where the search's request to all of its trials appears.
        metric: That the search goes by: val/accuracy or val/loss.
        thread: What trains, outside of the caller's thread.
    """

    def __init__(self, folder: Path, *, stop_file: Path, metric: str, thread: Executor) -> None:
        self.folder = folder
        self._stop_file, self._metric, self._thread = stop_file, metric, thread
        self._gate = self._new_gate()
        self._training: Future[None] | None = None

    def step(self) -> StepResult:
        """Train one epoch."""
        if self._training is None:
            progress, self._gate = self._gate.progress, self._new_gate()
            self._gate.progress = progress
            self._training = self._thread.submit(self._train)
        goes_on = self._gate.run_epoch()
        if not goes_on:
            self._training.result()
        return self._report(is_over=not goes_on)

    @property
    def needs_new_process(self) -> bool:
        """Whether it failed in a way after which its process can use the GPU no more."""
        return (self._gate.progress.ended or {}).get("code") in (Reason.DEVICE_ASSERT, Reason.CUDNN)

    def checkpoint_name(self) -> str | None:
        """The name of a checkpoint of the newest epoch; None before the first."""
        newest = _newest(self.folder)
        if self._gate.progress.epoch and (newest is None or newest[0] != (self._gate.progress.epoch, 0)):
            self._pause()  # not saved after every epoch, where those are short: it is when it leaves
            newest = _newest(self.folder)
        return newest[1].name if newest else None

    def continue_from(self, folder: Path, name: str | None) -> None:
        """Go on from another run's checkpoint, the newest that is left of it, in place of what this one learned."""
        self._pause()
        kept = self.folder / "checkpoints"
        kept.mkdir(parents=True, exist_ok=True)
        named = [folder / "checkpoints" / name] if name else []
        for other in (*named, *(path for _, path in reversed(_all(folder)))):
            if _copied(other, taken := kept / (other.name + ".taken")):
                self._replace_by(taken, kept / other.name, RunFile.read(folder).name)
                return

    def _replace_by(self, taken: Path, place: Path, whose: str) -> None:
        lines = JsonLines.events(self.folder)
        reporter = Reporter(lines)
        for _, own in _all(self.folder):
            reporter.checkpoint_deleted(own.relative_to(self.folder).as_posix())
            checkpoint.remove(own)
        taken.rename(place)
        manifest = checkpoint.read_manifest(place)
        reporter.checkpoint(
            epoch=manifest.epoch,
            step=manifest.step,
            path=place.relative_to(self.folder).as_posix(),
            bytes=sum(one.stat().st_size for one in place.iterdir()),
            sha256=manifest.files[checkpoint.WEIGHTS].sha256,
            metrics=manifest.metrics,
            best=True,
        )
        reporter.message(EventCode.OTHERS_WEIGHTS, name=whose, epoch=manifest.epoch)
        lines.close()

    def stop(self) -> None:
        """Have the training save and leave; its run is over if its search says so, else only put aside."""
        self._pause(StopRequest.read(self.folder / LEAVE) or PAUSED)

    def _pause(self, request: StopRequest = PAUSED) -> None:
        if self._training and not self._training.done():
            self._gate.stop(request)
            self._training.result()
        self._training = None

    def _new_gate(self) -> EpochGate:
        return EpochGate(self.folder / LEAVE, self._stop_file)

    def _train(self) -> None:
        gate = self._gate
        try:
            newest = _newest(self.folder)
            resume_from = newest[1].relative_to(self.folder).as_posix() if newest else None
            replace(RunFile.read(self.folder), resume_from=resume_from).write(self.folder)
            lines = JsonLines.events(self.folder)
            try:
                with _logged(self.folder / "log.txt"):
                    worker.attempt(self.folder, TrialReporter(lines, gate), gate.should_stop)
            finally:
                lines.close()
                _free()
        finally:
            gate.close()

    def _report(self, *, is_over: bool) -> StepResult:
        progress = self._gate.progress
        result: StepResult = {
            "score": progress.values.get(self._metric, float("nan")),
            "best": progress.bests.get(self._metric, float("nan")),
            "epoch": progress.epoch,
            "epoch_s": statistics.median(progress.epoch_s) if progress.epoch_s else 0.0,
            "done": is_over,
        }
        if is_over:
            ended = progress.ended or {"state": "interrupted", **fields_of(None)}
            result["parameters"] = _parameters(self.folder)
            result["state"], result["code"] = ended["state"], ended["code"]
            result["reason"], result["advice"] = ended["reason"], ended["advice"]
        return result


def _newest(folder: Path) -> tuple[tuple[int, int], Path] | None:
    return next(reversed(_all(folder)), None)


def _all(folder: Path) -> list[tuple[tuple[int, int], Path]]:
    """((epoch, step in mid-epoch), folder) of a run's checkpoints, oldest first."""
    found = ((re.fullmatch(r"e(\d{4,})(?:-s(\d{7,}))?", path.name), path) for path in folder.glob("checkpoints/e*"))
    return sorted(((int(name[1]), int(name[2] or 0)), path) for name, path in found if name)


def _parameters(folder: Path) -> int:
    """Numbers that the network is made of; 0 while nothing is saved."""
    from safetensors import safe_open

    newest = _newest(folder)
    if newest is None:
        return 0
    with safe_open(newest[1] / checkpoint.WEIGHTS, "pt") as file:
        return sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118


def _copied(source: Path, target: Path) -> bool:
    """Whether a whole checkpoint was copied: its run may delete it meanwhile."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        shutil.copytree(source, target)
        checkpoint.verify(target)
    except (OSError, BadCheckpoint, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        return False
    return True


@contextmanager
def _logged(path: Path) -> Iterator[None]:
    """The house's log goes to the run's own file while it trains."""
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("thaw")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()


def _free() -> None:
    """Memory of the GPU that this training held: the next trial, or another process, needs it."""
    import torch

    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()
