"""Turns what the loop does into lines: the loss of every step twice a second; memory, pace and ETA once a second."""

import math
import time

from torch import Tensor, stack

from engine.protocol.events import EventCode
from engine.protocol.run_reporter import Reporter
from engine.training.distributed.process_group import ProcessGroup
from engine.training.failures import Diverged
from engine.training.memory import Memory
from engine.training.state import TrainingProgress

LOSSES_S, LOSSES_STEPS = 0.5, 50
READINGS_S = 1.0


class MetricLogger:
    """Losses stay on the device until flushed: reading each one would make the device wait at every step.

    Args:
        reporter: Of the run's lines.
        progress: Where the training stands; it moves on by itself.
        epochs: Of the whole run.
        steps: After which it will be over, counted as in `progress`.
        memory: Read once a second.
        group: That trains together.
    """

    def __init__(
        self,
        reporter: Reporter,
        progress: TrainingProgress,
        *,
        epochs: int,
        steps: int,
        memory: Memory,
        group: ProcessGroup | None = None,
    ) -> None:
        self._reporter = reporter
        self._group = group or ProcessGroup()
        self._progress = progress
        self._epochs, self._steps = epochs, steps
        self._memory = memory
        self._losses: list[tuple[int, float, Tensor]] = []  # step, when, loss
        self._began, self._first_step = time.perf_counter(), progress.step
        self._flushed = self._read = self._began
        self._images = 0

    def step(self, loss: Tensor, images: int) -> None:
        """One step is done: `loss`, () float32, is its mean over the `images` of its batch."""
        now = time.perf_counter()
        self._losses.append((self._progress.step, time.time(), loss))
        self._images += images
        if len(self._losses) >= LOSSES_STEPS or now - self._flushed >= LOSSES_S:
            self.flush()
        if now - self._read >= READINGS_S:
            self._reporter.metrics(
                self._progress.step, self._progress.epoch + 1, self._readings(self._images / (now - self._read))
            )
            self.phase("training")

    def epoch(self, values: dict[str, float]) -> None:
        """The epoch under way is done, with these values."""
        # ranks wait for each other at every step: each has its share of the pace
        own = self._readings(values.get("speed/images_per_s", 0.0) / self._group.world_size)
        self._reporter.metrics(self._progress.step, self._progress.epoch + 1, own | values)
        self._reporter.flush()

    def message(self, code: EventCode, /, **details: object) -> None:
        """A line for a human, among the run's events."""
        self._reporter.message(code, **details)

    def flush(self) -> None:
        """Report the losses that wait.

        Raises:
            Diverged: One of them is not finite.
        """
        if self._losses:
            values = stack([loss for _, _, loss in self._losses]).tolist()
            for (step, at, _), value in zip(self._losses, values, strict=True):
                self._reporter.metrics(step, self._progress.epoch + 1, {"train/loss": value}, at=at)
                if not math.isfinite(value):
                    became = "NaN" if math.isnan(value) else "infinite"
                    raise Diverged(f"the loss became {became} at step {step} (epoch {self._progress.epoch + 1})")
            self._losses.clear()
        self._reporter.flush()
        self._flushed = time.perf_counter()

    def phase(self, name: str) -> None:
        """Say what goes on now and how long the rest takes; the pace counts afresh from here."""
        self._reporter.progress(
            name,
            step=self._progress.step,
            steps=self._steps,
            epoch=self._progress.epoch,
            epochs=self._epochs,
            eta_s=self._eta_s(),
        )
        self._read, self._images = time.perf_counter(), 0

    def _readings(self, images_per_s: float) -> dict[str, float]:
        """Pace and memory; of several ranks each one's own beside the pace of all."""
        memory = self._memory.read()
        if self._group.world_size == 1:
            return {"speed/images_per_s": images_per_s, **memory}
        own = {name.rpartition("/")[2]: value for name, value in memory.items()}
        self._group.publish({"images_per_s": images_per_s, **own})
        readings = self._group.collect() if self._group.is_first else {}
        ranks = {f"rank{rank}/{name}": value for rank, latest in readings.items() for name, value in latest.items()}
        return {"speed/images_per_s": sum(latest["images_per_s"] for latest in readings.values()), **ranks, **memory}

    def _eta_s(self) -> float | None:
        done = self._progress.step - self._first_step
        return (time.perf_counter() - self._began) / done * (self._steps - self._progress.step) if done else None
