"""Runs killed with kill -9 at random moments and resumed against one that was never disturbed: equal bit for bit.

With augmentation and dropout on, so that chance matters; the control that leaves the chances out must differ.
"""

import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import torch

from benchmarks.checks import Check, print_checks
from benchmarks.measure import Figure
from engine.specs import RunSpec
from engine.training import checkpoint, state
from engine.worker import run as worker

RUNS, KILLS_EACH = 20, 2
EPOCHS = 5
SPEC = {
    "data": {"dataset": "digits", "image_size": 16, "augmentations": ["rotate", "shift"]},
    "model": {"backbone": "small_cnn", "head": "mlp", "head_dropout": 0.2},
    "optimisation": {"learning_rate": 1e-3, "batch_size": 64, "schedule": "cosine", "ema_decay": 0.9},
    "compute": {"precision": "fp32"},
    "epochs": EPOCHS,
}
DATASET = {
    "id": "digits",
    "name": "digits",
    "kind": "digits",
    "path": "",
    "classes": list("0123456789"),
    "channels": 1,
    "fingerprint": "scikit-learn-digits-1",
}


def measure() -> list[Figure]:
    """Print what was found; there is nothing to time.

    Raises:
        SystemExit: A resumed run was not equal, or the control was.
    """
    with TemporaryDirectory() as folder:
        print_checks(checks(Path(folder), runs=RUNS, kills_each=KILLS_EACH))
    return []


def checks(folder: Path, *, runs: int, kills_each: int) -> Iterator[Check]:
    """The long form by hand, the short one as a test."""
    torch.set_num_threads(1)  # children are forked: a pool of threads would not come along
    whole = Attempts(folder / "whole", folder / "cache")
    whole.finish()
    again, began = Attempts(folder / "again", folder / "cache"), time.monotonic()
    again.finish()
    taken, equal = time.monotonic() - began, again.result() == whole.result()
    yield Check("the same run twice", equal, "equal" if equal else "not equal")
    chance, number, kills, equals = random.Random(0), 0, 0, 0
    while number < runs or (kills < runs * kills_each and number < 3 * runs):  # some end before a kill meets them
        disturbed = Attempts(folder / f"run{number}", folder / "cache")
        kills += disturbed.disturb(chance, kills_each, taken)
        equals += disturbed.result() == whole.result()
        number += 1
    summary = f"{equals} of {number} runs bit-equal after {kills} kills"
    yield Check("killed at random moments and resumed", equals == number and kills >= runs * kills_each, summary)
    control = Attempts(folder / "control", folder / "cache", forgetful=True)
    control.disturb(chance, kills_each, taken, past_epochs=1)
    differs = control.result() != whole.result()
    summary = "differs, as it must" if differs else "equal: the check shows nothing"
    yield Check("control that forgets its chances", differs, summary)


class Attempts:
    """A run's attempts, one process each, forked so that the libraries are loaded once."""

    def __init__(self, folder: Path, cache: Path, *, forgetful: bool = False) -> None:
        folder.mkdir(parents=True)
        self._folder, self._cache, self._forgetful = folder, cache, forgetful
        self._attempt = 0

    def disturb(self, chance: random.Random, kills: int, taken: float, *, past_epochs: int = 0) -> int:
        """Kill it `kills` times, then let it finish; how many were killed before they had ended by themselves.

        Args:
            taken: Seconds that the whole run takes undisturbed.
            past_epochs: No kill before so many epochs were completed.
        """
        killed = 0
        while killed < kills:
            child = self._start()
            time.sleep(chance.uniform(0.1, 0.9) * taken / kills)
            while past_epochs and self._newest() is None:
                time.sleep(0.01)
            if os.waitpid(child, os.WNOHANG)[0]:
                break
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
        self.finish()
        return killed

    def finish(self) -> None:
        """
        Raises:
            RuntimeError: It did not finish.
        """
        status = os.waitstatus_to_exitcode(os.waitpid(self._start(), 0)[1])
        if status or not (self._folder / "checkpoints" / f"e{EPOCHS:04d}").is_dir():
            raise RuntimeError((self._folder / "log.txt").read_text()[-3000:])

    def result(self) -> str:
        """A hash of all that the last checkpoint holds: weights, optimiser, chances, metrics."""
        last = self._folder / "checkpoints" / f"e{EPOCHS:04d}"
        manifest = checkpoint.verify(last)
        summary = [checkpoint.read_weights(last), checkpoint.read_resume(last), manifest.metrics]
        return hashlib.sha256(b"".join(_bytes(summary))).hexdigest()

    def _start(self) -> int:
        self._attempt += 1
        run = {
            "id": "soak",
            "name": "soak",
            "attempt": self._attempt,
            "dataset": DATASET,
            "device": "cpu",
            "spec": RunSpec.parse(SPEC).model_dump(mode="json"),
            "resume_from": self._newest(),
            "cache": str(self._cache),
        }
        (self._folder / "run.json").write_text(json.dumps(run))
        child = os.fork()
        if child:
            return child
        code = 1
        try:
            log = os.open(self._folder / "log.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.dup2(log, 1)
            os.dup2(log, 2)
            if self._forgetful and run["resume_from"]:
                patch.object(state, "restore_random", lambda saved: None).start()
            code = worker.main(self._folder)
        finally:
            os._exit(code)

    def _newest(self) -> str | None:
        """The checkpoint announced last."""
        events = self._folder / "events.jsonl"
        lines = events.read_bytes().splitlines(keepends=True) if events.exists() else []
        whole = (line for line in lines if line.endswith(b"\n"))
        paths = [line["path"] for line in map(json.loads, whole) if line["kind"] == "checkpoint"]
        return paths[-1] if paths else None


def _bytes(value: object) -> Iterator[bytes]:
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            yield str(name).encode()
            yield from _bytes(value[name])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _bytes(one)
    elif isinstance(value, torch.Tensor):
        yield value.contiguous().numpy().tobytes()
    else:
        yield repr(value).encode()
