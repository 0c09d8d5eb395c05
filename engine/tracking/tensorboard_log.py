"""Logging to TensorBoard: a folder of event files for each run."""

import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.artifacts.files import file_name
from engine.extras import without_tensorflow
from storage import MetricPoint, Run

without_tensorflow()

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # noqa: E402
from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: E402
from tensorboard.summary.writer.event_file_writer import EventFileWriter  # noqa: E402


class TensorBoardLog:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def place(self, run: Run) -> str:
        """In words, where the run is to be looked for."""
        return str(self._of(run))

    def log(self, run: Run, points: Sequence[MetricPoint]) -> None:
        """Points in the order of their steps."""
        writer = self._writer(run)
        for (step, at), together in groupby(points, key=lambda one: (one.step, one.at)):
            values = [
                Summary.Value(tag=one.name, simple_value=math.nan if one.value is None else one.value)
                for one in together
            ]
            writer.add_event(Event(wall_time=at, step=step, summary=Summary(value=values)))
        writer.flush()

    def rewind(self, run: Run, step: int) -> None:
        """What was logged beyond `step` counts no more: the run goes on from there."""
        start = SessionLog(status=SessionLog.START)
        self._writer(run).add_event(Event(wall_time=run.started_at or 0.0, step=step + 1, session_log=start))

    def end(self, run: Run) -> None:
        if writer := self._writers.pop(run.id, None):
            writer.close()

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, run: Run) -> Any:
        if run.id not in self._writers:
            self._writers[run.id] = EventFileWriter(str(self._of(run)))
        return self._writers[run.id]

    def _of(self, run: Run) -> Path:
        """The run's folder: named when it is first logged, and found by its id when it has another name since."""
        found = next(self._folder.glob(f"* {run.id}"), None)
        return found or self._folder / f"{file_name(run.name) or 'run'} {run.id}"
