"""What a driver is asked to do: search.json, the folders of its trials, and what is asked while it works."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.protocol.json_file import write_json
from engine.protocol.json_lines import Lines
from engine.protocol.run_lines import Ended
from engine.specs import SearchSpec
from engine.tuning.epoch_gate import LEAVE, StopRequest
from engine.tuning.trial_ledger import PastTrial, Trial

POLL_S = 0.5
STOPPED = StopRequest("stopped", "Stopped by its user.")


@dataclass(frozen=True, slots=True)
class SearchJob:
    """search.json, as the supervisor writes it."""

    folder: Path
    spec: SearchSpec
    told: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "SearchJob":
        """
        Raises:
            OSError: It is not there.
            Refused: Its spec is bad.
        """
        told = json.loads((folder / "search.json").read_text(encoding="utf-8"))
        spec = SearchSpec.parse(told["spec"])
        return cls(folder, spec.model_copy(update={"name": told.get("name") or spec.name}), told)

    @property
    def attempt(self) -> int:
        return int(self.told["attempt"])

    @property
    def wanted(self) -> int:
        return int(self.told["wanted"])

    @property
    def known(self) -> list[PastTrial]:
        return [PastTrial.of(row) for row in self.told["trials"]]

    @property
    def gpus(self) -> int:
        return len([slot for slot in self.told["slots"] if slot != "cpu"])

    @property
    def at_once(self) -> int:
        return self.spec.at_a_time(cpus=int(self.told["cpus"]), gpus=self.gpus)

    @property
    def leave(self) -> Path:
        """Where the search's word to all of its trials appears."""
        return self.folder / LEAVE

    def run_folder(self, run: str) -> Path:
        return Path(self.told["runs"]) / run

    def stop(self, run: str) -> None:
        """Its user has stopped the trial: it leaves now where it trains, else as soon as it is begun again."""
        self.told.setdefault("stop_asked", []).append(run)
        if (folder := self.run_folder(run)).exists():
            STOPPED.write(folder / LEAVE)

    def lay_out(self, asked: Trial) -> Path:
        """The trial's folder with its run.json, as a worker takes it; what it was told before is void."""
        folder = self.run_folder(asked.run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LEAVE).unlink(missing_ok=True)
        if asked.run in self.told.get("stop_asked", ()):
            STOPPED.write(folder / LEAVE)
        told = {
            "id": asked.run,
            "name": asked.spec.name,
            "attempt": asked.attempt,
            "spec": asked.spec.model_dump(mode="json"),
            "dataset": self.told["dataset"],
            "device": "cuda" if self.gpus else self.told["device"],
            "resume_from": None,  # whoever trains it goes on from the newest checkpoint that there is
            "has_parent": False,
            "best_by": self.spec.metric,
            "cache": self.told["cache"],
            "weights_path": self.told.get("weights_paths", {}).get(asked.spec.model.weights_from),
        }
        write_json(folder / "run.json", told)
        return folder

    def end_run(self, run: str, state: str, reason: str | None, advice: str | None = None) -> None:
        """Write a run's last word where nobody trains it any more; nothing if it has one."""
        folder = self.run_folder(run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not has_ended(folder):
            lines = Lines(folder / "events.jsonl")
            needed = 0 if state == "interrupted" else None
            lines.write(Ended(state=state, reason=reason, advice=advice, detail=None, needs_bytes=needed))
            lines.close()


def has_ended(folder: Path) -> bool:
    """Whether the last whole line of a run's events is its last word."""
    try:
        with (folder / "events.jsonl").open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - 65_536))
            lines = file.read().splitlines(keepends=True)
        return bool(lines) and lines[-1].endswith(b"\n") and json.loads(lines[-1])["kind"] == "ended"
    except (OSError, ValueError, KeyError, TypeError):
        return False


class Control:
    """The lines that the supervisor adds to control.jsonl, which it removes before it starts a driver."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "control.jsonl"
        self._offset = 0
        self._looked = 0.0

    def news(self) -> Iterator[dict[str, Any]]:
        """New whole lines, looked for about twice a second."""
        if time.monotonic() - self._looked < POLL_S or not self._path.exists():
            return
        self._looked = time.monotonic()
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                self._offset += len(raw)
                try:
                    line = json.loads(raw)
                except ValueError:
                    continue
                if isinstance(line, dict):
                    yield line
