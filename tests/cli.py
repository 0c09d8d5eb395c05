"""The command line as a person uses it: a real process, its words and its exit code."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from storage import Run, RunState, Store
from tests.conftest import ROOT

TINY: dict[str, Any] = {  # learns a little in a few seconds
    "data": {"dataset": "digits", "image_size": 8},
    "model": {"backbone": "small_cnn"},
    "optimisation": {"optimizer": "sgd", "learning_rate": 0.01, "batch_size": 64},
    "compute": {"precision": "fp32"},  # "auto" takes what is fastest just now
    "epochs": 2,
}
LONG = TINY | {"epochs": 2000, "optimisation": TINY["optimisation"] | {"batch_size": 8}}  # outlives any test
SOME = LONG | {"data": TINY["data"] | {"image_size": 16}, "epochs": 9}  # some seconds: time to meet it on its way


def cli(*arguments: str | Path, timeout_s: float = 180) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
    )


def spec_file(folder: Path, values: dict[str, Any]) -> Path:
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(values, allow_unicode=True), encoding="utf-8")
    return path


def queue(store: Store, folder: Path, values: dict[str, Any]) -> Run:
    """Start a run from the command line, without waiting for it."""
    done = cli("train", spec_file(folder, values), "--json")
    assert done.returncode == 0, done.stderr
    return store.runs.get(json.loads(done.stdout)["id"])


def until(what: Callable[[], Any], *, within_s: float = 60, why: Callable[[], Any] = lambda: "") -> Any:
    """What `what()` gives once it is truthy; `why()` tells how things stand when it does not become so."""
    deadline = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < deadline, f"it did not happen in time: {why()}"
        time.sleep(0.1)
    return found


def until_state(store: Store, run_id: str, *states: RunState, within_s: float = 120) -> Run:
    def reached() -> Run | None:
        run = store.runs.get(run_id)
        return run if run.state in states else None

    def standing() -> str:
        log = store.home.engine_log
        return f"{store.runs.get(run_id)}\n{log.read_text() if log.exists() else 'no engine log'}"

    run: Run = until(reached, within_s=within_s, why=standing)
    return run
