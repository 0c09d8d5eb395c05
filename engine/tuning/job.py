"""A driver's job: search.json, the folders of its trials, and the requests that come while it works."""

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
    file: dict[str, Any]  # all that search.json holds

    @classmethod
    def read(cls, folder: Path) -> "SearchJob":
        """
        Raises:
            OSError: It is not there.
            Refused: Its spec is bad.
        """
        file = json.loads((folder / "search.json").read_text(encoding="utf-8"))
        spec = SearchSpec.parse(file["spec"])
        return cls(folder, spec.model_copy(update={"name": file.get("name") or spec.name}), file)

    @property
    def attempt(self) -> int:
        return int(self.file["attempt"])

    @property
    def num_trials(self) -> int:
        return int(self.file["wanted"])

    @property
    def past_trials(self) -> list[PastTrial]:
        return [PastTrial.of(row) for row in self.file["trials"]]

    @property
    def gpus(self) -> int:
        return len([slot for slot in self.file["slots"] if slot != "cpu"])

    @property
    def max_concurrent(self) -> int:
        return self.spec.at_a_time(cpus=int(self.file["cpus"]), gpus=self.gpus)

    @property
    def stop_file(self) -> Path:
        """Where the search's request to all of its trials appears."""
        return self.folder / LEAVE

    def run_folder(self, run: str) -> Path:
        return Path(self.file["runs"]) / run

    def stop_trial(self, run: str) -> None:
        """Its user has stopped the trial: it leaves now where it trains, else as soon as it is begun again."""
        self.file.setdefault("stop_asked", []).append(run)
        if (folder := self.run_folder(run)).exists():
            STOPPED.write(folder / LEAVE)

    def prepare_run(self, trial: Trial) -> Path:
        """The trial's folder with its run.json, as a worker takes it; an earlier request to stop is void."""
        folder = self.run_folder(trial.run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LEAVE).unlink(missing_ok=True)
        if trial.run in self.file.get("stop_asked", ()):
            STOPPED.write(folder / LEAVE)
        run_file = {
            "id": trial.run,
            "name": trial.spec.name,
            "attempt": trial.attempt,
            "spec": trial.spec.model_dump(mode="json"),
            "dataset": self.file["dataset"],
            "device": "cuda" if self.gpus else self.file["device"],
            "resume_from": None,  # whoever trains it goes on from the newest checkpoint that there is
            "has_parent": False,
            "best_by": self.spec.metric,
            "cache": self.file["cache"],
            "weights_path": self.file.get("weights_paths", {}).get(trial.spec.model.weights_from),
        }
        write_json(folder / "run.json", run_file)
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
        self._read_at = 0.0

    def new_requests(self) -> Iterator[dict[str, Any]]:
        """New whole lines, read about twice a second."""
        if time.monotonic() - self._read_at < POLL_S or not self._path.exists():
            return
        self._read_at = time.monotonic()
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
