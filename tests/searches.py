"""Searches for tests: small ones on scikit-learn's digits, each driven by a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from engine.machine.processes import MARK
from engine.specs import SearchSpec
from tests.engine.digits_run import DIGITS, SMALL, read_lines

ROOT = Path(__file__).resolve().parents[1]
RATES = {"optimisation.learning_rate": {"log": [1e-4, 1e-2]}}
NUMBERS = RATES | {"optimisation.weight_decay": {"log": [1e-5, 1e-1]}}
FEW = {"optimisation.batch_size": {"choices": [64, 128, 256]}, "optimisation.label_smoothing": {"choices": [0.0, 0.1]}}
WAIT_S = 120.0


class Searched:
    """A search in `home`, as the supervisor lays it out; what its drivers did stands in its files."""

    def __init__(self, home: Path, *, cpus: int = 2, run: dict[str, Any] | None = None, **values: Any) -> None:
        self.home, self.folder = home, home / "searches" / "s1"
        self.folder.mkdir(parents=True)
        spec = SearchSpec.parse({"run": SMALL | (run or {}), "space": RATES, "algorithm": "random", **values})
        self.file: dict[str, Any] = {
            "id": "s1",
            "name": "search",
            "attempt": 0,
            "spec": spec.model_dump(mode="json"),
            "dataset": DIGITS,
            "device": "cpu",
            "slots": ["cpu"],
            "cpus": cpus,
            "cache": str(home / "cache"),
            "runs": str(home / "runs"),
            "wanted": spec.num_trials,
            "trials": [],
        }
        (home / "cache").mkdir(exist_ok=True)
        (home / "runs").mkdir(exist_ok=True)

    @property
    def mark(self) -> str:
        return f"{self.home}:search-s1:{self.file['attempt']}"

    def lay(self) -> None:
        """search.json for the next driver, with what those before it did."""
        (self.folder / "control.jsonl").unlink(missing_ok=True)
        self.file |= {"attempt": self.file["attempt"] + 1, "trials": self.trials()}
        (self.folder / "search.json").write_text(json.dumps(self.file))

    def start(self) -> "subprocess.Popen[bytes]":
        """A driver, which goes on from what those before it did."""
        self.lay()
        with (self.folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "engine.tuning", str(self.folder)],
                cwd=ROOT,
                env={**os.environ, MARK: self.mark, "CUDA_VISIBLE_DEVICES": ""},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self) -> dict[str, Any]:
        """One driver to its end; the search's last word."""
        driver = self.start()
        driver.wait(WAIT_S)
        return self.lines("ended")[-1]

    def lines(self, kind: str | None = None) -> list[dict[str, Any]]:
        if not (self.folder / "events.jsonl").exists():
            return []
        return [line for line in read_lines(self.folder) if kind in (None, line["kind"])]

    def control(self, kind: str, **values: Any) -> None:
        with (self.folder / "control.jsonl").open("a") as file:
            file.write(json.dumps({"kind": kind, **values}) + "\n")

    def run_lines(self, run: str, kind: str | None = None) -> list[dict[str, Any]]:
        if not (self.home / "runs" / run / "events.jsonl").exists():
            return []
        return [line for line in read_lines(self.home / "runs" / run) if kind in (None, line["kind"])]

    def trials(self) -> list[dict[str, Any]]:
        """As the store's rows would have them, made of the lines that ingestion reads."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.lines():
            if line["kind"] == "trial":
                known = {name: line[name] for name in ("run", "number", "name", "attempt", "config")}
                found[line["run"]] = {**known, "state": "interrupted", "value": self.best(line["run"])}
            elif line["kind"] == "trial_ended":
                found[line["run"]] |= {"state": line["state"], "reason": line["reason"], "cost": line.get("cost")}
        return sorted(found.values(), key=lambda one: one["number"])

    def best(self, run: str) -> float | None:
        seen = (line["values"].get("val/accuracy") for line in self.run_lines(run, "metrics"))
        return max((value for value in seen if value is not None), default=None)

    def left(self) -> list[psutil.Process]:
        """Living processes of the search."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def wait_for(holds: Callable[[], Any], *, seconds: float = WAIT_S) -> Any:
    """What `holds` returns once it is true; an AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found
