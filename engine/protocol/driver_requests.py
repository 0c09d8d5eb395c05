"""What reaches a search's driver, and trainings of trials, while they work.

The supervisor adds lines to `control.jsonl` in the search's folder, which it removes before it starts a driver; the
driver lays `leave.json` into the folder of a trial that is to leave, or into its own: then all of them leave.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from engine.protocol.json_file import write_json
from engine.protocol.json_lines import JsonLines, Line, read_lines
from engine.protocol.reasons import Why
from engine.protocol.serialization import Malformed, read_json, to_json

CONTROL, LEAVE = "control.jsonl", "leave.json"
POLL_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTrial(Line):
    """One trial is to end; the search goes on."""

    kind: ClassVar[str] = "stop_trial"

    run: str  # the id of its run


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Line):
    """The search is to end, and its trials with it."""

    kind: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Line):
    """The driver is to leave; another one goes on later."""

    kind: ClassVar[str] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend(Line):
    """So many trials from now on."""

    kind: ClassVar[str] = "extend"

    trials: int  # in all


DriverRequest = StopTrial | Stop | Pause | Extend
DRIVER_REQUESTS: dict[str, type[DriverRequest]] = {one.kind: one for one in (StopTrial, Stop, Pause, Extend)}


def send(folder: Path, request: DriverRequest) -> None:
    """Add a request for the driver of the search of `folder`."""
    lines = JsonLines(folder / CONTROL)
    lines.write(request)
    lines.close()


def clear(folder: Path) -> None:
    """What the driver before was asked is done or void."""
    (folder / CONTROL).unlink(missing_ok=True)


class Inbox:
    """The requests for the driver of the search of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CONTROL
        self._offset = 0
        self._read_at = 0.0  # monotonic

    def new_requests(self) -> Iterator[DriverRequest]:
        """Those that came since, read about twice a second; what cannot be read, or is not known, is skipped."""
        if time.monotonic() - self._read_at < POLL_S or not self._path.exists():
            return
        self._read_at = time.monotonic()
        for request, offset in read_lines(self._path, DRIVER_REQUESTS, self._offset):
            self._offset = offset
            if isinstance(request, DriverRequest):
                yield request


@dataclass(frozen=True, slots=True)
class StopRequest:
    """leave.json: why a training leaves, and how its run ends."""

    state: str | None = "stopped"  # or "interrupted": it goes on with its search; null: put aside
    reason: str = ""  # one sentence
    code: str = ""  # what the reason is made from

    @classmethod
    def of(cls, state: str, why: Why) -> "StopRequest":
        return cls(state, why.reason, why.code)

    @property
    def why(self) -> Why | None:
        return Why(self.code, self.reason) if self.reason else None

    @classmethod
    def read(cls, path: Path) -> "StopRequest | None":
        """None where there is none, or none that can be read."""
        try:
            return read_json(cls, path)
        except (OSError, Malformed):
            return None

    def write(self, path: Path) -> None:
        write_json(path, to_json(self), durable=False)  # for trainings that live
