"""`python -m tests.engine.checkpoint_killing FOLDER ROUNDS`: fork a process that saves without end, kill -9 it, look.

Each round's child goes on from what the killed one left. Prints one JSON object: rounds, bad (checkpoints under
their own name that do not verify), lost (announced, not deleted, gone), caught (rounds killed in mid-write).
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet  # noqa: F401 - before the children are forked: it would take a part of each one's time
import torch
from torch import nn

from engine.artifacts.predictions import Labelled
from engine.protocol.json_lines import JsonLines
from engine.protocol.run_reporter import Reporter
from engine.training import checkpoint
from engine.training.evaluation import Evaluation, per_sample_eval
from engine.training.failures import BadCheckpoint
from engine.training.retention import Checkpoints
from engine.training.state import Training

ABOUT = {"classes": ["a"], "preprocessing": {}, "spec": {}}
JUDGES = Labelled("letters", "validation", [f"a/{number}.png" for number in range(500)], np.zeros(500, np.int64))
JUDGED = Evaluation(per_sample_eval(torch.zeros(500, 1), torch.zeros(500, dtype=torch.int64)))


def new_training() -> Training:
    model = nn.Linear(256, 1024)
    return Training(model, torch.optim.AdamW(model.parameters()), torch.Generator())


def save_without_end(run: Path, newest: str | None) -> None:
    training = new_training()
    checkpoints = Checkpoints(run, ABOUT, val_samples=JUDGES, reporter=Reporter(JsonLines.events(run)))
    checkpoints.resume(training, newest)
    while True:
        training.finish_epoch()
        checkpoints.save(training, {"val/accuracy": random.random()}, JUDGED)


def announced(run: Path) -> list[str]:
    """Paths of announced checkpoints that were not deleted, oldest first."""
    paths: list[str] = []
    for raw in (run / "events.jsonl").read_text().splitlines(keepends=True):
        if raw.endswith("\n") and (line := json.loads(raw))["kind"].startswith("checkpoint"):
            paths = [path for path in paths if path != line["path"]]
            if line["kind"] == "checkpoint":
                paths.append(line["path"])
    return paths


def main(run: Path, rounds: int) -> None:
    torch.set_num_threads(1)
    new_training()  # the first optimiser of a process costs a second: not in each child
    (run / "events.jsonl").touch()
    bad = lost = caught = 0
    for _ in range(rounds):
        paths = announced(run)
        child = os.fork()
        if not child:
            save_without_end(run, paths[-1] if paths else None)
        time.sleep(random.uniform(0.02, 0.2))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        caught += any((run / "checkpoints").glob("*.tmp"))
        lost += sum(not (run / path).is_dir() for path in announced(run))
        for folder in (run / "checkpoints").glob("e????*[0-9]"):
            try:
                checkpoint.verify(folder)
            except BadCheckpoint:
                bad += 1
    print(json.dumps({"rounds": rounds, "bad": bad, "lost": lost, "caught": caught, "saved": len(announced(run))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
